// Reading is strict about what a wrong value would make us do wrong, and lenient about the rest.
#include "connectors/delta/actions.h"

namespace qn::delta {
namespace {

Json MapJson(const TextMap& map) {
  Json json = Json::Object{};
  for (const auto& [key, value] : map) json.Set(key, value);
  return json;
}

Json ListJson(const std::vector<std::string>& items) {
  Json json = Json::Array{};
  for (const std::string& item : items) json.Push(item);
  return json;
}

TextMap MapFrom(const Json& json) {
  TextMap map;
  for (const auto& [key, value] : json.Members()) map.emplace_back(key, value.Str());
  return map;
}

std::vector<std::string> ListFrom(const Json& json) {
  std::vector<std::string> list;
  for (const Json& item : json.Items()) list.push_back(item.Str());
  return list;
}

// The protocol: "an empty string for any type translates to a null partition value".
PartitionValues PartitionFrom(const Json& json) {
  PartitionValues values;
  for (const auto& [column, value] : json.Members()) {
    if (value.IsString() && !value.Str().empty()) {
      values.emplace_back(column, value.Str());
    } else {
      values.emplace_back(column, std::nullopt);
    }
  }
  return values;
}

Json Action(std::string_view kind, Json body) {
  Json json;
  json.Set(kind, std::move(body));
  return json;
}

Status Malformed(std::string what) { return Failed("QN-3305", std::move(what)); }

Status RefuseDeletionVector(const Json& file) {
  if (file["deletionVector"].IsNull()) return Ok();
  return Failed("QN-3317", "The table has deletion vectors, which this Qanat cannot read yet.")
      .With("File: " + file["path"].Str())
      .With(
          "Rewrite the table without them (Spark: REORG TABLE … APPLY (PURGE), then "
          "delta.enableDeletionVectors=false).");
}

Status AddProtocol(const Json& body, Entry& entry) {
  if (!body["minReaderVersion"].IsInt() || !body["minWriterVersion"].IsInt()) {
    return Malformed("a protocol action without versions");
  }
  Protocol protocol;
  protocol.reader = static_cast<int>(body["minReaderVersion"].Int());
  protocol.writer = static_cast<int>(body["minWriterVersion"].Int());
  protocol.reader_features = ListFrom(body["readerFeatures"]);
  protocol.writer_features = ListFrom(body["writerFeatures"]);
  entry.protocol = std::move(protocol);
  return Ok();
}

Status AddMetadata(const Json& body, Entry& entry) {
  if (!body["schemaString"].IsString()) return Malformed("a metaData action without a schema");
  if (const std::string provider = body["format"]["provider"].StrOr("parquet"); provider != "parquet") {
    return Malformed("a table of '" + provider + "' files, which is not Parquet");
  }
  Metadata metadata;
  metadata.id = body["id"].Str();
  metadata.name = body["name"].Str();
  metadata.description = body["description"].Str();
  metadata.schema_string = body["schemaString"].Str();
  metadata.partition_cols = ListFrom(body["partitionColumns"]);
  metadata.configuration = MapFrom(body["configuration"]);
  metadata.created_ms = body["createdTime"].Int();
  entry.metadata = std::move(metadata);
  return Ok();
}

Status AddAdd(const Json& body, Entry& entry) {
  if (body["path"].Str().empty() || !body["size"].IsInt())
    return Malformed("an add action without path or size");
  QN_TRY(RefuseDeletionVector(body));
  AddFile add;
  add.path = body["path"].Str();
  add.partition = PartitionFrom(body["partitionValues"]);
  add.size = body["size"].Uint();
  add.modified_ms = body["modificationTime"].Int();
  add.data_change = body["dataChange"].Bool(true);
  add.stats = body["stats"].Str();
  add.tags = MapFrom(body["tags"]);
  entry.adds.push_back(std::move(add));
  return Ok();
}

Status AddRemove(const Json& body, Entry& entry) {
  if (body["path"].Str().empty()) return Malformed("a remove action without a path");
  RemoveFile remove;
  remove.path = body["path"].Str();
  remove.deleted_ms = body["deletionTimestamp"].Int();
  remove.data_change = body["dataChange"].Bool(true);
  remove.extended = body["extendedFileMetadata"].Bool();
  remove.partition = PartitionFrom(body["partitionValues"]);
  remove.size = body["size"].Uint();
  entry.removes.push_back(std::move(remove));
  return Ok();
}

Status AddCdc(const Json& body, Entry& entry) {
  if (body["path"].Str().empty()) return Malformed("a cdc action without a path");
  entry.cdcs.push_back({body["path"].Str(), PartitionFrom(body["partitionValues"]), body["size"].Uint(),
                        MapFrom(body["tags"])});
  return Ok();
}

Status AddTxn(const Json& body, Entry& entry) {
  if (!body["appId"].IsString() || !body["version"].IsInt())
    return Malformed("a txn action without appId or version");
  entry.txns.push_back({body["appId"].Str(), body["version"].Int(), body["lastUpdated"].Int()});
  return Ok();
}

}  // namespace

Json PartitionJson(const PartitionValues& values) {
  Json json = Json::Object{};
  for (const auto& [column, value] : values) json.Set(column, value.has_value() ? Json(*value) : Json());
  return json;
}

Json ToAction(const Protocol& protocol) {
  Json json;
  json.Set("minReaderVersion", protocol.reader);
  json.Set("minWriterVersion", protocol.writer);
  if (protocol.reader >= 3) json.Set("readerFeatures", ListJson(protocol.reader_features));
  if (protocol.writer >= 7) json.Set("writerFeatures", ListJson(protocol.writer_features));
  return Action("protocol", std::move(json));
}

Json ToAction(const Metadata& metadata) {
  Json format;
  format.Set("provider", "parquet");
  format.Set("options", Json::Object{});
  Json json;
  json.Set("id", metadata.id);
  if (!metadata.name.empty()) json.Set("name", metadata.name);
  if (!metadata.description.empty()) json.Set("description", metadata.description);
  json.Set("format", std::move(format));
  json.Set("schemaString", metadata.schema_string);
  json.Set("partitionColumns", ListJson(metadata.partition_cols));
  json.Set("configuration", MapJson(metadata.configuration));
  json.Set("createdTime", metadata.created_ms);
  return Action("metaData", std::move(json));
}

Json ToAction(const AddFile& add) {
  Json json;
  json.Set("path", add.path);
  json.Set("partitionValues", PartitionJson(add.partition));
  json.Set("size", add.size);
  json.Set("modificationTime", add.modified_ms);
  json.Set("dataChange", add.data_change);
  if (!add.stats.empty()) json.Set("stats", add.stats);
  if (!add.tags.empty()) json.Set("tags", MapJson(add.tags));
  return Action("add", std::move(json));
}

Json ToAction(const RemoveFile& remove) {
  Json json;
  json.Set("path", remove.path);
  json.Set("deletionTimestamp", remove.deleted_ms);
  json.Set("dataChange", remove.data_change);
  if (remove.extended) {
    json.Set("extendedFileMetadata", true);
    json.Set("partitionValues", PartitionJson(remove.partition));
    json.Set("size", remove.size);
  }
  return Action("remove", std::move(json));
}

Json ToAction(const CdcFile& cdc) {
  Json json;
  json.Set("path", cdc.path);
  json.Set("partitionValues", PartitionJson(cdc.partition));
  json.Set("size", cdc.size);
  json.Set("dataChange", false);
  if (!cdc.tags.empty()) json.Set("tags", MapJson(cdc.tags));
  return Action("cdc", std::move(json));
}

Json ToAction(const Txn& txn) {
  Json json;
  json.Set("appId", txn.app_id);
  json.Set("version", txn.version);
  if (txn.updated_ms != 0) json.Set("lastUpdated", txn.updated_ms);
  return Action("txn", std::move(json));
}

Status AddAction(const Json& action, Entry& entry) {
  if (!action.IsObject()) return Malformed("something that is not an action");
  for (const auto& [kind, body] : action.Members()) {
    if (body.IsNull()) continue;
    if (kind == "protocol") QN_TRY(AddProtocol(body, entry));
    if (kind == "metaData") QN_TRY(AddMetadata(body, entry));
    if (kind == "add") QN_TRY(AddAdd(body, entry));
    if (kind == "remove") QN_TRY(AddRemove(body, entry));
    if (kind == "cdc") QN_TRY(AddCdc(body, entry));
    if (kind == "txn") QN_TRY(AddTxn(body, entry));
    if (kind == "commitInfo") entry.commit_info = body;
  }
  return Ok();
}

Result<Entry> ParseEntry(int64_t version, std::string_view text) {
  Entry entry;
  const auto refuse = [&](size_t line, const std::string& found) {
    return Malformed("Entry " + std::to_string(version) + " of the table's log is damaged.")
        .With("Line " + std::to_string(line) + ": " + found)
        .With(
            "Its writer may not have synced it before a power cut. Restore that file, or the table, from a "
            "copy.");
  };
  if (text.find_first_not_of(" \n\r\t") == std::string_view::npos) return refuse(1, "the file is empty");
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    const Result<Json> action = Json::Parse(one);
    if (!action.ok()) return refuse(line, "not JSON: " + std::string(one.substr(0, 80)));
    const Status added = AddAction(*action, entry);
    if (added.code() == "QN-3305") return refuse(line, added.text());
    QN_TRY(added);
  }
  return entry;
}

std::string ConfigurationOr(const TextMap& configuration, std::string_view key, std::string_view fallback) {
  for (const auto& [name, value] : configuration) {
    if (name == key) return value;
  }
  return std::string(fallback);
}

}  // namespace qn::delta
