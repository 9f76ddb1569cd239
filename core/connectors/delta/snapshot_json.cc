// Statistics pass through as the text that they are: parsing and printing would round large numbers.
#include "connectors/delta/snapshot_json.h"

#include "connectors/delta/path.h"
#include "connectors/delta/stats.h"

namespace qn::delta {
namespace {

Json SchemaJson(const Schema& schema) {
  Json columns = Json::Array{};
  for (const Field& field : schema) {
    Json column;
    column.Set("name", field.name);
    column.Set("type", field.type.ToSql());
    column.Set("nullable", field.nullable);
    column.Set("comment", field.comment);
    columns.Push(std::move(column));
  }
  return columns;
}

void AddFileJson(const std::string& folder, const std::string& path, const AddFile& add, std::string& out) {
  const Result<Json> stats = Json::Parse(add.stats.empty() ? "{}" : add.stats);
  Json file;
  file.Set("path", FullPath(folder, path));
  file.Set("rows", RowsOf(add.stats));
  file.Set("bytes", add.size);
  file.Set("partition", PartitionJson(add.partition));
  file.DumpTo(out);
  out.pop_back();
  out += ",\"stats\":" + (stats.ok() && stats->IsObject() && !add.stats.empty() ? add.stats : "{}") + "}";
}

}  // namespace

Result<Json> SnapshotHead(const Snapshot& snapshot, const std::string& table_folder) {
  if (snapshot.version < 0) {
    return Status(Kind::kNotFound, "QN-3318", "There is no Delta table in '" + table_folder + "'.")
        .With("It has no _delta_log with entries. Has the pipeline run, and with this --storage?");
  }
  Json columns = Json::Array{};
  for (const std::string& column : snapshot.metadata.partition_cols) columns.Push(column);
  Json properties = Json::Object{};
  for (const auto& [key, value] : snapshot.metadata.configuration) properties.Set(key, value);
  Json txns = Json::Object{};
  for (const auto& [app_id, txn] : snapshot.txns) txns.Set(app_id, txn.version);
  Json head;
  head.Set("version", snapshot.version);
  head.Set("id", snapshot.metadata.id);
  head.Set("schema", SchemaJson(snapshot.schema));
  head.Set("partition_cols", std::move(columns));
  head.Set("properties", std::move(properties));
  head.Set("txn", std::move(txns));
  return head;
}

Result<std::string> SnapshotJson(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                                 int64_t version) {
  QN_GET(const Snapshot snapshot, LoadSnapshot(files, table_folder, checkpoints, version));
  QN_GET(const Json head, SnapshotHead(snapshot, table_folder));
  std::string out = head.Dump();
  out.pop_back();
  out += ",\"files\":[";
  bool first = true;
  for (const auto& [path, add] : snapshot.files) {
    if (!first) out += ',';
    first = false;
    AddFileJson(table_folder, path, *add, out);
  }
  return out + "]}";
}

}  // namespace qn::delta
