// Reads table logs with our own reader, so that there is one.
#include "app/tables.h"

#include <filesystem>

#include "app/columns.h"
#include "connectors/delta/parquet_checkpoint.h"
#include "connectors/delta/snapshot_json.h"
#include "connectors/local/local_files.h"
#include "formats/json/infer.h"

namespace qn::app {

Result<std::string> SnapshotJson(const std::string& library, const std::string& folder, int64_t version) {
  QN_GET(const std::shared_ptr<const duck::Api> api, duck::LoadApi(library));
  QN_GET(const std::unique_ptr<duck::Database> database, duck::Database::Open(api, {"", 1, ""}));
  QN_GET(const std::unique_ptr<duck::Connection> connection, database->Connect());
  LocalFiles files;
  const std::filesystem::path scratch = std::filesystem::temp_directory_path() / "qanat-scratch";
  delta::ParquetCheckpoints checkpoints(*connection, files, scratch.string());
  return delta::SnapshotJson(files, folder, &checkpoints, version);
}

Result<std::string> InferJsonColumns(const std::string& sample) {
  QN_GET(const Schema schema, json::InferJsonSchema(sample));
  return SchemaText(schema);
}

}  // namespace qn::app
