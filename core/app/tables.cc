// Reads table logs with our own reader, so that there is one.
#include "app/tables.h"

#include <filesystem>

#include "app/columns.h"
#include "connectors/delta/changes_json.h"
#include "connectors/delta/parquet_checkpoint.h"
#include "connectors/delta/snapshot_json.h"
#include "connectors/local/local_files.h"
#include "formats/json/infer.h"

namespace qn::app {

namespace {

// What reading a log needs: DuckDB for its checkpoints.
struct Reading {
  static Result<Reading> Open(const std::string& library) {
    Reading reading;
    QN_GET(const std::shared_ptr<const duck::Api> api, duck::LoadApi(library));
    QN_GET(reading.database, duck::Database::Open(api, {"", 1, ""}));
    QN_GET(reading.connection, reading.database->Connect());
    const std::filesystem::path scratch = std::filesystem::temp_directory_path() / "qanat-scratch";
    reading.files = std::make_unique<LocalFiles>();
    reading.checkpoints =
        std::make_unique<delta::ParquetCheckpoints>(*reading.connection, *reading.files, scratch.string());
    return reading;
  }

  std::unique_ptr<duck::Database> database;
  std::unique_ptr<duck::Connection> connection;
  std::unique_ptr<LocalFiles> files;
  std::unique_ptr<delta::ParquetCheckpoints> checkpoints;
};

}  // namespace

Result<std::string> SnapshotJson(const std::string& library, const std::string& folder, int64_t version) {
  QN_GET(const Reading reading, Reading::Open(library));
  return delta::SnapshotJson(*reading.files, folder, reading.checkpoints.get(), version);
}

Result<std::string> ChangesJson(const std::string& library, const std::string& folder, int64_t first,
                                int64_t last) {
  QN_GET(const Reading reading, Reading::Open(library));
  return delta::ChangesJson(*reading.files, folder, reading.checkpoints.get(), first, last);
}

Result<std::string> InferJsonColumns(const std::string& sample) {
  QN_GET(const Schema schema, json::InferJsonSchema(sample));
  return SchemaText(schema);
}

}  // namespace qn::app
