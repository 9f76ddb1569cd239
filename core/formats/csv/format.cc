// The format "csv": options checked, splitter and decoder made.
#include "formats/csv/format.h"

#include <cctype>

#include "formats/csv/decoder.h"
#include "formats/csv/splitter.h"
#include "formats/text/options.h"
#include "formats/text/value.h"

namespace qn::csv {
namespace {

constexpr int64_t kSkipLinesMax = 10'000;

// One character that cannot be part of a number or a word, so that it can end a field anywhere.
bool IsMark(const Json& value) {
  const std::string& text = value.Str();
  if (text.size() != 1 || text[0] < ' ') return text == "\t" || text == "\x01" || text == "\x1f";
  return std::isalnum(static_cast<unsigned char>(text[0])) == 0 &&
         text.find_first_of("+-.\x7f") == std::string::npos;
}

Status ReadMark(const Json& options, std::string_view name, bool may_be_none, char* out) {
  if (!options.Has(name)) return Ok();
  if (may_be_none && options[name].IsString() && options[name].Str().empty()) return *out = '\0', Ok();
  if (!IsMark(options[name])) {
    return text::WrongOption(options, "csv", name,
                             "one ASCII character that is no letter, digit, '+', '-' or '.'" +
                                 std::string(may_be_none ? ", or \"\" for none" : ""));
  }
  *out = options[name].Str()[0];
  return Ok();
}

Result<Dialect> ReadDialect(const Json& options) {
  QN_TRY(text::CheckOptionNames(options, "csv",
                                {"header", "delimiter", "quote", "escape", "null", "skip_lines"}));
  Dialect out;
  if (options.Has("header") && !options["header"].IsBool()) {
    return text::WrongOption(options, "csv", "header", "true or false");
  }
  out.has_header = options["header"].Bool(true);
  QN_TRY(ReadMark(options, "delimiter", false, &out.delimiter));
  QN_TRY(ReadMark(options, "quote", true, &out.quote));
  out.escape = out.quote;
  QN_TRY(ReadMark(options, "escape", false, &out.escape));
  if (out.delimiter == out.quote)
    return text::WrongOption(options, "csv", "quote", "another character than the delimiter");
  if (out.delimiter == out.escape) {
    return text::WrongOption(options, "csv", "escape", "another character than the delimiter");
  }
  if (options.Has("null") && !options["null"].IsString())
    return text::WrongOption(options, "csv", "null", "a text");
  out.null_text = options["null"].Str();
  const Json& skip = options["skip_lines"];
  if (options.Has("skip_lines") && (!skip.IsInt() || skip.Int() < 0 || skip.Int() > kSkipLinesMax)) {
    return text::WrongOption(options, "csv", "skip_lines", "a number from 0 to 10000");
  }
  out.skip_lines = static_cast<size_t>(skip.Int());
  return out;
}

class CsvFormat final : public Format {
 public:
  explicit CsvFormat(const Dialect& dialect) : dialect_(dialect), splitter_(dialect) {}
  const RecordSplitter& Splitter() const override { return splitter_; }

  Status Check(const Schema& schema) const override {
    for (const Field& column : schema) {
      if (!text::IsReadable(column.type.id)) return text::RefuseType(column.name, column.type, "CSV");
    }
    return Ok();
  }

  std::unique_ptr<Decoder> NewDecoder(const Schema& schema, std::span<const int> columns) const override {
    QN_CHECK(Check(schema).ok());
    return csv::NewDecoder(dialect_, schema, columns);
  }

 private:
  Dialect dialect_;
  csv::Splitter splitter_;
};

}  // namespace

Result<std::unique_ptr<Format>> NewFormat(const Json& options) {
  QN_GET(const Dialect dialect, ReadDialect(options));
  return std::unique_ptr<Format>(std::make_unique<CsvFormat>(dialect));
}

}  // namespace qn::csv
