// The column types are the protocol's, "Checkpoint Schema"; a reader finds its columns by name.
#include "connectors/delta/parquet_checkpoint.h"

#include <algorithm>

namespace qn::delta {
namespace {

constexpr std::string_view kColumns = R"({
  txn: 'STRUCT("appId" VARCHAR, "version" BIGINT, "lastUpdated" BIGINT)',
  add: 'STRUCT("path" VARCHAR, "partitionValues" MAP(VARCHAR, VARCHAR), "size" BIGINT, "modificationTime" BIGINT, "dataChange" BOOLEAN, "stats" VARCHAR, "tags" MAP(VARCHAR, VARCHAR))',
  remove: 'STRUCT("path" VARCHAR, "deletionTimestamp" BIGINT, "dataChange" BOOLEAN, "extendedFileMetadata" BOOLEAN, "partitionValues" MAP(VARCHAR, VARCHAR), "size" BIGINT)',
  metaData: 'STRUCT("id" VARCHAR, "name" VARCHAR, "description" VARCHAR, "format" STRUCT("provider" VARCHAR, "options" MAP(VARCHAR, VARCHAR)), "schemaString" VARCHAR, "partitionColumns" VARCHAR[], "createdTime" BIGINT, "configuration" MAP(VARCHAR, VARCHAR))',
  protocol: 'STRUCT("minReaderVersion" INTEGER, "minWriterVersion" INTEGER, "readerFeatures" VARCHAR[], "writerFeatures" VARCHAR[])'
})";
constexpr size_t kLineBytesMax = size_t{1} << 30;

Status Unreadable(const Status& status) {
  return Failed("QN-3316", "A log checkpoint cannot be read or written: " + status.text());
}

// Removes the file when it leaves.
class Scratch {
 public:
  Scratch(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { static_cast<void>(files_.Remove(path_).ok()); }
  const std::string& path() const { return path_; }

 private:
  Files& files_;
  std::string path_;
};

}  // namespace

ParquetCheckpoints::ParquetCheckpoints(duck::Connection& connection, Files& scratch,
                                       std::string scratch_folder)
    : connection_(connection), scratch_(scratch), folder_(std::move(scratch_folder)) {}

Result<std::string> ParquetCheckpoints::ScratchFile(std::string_view bytes, std::string_view ending) {
  QN_TRY(scratch_.MakeFolder(folder_));
  std::string path = folder_ + "/" + std::string(kTempPrefix) + "log-" +
                     std::to_string(reinterpret_cast<uintptr_t>(this)) + "-" + std::to_string(counter_++) +
                     std::string(ending);
  QN_TRY(scratch_.Put(path, bytes));
  return path;
}

Status ParquetCheckpoints::Read(Files& files, const std::vector<std::string>& parts,
                                const std::function<Status(const Json&)>& action) {
  for (const std::string& part : parts) {
    QN_GET(const std::string bytes, files.Read(part));
    QN_GET(std::string path, ScratchFile(bytes, ".parquet"));
    const Scratch scratch(scratch_, std::move(path));
    QN_TRY(ReadPart(scratch.path(), action));
  }
  return Ok();
}

Status ParquetCheckpoints::ReadPart(const std::string& path,
                                    const std::function<Status(const Json&)>& action) {
  const std::string from = " FROM read_parquet(" + QuoteFile(path) + ")";
  const Result<Schema> columns = connection_.Describe("SELECT *" + from);
  if (!columns.ok()) return Unreadable(columns.status());
  std::string sql;
  for (const Field& column : *columns) {
    static constexpr std::string_view kKnown[] = {"txn", "add", "remove", "metaData", "protocol"};
    const std::string name = QuoteName(column.name);
    if (column.name == "sidecar" || column.name == "checkpointMetadata") {
      const auto used = connection_.Query("SELECT count(" + name + ")" + from);
      if (!used.ok()) return Unreadable(used.status());
      if (used->rows[0][0].Int() > 0) return Failed("QN-3306", "The table uses checkpoints of version 2.");
    }
    if (std::find(std::begin(kKnown), std::end(kKnown), column.name) == std::end(kKnown)) continue;
    sql += std::string(sql.empty() ? "" : " UNION ALL ") + "SELECT " + QuoteText(column.name) +
           ", CAST(to_json(" + name + ") AS VARCHAR)" + from + " WHERE " + name + " IS NOT NULL";
  }
  if (sql.empty()) return Failed("QN-3316", "A log checkpoint has no actions: " + path);
  const Result<duck::Rows> rows = connection_.Query(sql);
  if (!rows.ok()) return Unreadable(rows.status());
  for (const auto& row : rows->rows) {
    const Result<Json> body = Json::Parse(row[1].Str());
    if (!body.ok()) return Unreadable(body.status());
    Json one;
    one.Set(row[0].Str(), *body);
    QN_TRY(action(one));
  }
  return Ok();
}

Result<std::string> ParquetCheckpoints::Write(const std::string& lines) {
  QN_GET(std::string in_path, ScratchFile(lines, ".json"));
  const Scratch in(scratch_, std::move(in_path));
  const Scratch out(scratch_, in.path() + ".parquet");
  const Result<duck::Rows> copied = connection_.Query(
      "COPY (SELECT * FROM read_json(" + QuoteFile(in.path()) +
      ", format = 'newline_delimited', maximum_object_size = " + std::to_string(kLineBytesMax) +
      ", columns = " + std::string(kColumns) + ")) TO " + QuoteText(out.path()) +
      " (FORMAT parquet, COMPRESSION zstd)");
  if (!copied.ok()) return Unreadable(copied.status());
  const auto wanted = std::count(lines.begin(), lines.end(), '\n');
  if (copied->rows.empty() || copied->rows[0][0].Int(-1) != wanted) {
    return Failed("QN-3316", "A log checkpoint was written with a wrong number of actions and thrown away.");
  }
  return scratch_.Read(out.path());
}

}  // namespace qn::delta
