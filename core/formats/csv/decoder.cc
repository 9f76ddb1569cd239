// CSV to columns: splits each record of a block and hands its fields to the text parsers.
#include "formats/csv/decoder.h"

#include <algorithm>
#include <cstring>

#include "formats/csv/header.h"
#include "formats/csv/record.h"
#include "formats/text/arena.h"
#include "formats/text/lines.h"
#include "formats/text/projection.h"
#include "formats/text/put.h"

namespace qn::csv {
namespace {

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const Dialect& dialect, const Schema& schema, std::span<const int> columns)
      : dialect_(dialect), schema_(schema), projection_(columns, schema.size()), record_(dialect_) {
    if (!dialect_.has_header) header_ = HeaderByPosition(schema_);
  }

  size_t Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) override;

 private:
  void BeginFile(const Block& block, Cursor& cursor, Rejects& rejects);
  void FindHeader(const Block& block);
  // The bytes from `at` on, ended by a line break whatever the block's end looks like.
  std::string_view RecordsAt(const Block& block, size_t at);
  bool PutRecord(size_t row);
  bool PutField(size_t column, const CsvField& field, size_t row);
  bool PutNull(size_t column, size_t row);
  bool Refuse(std::string detail);

  Dialect dialect_;
  Schema schema_;
  text::Projection projection_;
  Record record_;
  Header header_;
  std::shared_ptr<const std::string> head_;  // that header_ was read from, unless from a block
  text::Arena arena_;
  std::string detail_;
};

bool CsvDecoder::Refuse(std::string detail) {
  detail_ = std::move(detail);
  return false;
}

// The first block of a file: its byte order mark, skipped lines and header are no rows.
void CsvDecoder::BeginFile(const Block& block, Cursor& cursor, Rejects& rejects) {
  const std::string_view bytes(block.data, block.size);
  if (!dialect_.has_header) {
    cursor.at = PreambleBytes(dialect_, bytes);
    cursor.line += text::CountLineBreaks(block.data, block.data + cursor.at);
    return;
  }
  head_ = nullptr;
  header_ = ReadHeader(dialect_, schema_, bytes);
  if (!header_.fault.empty() && !header_.raw.empty()) {
    rejects.Add(block.file, static_cast<int64_t>(cursor.line + header_.lines_before), header_.raw,
                header_.fault);
  }
  cursor.at = header_.bytes;
  cursor.line += header_.lines;
}

std::string_view CsvDecoder::RecordsAt(const Block& block, size_t at) {
  const std::string_view rest(block.data + at, block.size - at);
  if (rest.back() == '\n') return rest;
  char* copy = arena_.Take(rest.size() + 1);
  std::memcpy(copy, rest.data(), rest.size());
  copy[rest.size()] = '\n';
  return {copy, rest.size() + 1};
}

bool CsvDecoder::PutNull(size_t column, size_t row) {
  if (!schema_[column].nullable)
    return Refuse("column '" + schema_[column].name + "': NOT NULL, but found NULL");
  if (projection_.columns()[column] != nullptr) projection_.columns()[column]->SetNull(row);
  return true;
}

bool CsvDecoder::PutField(size_t column, const CsvField& field, size_t row) {
  const Type& type = schema_[column].type;
  std::string_view value = field.raw();
  if (!field.is_quoted && value == dialect_.null_text) return PutNull(column, row);
  if (field.is_quoted && value.empty() && dialect_.null_text.empty() && type.id != TypeId::kVarchar) {
    return PutNull(column, row);
  }
  if (field.has_escapes) {
    char* out = arena_.Take(value.size());
    size_t size = 0;
    if (!Unescape(dialect_, value, out, &size)) {
      return Refuse("column '" + schema_[column].name +
                    "': an escape character before something that needs none");
    }
    value = {out, size};
  }
  duck::ColumnOut* out = projection_.columns()[column];
  void* data = out == nullptr ? nullptr : out->data<void>();
  if (type.id == TypeId::kVarchar) {
    text::PutString(value.data(), value.size(), data, row);
    return true;
  }
  if (text::IsNumeric(type.id)) {
    const text::Number number = text::ScanNumber(value.data());
    if (number.end == value.data() + value.size() && text::PutNumber(type, number, data, row)) return true;
  }
  const text::Fault fault = text::PutText(type, value, data, row);
  if (fault == text::Fault::kNone) return true;
  return Refuse("column '" + schema_[column].name + "': expected " + type.ToSql() + ", found \"" +
                text::Excerpt(value) + '"' + std::string(text::FaultNote(fault)));
}

bool CsvDecoder::PutRecord(size_t row) {
  if (!header_.fault.empty()) return Refuse("not read: " + header_.fault);
  if (record_.fault() != nullptr) return Refuse(std::string("not CSV: ") + record_.fault());
  if (record_.count() != header_.fields) {
    return Refuse("expected " + std::to_string(header_.fields) + " fields, found " +
                  std::to_string(record_.count()));
  }
  for (size_t column = 0; column < schema_.size(); ++column) {
    if (PutField(column, record_.fields()[header_.field_of[column]], row)) continue;
    for (size_t written = 0; written <= column; ++written) {
      if (projection_.columns()[written] != nullptr) projection_.columns()[written]->SetValid(row);
    }
    return false;
  }
  return true;
}

void CsvDecoder::FindHeader(const Block& block) {
  if (!dialect_.has_header || (head_ != nullptr && head_ == block.head)) return;
  QN_CHECK(block.head != nullptr);  // the splitter wants it
  head_ = block.head;
  header_ = ReadHeader(dialect_, schema_, *head_);
}

size_t CsvDecoder::Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) {
  projection_.Bind(out);
  arena_.Reset();
  if (cursor.at == 0 && block.oversize_bytes != 0) {
    text::RejectOversize(block, cursor.line++, rejects);
    cursor.at = block.size;
  }
  if (cursor.at == 0 && block.offset == 0) {
    BeginFile(block, cursor, rejects);
  } else if (cursor.at == 0) {
    FindHeader(block);
  }
  size_t row = 0;
  if (cursor.at >= block.size) return row;
  const std::string_view records = RecordsAt(block, cursor.at);
  const char* const end = records.data() + records.size();
  const char* p = records.data();
  while (row < duck::kChunkRows && p != end) {
    const char* next = record_.Read(p, end, header_.fields);
    if (!record_.IsBlank() || header_.fields == 1) {
      if (PutRecord(row)) {
        projection_.PutHidden(block, record_.raw(), cursor.line, row++);
      } else {
        rejects.Add(block.file, static_cast<int64_t>(cursor.line), record_.raw(), detail_);
      }
    }
    cursor.line += text::CountLineBreaks(p, next);
    p = next;
  }
  cursor.at = std::min(block.size, cursor.at + static_cast<size_t>(p - records.data()));
  return row;
}

}  // namespace

std::unique_ptr<Decoder> NewDecoder(const Dialect& dialect, const Schema& schema,
                                    std::span<const int> columns) {
  return std::make_unique<CsvDecoder>(dialect, schema, columns);
}

}  // namespace qn::csv
