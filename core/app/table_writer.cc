// SQL text in, RETURN_STATS rows out.
#include "app/table_writer.h"

#include <unistd.h>

#include <cstdlib>

namespace qn::app {
namespace {

constexpr uint64_t kFileBytes = 1'000'000'000;  // a step's file of one table is cut above this

// DuckDB writes the partition columns into the files too: any reader of a single file sees whole rows.
std::string CopyOptions(const TablePlace& place) {
  std::string options = "FORMAT parquet, COMPRESSION zstd, RETURN_STATS, APPEND, FILENAME_PATTERN " +
                        QuoteText(place.filename_pattern);
  if (place.partition_cols.empty()) return options + ", FILE_SIZE_BYTES " + std::to_string(kFileBytes);
  options += ", WRITE_PARTITION_COLUMNS true, PARTITION_BY (";
  for (size_t i = 0; i < place.partition_cols.size(); ++i) {
    options += (i > 0 ? ", " : "") + QuoteName(place.partition_cols[i]);
  }
  return options + ")";
}

ColumnStats ReadStats(const std::string& column, const Json& json) {
  ColumnStats stats;
  stats.column = column;
  stats.has_min_max = json.Has("min") && json.Has("max");
  stats.min = json["min"].Str();
  stats.max = json["max"].Str();
  stats.is_exact = json["min_is_exact"].Str() == "true" && json["max_is_exact"].Str() == "true";
  stats.null_count = std::strtoull(json["null_count"].Str().c_str(), nullptr, 10);
  stats.has_nan = json["has_nan"].Str() == "true";
  return stats;
}

// filename, count, file_size_bytes, footer_size_bytes, column_statistics, partition_keys, extra_info
StagedFile ReadRow(const std::vector<Json>& row) {
  StagedFile file;
  file.path = row[0].Str();
  file.rows = row[1].Uint();
  file.bytes = row[2].Uint();
  for (const auto& [column, stats] : row[4].Members()) file.stats.push_back(ReadStats(column, stats));
  for (const auto& [column, value] : row[5].Members()) {
    if (value.IsNull()) {
      file.partition_nulls.push_back(column);
    } else {
      file.partition.emplace_back(column, value.Str());
    }
  }
  return file;
}

}  // namespace

Epoch EpochOfPart(const std::string& path, const std::string& pattern_of_1) {
  const std::string prefix = pattern_of_1.substr(0, pattern_of_1.rfind("1-{"));
  const size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  if (path.compare(name, prefix.size(), prefix) != 0) return -1;
  char* end = nullptr;
  const long long epoch = std::strtoll(path.c_str() + name + prefix.size(), &end, 10);
  return end != nullptr && *end == '-' ? epoch : -1;
}

Result<std::vector<StagedFile>> WriteTable(duck::Connection& connection, const TablePlace& place,
                                           const std::string& select) {
  std::string columns;
  for (const Field& field : place.columns) {
    columns += (columns.empty() ? "" : ", ") + QuoteName(field.name) + "::" + field.type.ToSql() + " AS " +
               QuoteName(field.name);
  }
  const std::string sql = "COPY (SELECT " + columns + " FROM (" + select + ")) TO " +
                          QuoteText(place.folder) + " (" + CopyOptions(place) + ")";
  QN_GET(const duck::Rows rows, connection.Query(sql));
  std::vector<StagedFile> files;
  for (const std::vector<Json>& row : rows.rows) {
    StagedFile file = ReadRow(row);
    if (file.rows > 0) {
      files.push_back(std::move(file));
    } else {
      ::unlink(file.path.c_str());
    }
  }
  return files;
}

}  // namespace qn::app
