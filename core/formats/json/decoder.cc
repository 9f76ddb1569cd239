// JSON lines to columns: walks the lines of a block and hands each to the line parser.
#include "formats/json/decoder.h"

#include <cstring>

#include "formats/json/line_parser.h"
#include "formats/text/projection.h"

namespace qn::json {
namespace {

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const Schema& schema, std::span<const int> columns)
      : parser_(schema), projection_(columns, schema.size()) {}

  size_t Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) override;

 private:
  // The line at `at`, ended by '\n' whatever the block's end looks like.
  const char* LineAt(const Block& block, size_t at);

  LineParser parser_;
  text::Projection projection_;
};

// Without the end of line, be it "\n" or "\r\n".
std::string_view LineText(const char* begin, const char* end) {
  if (end > begin && end[-1] == '\r') --end;
  return {begin, static_cast<size_t>(end - begin)};
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

size_t JsonDecoder::Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) {
  projection_.Bind(out);
  parser_.Bind(projection_.columns());
  if (block.oversize_bytes != 0 && cursor.at < block.size) {
    text::RejectOversize(block, cursor.line++, rejects);
    cursor.at = block.size;
  }
  if (block.offset == 0 && cursor.at == 0 &&
      std::string_view(block.data, block.size).starts_with(text::kByteOrderMark)) {
    cursor.at = text::kByteOrderMark.size();
  }
  size_t row = 0;
  while (row < duck::kChunkRows && cursor.at < block.size) {
    const char* line = LineAt(block, cursor.at);
    const char* p = text::SkipJsonSpace(line);
    const char* end = p;
    if (*p != '\n') {
      end = parser_.Parse(p, row);
      if (end != nullptr) {
        projection_.PutHidden(block, LineText(line, end), cursor.line, row++);
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
