// The format "json": one record is one line.
#include "formats/json/format.h"

#include "formats/json/decoder.h"
#include "formats/text/lines.h"
#include "formats/text/options.h"
#include "formats/text/value.h"

namespace qn::json {
namespace {

class LineSplitter final : public RecordSplitter {
 public:
  size_t Whole(const char* data, size_t size, uint64_t* lines) const override {
    const char* last = text::LastLineBreak(data, data + size);
    const size_t whole = last == nullptr ? 0 : static_cast<size_t>(last + 1 - data);
    *lines = text::CountLineBreaks(data, data + whole);
    return whole;
  }
};

Status CheckType(const std::string& column, const Type& type) {
  switch (type.id) {
    case TypeId::kMap:
      if (type.children[0].type.id != TypeId::kVarchar) {
        return Invalid("QN-2020",
                       "Column '" + column + "' of type " + type.ToSql() + " cannot be read from JSON.")
            .With("Keys of a JSON object are text: declare MAP(VARCHAR, " + type.children[1].type.ToSql() +
                  ") and convert it in the dataset's SQL.");
      }
      return CheckType(column + "[]", type.children[1].type);
    case TypeId::kList:
      return CheckType(column + "[]", type.children[0].type);
    case TypeId::kStruct:
      for (const Field& field : type.children) QN_TRY(CheckType(column + "." + field.name, field.type));
      return Ok();
    default:
      return text::IsReadable(type.id) ? Ok() : text::RefuseType(column, type, "JSON");
  }
}

class JsonFormat final : public Format {
 public:
  const RecordSplitter& Splitter() const override { return splitter_; }

  Status Check(const Schema& schema) const override {
    for (const Field& column : schema) QN_TRY(CheckType(column.name, column.type));
    return Ok();
  }

  std::unique_ptr<Decoder> NewDecoder(const Schema& schema, std::span<const int> columns) const override {
    QN_CHECK(Check(schema).ok());
    return json::NewDecoder(schema, columns);
  }

 private:
  LineSplitter splitter_;
};

}  // namespace

Result<std::unique_ptr<Format>> NewFormat(const Json& options) {
  QN_TRY(text::CheckOptionNames(options, "json", {}));
  return std::unique_ptr<Format>(std::make_unique<JsonFormat>());
}

}  // namespace qn::json
