// JSON to structs. Python has checked what users can get wrong; this refuses what would be our own mistake.
#include "app/spec.h"

namespace qn::app {
namespace {

SourceSpec ParseSource(const Json& json) {
  SourceSpec source;
  source.name = json["name"].Str();
  source.where = json["where"].Str();
  source.glob = json["glob"].Str();
  source.order = json["order"].StrOr("name");
  source.schema = json["schema"].Str();
  source.event_time = json["event_time"].Str();
  source.watermark = json["watermark"].Str();
  source.idle_timeout = json["idle_timeout"].Str();
  source.format = json["format"];
  source.record_bytes_max = json["record_bytes_max"].Uint();
  return source;
}

Result<Action> ParseAction(const std::string& text) {
  if (text == "keep") return Action::kKeep;
  if (text == "drop") return Action::kDrop;
  if (text == "fail") return Action::kFail;
  if (text == "quarantine") return Action::kQuarantine;
  return Invalid("QN-1190", "The pipeline's description names an unknown action '" + text + "'.");
}

Result<DatasetKind> ParseKind(const std::string& text) {
  if (text == "table" || text == "streaming_table") return DatasetKind::kTable;
  if (text == "materialized_view") return DatasetKind::kMaterializedView;
  if (text == "temporary_view") return DatasetKind::kTemporaryView;
  return Invalid("QN-1190", "The pipeline's description names an unknown kind of dataset '" + text + "'.");
}

FlowSpec ParseFlow(const Json& json) {
  FlowSpec flow;
  flow.name = json["name"].Str();
  flow.where = json["where"].Str();
  flow.sql = json["sql"].Str();
  flow.is_once = json["once"].Bool();
  if (const Json& function = json["function"]; function.IsObject()) {
    flow.function = {static_cast<int>(function["id"].Int(-1)), function["name"].Str(),
                     function["schema"].Str()};
  }
  return flow;
}

Result<DatasetSpec> ParseDataset(const Json& json) {
  DatasetSpec dataset;
  dataset.name = json["name"].Str();
  dataset.where = json["where"].Str();
  dataset.comment = json["comment"].Str();
  dataset.schema = json["schema"].Str();
  QN_GET(dataset.kind, ParseKind(json["kind"].Str()));
  for (const Json& column : json["partition_cols"].Items()) dataset.partition_cols.push_back(column.Str());
  for (const Json& column : json["keys"].Items()) dataset.keys.push_back(column.Str());
  const Json& windows = json["windows"];
  dataset.window = {windows["emit"].Str() == "on_window_close", windows["column"].Str(),
                    windows["size"].Str(), windows["lateness"].Str()};
  for (const auto& [name, value] : json["table_properties"].Members()) {
    dataset.properties.emplace_back(name, value.IsString() ? value.Str() : value.Dump());
  }
  for (const Json& item : json["expectations"].Items()) {
    ExpectationSpec expectation{item["name"].Str(), item["condition"].Str(), item["where"].Str(),
                                Action::kKeep};
    QN_GET(expectation.action, ParseAction(item["action"].Str()));
    dataset.expectations.push_back(std::move(expectation));
  }
  for (const Json& flow : json["flows"].Items()) dataset.flows.push_back(ParseFlow(flow));
  return dataset;
}

}  // namespace

Result<PipelineSpec> ParseSpec(const std::string& text) {
  QN_GET(const Json json, Json::Parse(text));
  PipelineSpec spec;
  spec.name = json["name"].Str();
  spec.storage = json["storage"].Str();
  spec.file = json["file"].Str();
  spec.library = json["library"].Str();
  const Json& options = json["options"];
  spec.memory = options["memory"].Str();
  spec.threads = static_cast<int>(options["threads"].Int());
  spec.step_bytes_max = options["step_bytes_max"].Uint();
  if (spec.name.empty() || spec.storage.empty()) {
    return Invalid("QN-1190", "The pipeline's description lacks its name or its storage.");
  }
  for (const Json& source : json["sources"].Items()) spec.sources.push_back(ParseSource(source));
  for (const Json& item : json["references"].Items()) {
    spec.references.push_back({item["name"].Str(), item["where"].Str(), item["sql"].Str()});
  }
  for (const Json& item : json["datasets"].Items()) {
    QN_GET(DatasetSpec dataset, ParseDataset(item));
    spec.datasets.push_back(std::move(dataset));
  }
  return spec;
}

}  // namespace qn::app
