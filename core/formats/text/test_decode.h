// For tests only: a whole text through a format, cut into blocks as the test wants, rows and rejects as text.
#pragma once

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "formats/decoder.h"
#include "formats/text/test_chunk.h"

namespace qn::text {

struct Decoded {
  std::vector<std::string> rows;     // cells joined by '|'
  std::vector<std::string> rejects;  // "line: detail"
  std::vector<std::string> raws;     // of the rejects
  bool operator==(const Decoded&) const = default;
};

class KeptRejects final : public Rejects {
 public:
  explicit KeptRejects(Decoded& into) : into_(into) {}
  void Add(uint32_t, int64_t line, std::string_view raw, std::string detail) override {
    into_.rejects.push_back(std::to_string(line) + ": " + detail);
    into_.raws.emplace_back(raw);
  }

 private:
  Decoded& into_;
};

inline Field Column(std::string name, Type type, bool nullable = true) {
  return {std::move(name), std::move(type), nullable, ""};
}
inline Field Column(std::string name, TypeId id, bool nullable = true) {
  return Column(std::move(name), Type::Of(id), nullable);
}

inline std::vector<int> AllColumns(const Schema& schema, bool with_hidden = false) {
  std::vector<int> out(schema.size() + (with_hidden ? kHiddenColumns : 0));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

class TestReader {
 public:
  TestReader(const Format& format, const Schema& schema, std::vector<int> columns)
      : format_(format), schema_(schema), columns_(std::move(columns)) {
    decoder_ = format.NewDecoder(schema, columns_);
    for (const int column : columns_) {
      const auto i = static_cast<size_t>(column);
      const TypeId hidden[] = {TypeId::kBlob, TypeId::kUInteger, TypeId::kBigInt};
      types_.push_back(i < schema.size() ? schema[i].type : Type::Of(hidden[i - schema.size()]));
    }
  }

  void Take(const Block& block, Decoded* into) {
    KeptRejects rejects(*into);
    Cursor cursor{0, block.first_line};
    while (cursor.at < block.size) {
      TestChunk chunk(types_);
      const size_t rows = decoder_->Decode(block, cursor, chunk.out(), rejects);
      QN_CHECK(cursor.at <= block.size);
      for (size_t row = 0; row < rows; ++row) {
        std::string cells;
        for (size_t c = 0; c < types_.size(); ++c) cells += (c == 0 ? "" : "|") + chunk[c].Cell(row);
        into->rows.push_back(std::move(cells));
      }
    }
    lines_end_ = cursor.line;
  }
  uint64_t lines_end() const { return lines_end_; }

  // As a source would hand the text out when it reads `piece` bytes at a time; 0: all at once.
  Decoded Read(const std::string& text, size_t piece = 0) {
    Decoded out;
    const auto head = std::make_shared<const std::string>(text.substr(0, kFileHeadBytes));
    size_t at = 0;
    uint64_t line = 1;
    for (size_t seen = 0; at < text.size();) {
      seen = piece == 0 ? text.size() : std::min(text.size(), seen + piece);
      uint64_t lines = 0;
      // Exactly the bytes seen: a splitter that looks further is caught by the sanitizer.
      const std::vector<char> visible(text.begin() + static_cast<long>(at),
                                      text.begin() + static_cast<long>(seen));
      size_t whole = format_.Splitter().Whole(visible.data(), visible.size(), &lines);
      if (seen == text.size() && whole == 0) whole = seen - at;
      if (whole == 0) continue;
      Block block = TestBlock(std::string_view(text).substr(at, whole), at);
      block.first_line = line;
      if (at > 0 && format_.Splitter().WantsHead()) block.head = head;
      Take(block, &out);
      at += whole;
      line += lines;
    }
    return out;
  }

 private:
  const Format& format_;
  Schema schema_;
  std::vector<int> columns_;
  std::vector<Type> types_;
  std::unique_ptr<Decoder> decoder_;
  uint64_t lines_end_ = 0;
};

}  // namespace qn::text
