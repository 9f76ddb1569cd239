// JSON lines to columns: walks the lines of a block and hands each to the line parser.
#include "formats/json/decoder.h"

#include <cstring>

#include "formats/json/line_parser.h"

namespace qn::json {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const Schema& schema, std::span<const int> columns)
      : parser_(schema), columns_(columns.begin(), columns.end()), outs_(schema.size()) {}

  size_t Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) override;

 private:
  void Bind(duck::ChunkOut& out);
  // The line at `at`, ended by '\n' whatever the block's end looks like.
  const char* LineAt(const Block& block, size_t at);
  void PutHidden(const Block& block, std::string_view raw, uint64_t line, size_t row);

  LineParser parser_;
  std::vector<int> columns_;
  std::vector<duck::ColumnOut*> outs_;
  duck::ColumnOut* raw_ = nullptr;
  duck::ColumnOut* file_ = nullptr;
  duck::ColumnOut* line_ = nullptr;
};

// Without the end of line, be it "\n" or "\r\n".
std::string_view LineText(const char* begin, const char* end) {
  if (end > begin && end[-1] == '\r') --end;
  return {begin, static_cast<size_t>(end - begin)};
}

void JsonDecoder::Bind(duck::ChunkOut& out) {
  QN_CHECK(out.columns.size() == columns_.size());
  std::fill(outs_.begin(), outs_.end(), nullptr);
  raw_ = file_ = line_ = nullptr;
  duck::ColumnOut** hidden[kHiddenColumns] = {&raw_, &file_, &line_};
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<size_t>(columns_[i]);
    if (column < outs_.size()) {
      outs_[column] = &out.columns[i];
    } else {
      QN_CHECK(column - outs_.size() < kHiddenColumns);
      *hidden[column - outs_.size()] = &out.columns[i];
    }
  }
  parser_.Bind(outs_);
}

const char* JsonDecoder::LineAt(const Block& block, size_t at) {
  const char* p = block.data + at;
  const size_t rest = block.size - at;
  if (block.data[block.size - 1] == '\n' || std::memchr(p, '\n', rest) != nullptr) return p;
  char* copy = parser_.Keep(rest + 1);
  std::memcpy(copy, p, rest);
  copy[rest] = '\n';
  return copy;
}

void JsonDecoder::PutHidden(const Block& block, std::string_view raw, uint64_t line, size_t row) {
  if (raw_ != nullptr) raw_->SetString(row, raw.data(), raw.size());
  if (file_ != nullptr) file_->data<uint32_t>()[row] = block.file;
  if (line_ != nullptr) line_->data<int64_t>()[row] = static_cast<int64_t>(line);
}

size_t JsonDecoder::Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) {
  Bind(out);
  if (block.oversize_bytes != 0 && cursor.at < block.size) {
    rejects.Add(
        block.file, static_cast<int64_t>(cursor.line), {block.data, block.size},
        "a record of " + std::to_string(block.oversize_bytes) + " bytes is larger than the source's limit");
    cursor.at = block.size;
    ++cursor.line;
  }
  if (block.offset == 0 && cursor.at == 0 &&
      std::string_view(block.data, block.size).starts_with(kByteOrderMark)) {
    cursor.at = kByteOrderMark.size();
  }
  size_t row = 0;
  while (row < duck::kChunkRows && cursor.at < block.size) {
    const char* line = LineAt(block, cursor.at);
    const char* p = text::SkipJsonSpace(line);
    const char* end = p;
    if (*p != '\n') {
      end = parser_.Parse(p, row);
      if (end != nullptr) {
        PutHidden(block, LineText(line, end), cursor.line, row++);
      } else {
        end = static_cast<const char*>(std::memchr(line, '\n', block.size - cursor.at + 1));
        rejects.Add(block.file, static_cast<int64_t>(cursor.line), LineText(line, end), parser_.Fault(line));
      }
    }
    cursor.at += static_cast<size_t>(end - line) + 1;
    ++cursor.line;
  }
  cursor.at = std::min(cursor.at, block.size);
  parser_.Finish();
  return row;
}

}  // namespace

std::unique_ptr<Decoder> NewDecoder(const Schema& schema, std::span<const int> columns) {
  return std::make_unique<JsonDecoder>(schema, columns);
}

}  // namespace qn::json
