// DuckDB's own parser reads column lists: its types are ours.
#include "app/columns.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>

#include "app/new_format.h"
#include "connectors/files/files_reader.h"
#include "formats/json/infer.h"

namespace qn::app {
namespace {

constexpr const char* kNothing = "Nothing was started.";

Status BadSchema(const std::string& what, const std::string& where, const std::string& text,
                 const Status& why) {
  const duck::SqlError error = duck::SplitSqlError(why.text());
  return Invalid("QN-1106", "DuckDB does not read " + what + " as a list of columns.")
      .With("at " + where + ":  " + text)
      .With("DuckDB says: " + error.message.substr(0, error.message.find('\n')))
      .With("Write it as in CREATE TABLE, for example  id BIGINT NOT NULL, ts TIMESTAMP, price DECIMAL(10,2)")
      .With(kNothing);
}

}  // namespace

Result<Schema> Columns::OfText(const std::string& text, const std::string& where, const std::string& what) {
  const Result<duck::Rows> made = probe_.Query("CREATE OR REPLACE TEMP TABLE qn_probe (" + text + ")");
  if (!made.ok()) return BadSchema(what, where, text, made.status());
  QN_GET(Schema schema, probe_.Describe("SELECT * FROM qn_probe"));
  QN_GET(const duck::Rows strict,
         probe_.Query(
             "SELECT column_name FROM duckdb_columns() WHERE table_name = 'qn_probe' AND NOT is_nullable"));
  for (const auto& row : strict.rows)
    schema[static_cast<size_t>(ColumnIndex(schema, row[0].Str()))].nullable = false;
  return schema;
}

Result<Schema> Columns::OfReference(const ReferenceSpec& spec) {
  Result<Schema> schema = probe_.Describe(spec.sql);
  if (schema.ok()) return schema;
  const duck::SqlError error = duck::SplitSqlError(schema.status().text());
  return Invalid("QN-1109", "The reference '" + spec.name + "' cannot be read.")
      .With("at " + spec.where + ":  " + spec.sql)
      .With("DuckDB says: " + error.type + ": " + error.message.substr(0, error.message.find('\n')))
      .With(kNothing);
}

Result<Schema> Columns::OfFiles(const SourceSpec& spec, const Format* format) {
  QN_GET(const std::vector<FileInfo> found, files_.Glob(spec.glob));
  if (found.empty()) {
    return Invalid("QN-1107", "Source '" + spec.name + "' has no schema, and no file to read one from.")
        .With("at " + spec.where)
        .With("no file matches: " + spec.glob)
        .With("Declare it:  schema=\"id BIGINT, ts TIMESTAMP, …\"")
        .With(kNothing);
  }
  if (format == nullptr)
    return probe_.Describe("SELECT * FROM read_parquet(" + QuoteFile(found[0].path) + ")");
  QN_GET(const std::optional<Block> block, FirstRecords(files_, format->Splitter(), found[0].path));
  if (spec.format["kind"].Str() != "json" || !block.has_value()) {
    return Invalid("QN-1107", "Source '" + spec.name + "' has no schema.")
        .With("at " + spec.where)
        .With("Declare it:  schema=\"id BIGINT, ts TIMESTAMP, …\"")
        .With(kNothing);
  }
  return json::InferJsonSchema(std::string_view(block->data, block->size));
}

Status Columns::SettleEventTime(Source& source) {
  const SourceSpec& spec = source.spec;
  if (spec.event_time.empty()) return Ok();
  source.event_time_column = ColumnIndex(source.columns, spec.event_time);
  if (source.event_time_column < 0) {
    return Invalid("QN-1203",
                   "Column '" + spec.event_time + "' does not exist in source '" + spec.name + "'.")
        .With("at " + spec.where + ", in event_time")
        .With("'" + spec.name + "' has: " + ColumnNames(source.columns))
        .With(kNothing);
  }
  const Type& type = source.columns[static_cast<size_t>(source.event_time_column)].type;
  if (type.id != TypeId::kTimestamp && type.id != TypeId::kTimestampTz) {
    return Invalid("QN-1205", "The event time of source '" + spec.name + "' is not a time.")
        .With("at " + spec.where + ":  " + spec.event_time + " " + type.ToSql())
        .With("It must be a TIMESTAMP or TIMESTAMPTZ.")
        .With(kNothing);
  }
  if (!spec.watermark.empty()) {
    QN_GET(source.watermark_delay_us, ParseDuration(spec.watermark, spec.where));
  }
  if (!spec.idle_timeout.empty()) {
    QN_GET(source.idle_timeout_us, ParseDuration(spec.idle_timeout, spec.where));
  }
  return Ok();
}

Result<Source> Columns::OfSource(const SourceSpec& spec) {
  Source source;
  source.spec = spec;
  if (spec.format["kind"].Str() != "parquet") {
    QN_GET(source.format, NewFormat(spec.format));
  }
  if (spec.schema.empty()) {
    QN_GET(source.columns, OfFiles(spec, source.format.get()));
    source.is_inferred = source.format != nullptr;
  } else {
    QN_GET(source.columns, OfText(spec.schema, spec.where, "the schema of source '" + spec.name + "'"));
  }
  if (source.format != nullptr) {
    const Status fits = source.format->Check(source.columns);
    if (!fits.ok()) return Status(fits).With("at " + spec.where).With(kNothing);
  }
  QN_TRY(SettleEventTime(source));
  return source;
}

std::string SchemaText(const Schema& schema) {
  std::string out;
  for (const Field& field : schema) {
    const bool is_plain =
        !field.name.empty() && std::all_of(field.name.begin(), field.name.end(), [](unsigned char c) {
          return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
        });
    out += (out.empty() ? "" : ", ") + (is_plain ? field.name : QuoteName(field.name)) + " " +
           field.type.ToSql();
    if (!field.nullable) out += " NOT NULL";
  }
  return out;
}

Result<int64_t> ParseDuration(const std::string& text, const std::string& where) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit;
  for (; end != nullptr && *end != '\0'; ++end) {
    if (std::isspace(static_cast<unsigned char>(*end)) == 0) unit += static_cast<char>(std::tolower(*end));
  }
  if (unit.size() > 2 && unit.back() == 's') unit.pop_back();
  static const std::map<std::string, int64_t> kUnits = {{"ms", 1'000},
                                                        {"millisecond", 1'000},
                                                        {"s", 1'000'000},
                                                        {"sec", 1'000'000},
                                                        {"second", 1'000'000},
                                                        {"m", 60'000'000},
                                                        {"min", 60'000'000},
                                                        {"minute", 60'000'000},
                                                        {"h", 3'600'000'000},
                                                        {"hour", 3'600'000'000},
                                                        {"d", 86'400'000'000},
                                                        {"day", 86'400'000'000},
                                                        {"us", 1},
                                                        {"microsecond", 1},
                                                        {"w", 604'800'000'000},
                                                        {"week", 604'800'000'000}};
  const auto found = kUnits.find(unit);
  if (found == kUnits.end() || number < 0) {
    return Invalid("QN-1108", "'" + text + "' is not a length of time.")
        .With("at " + where)
        .With("Write a number and a unit: 500 ms, 30 seconds, 5 minutes, 1 hour, 2 days.")
        .With(kNothing);
  }
  return static_cast<int64_t>(number * static_cast<double>(found->second));
}

}  // namespace qn::app
