// A checked pipeline as JSON: for dry-run, graph, the docs of a pipeline.
#include "app/pipeline.h"

#include <algorithm>

namespace qn::app {
namespace {

Json ColumnsJson(const Schema& columns) {
  Json json{Json::Array{}};
  for (const Field& field : columns) {
    json.Push(
        Json(Json::Object{{"name", field.name}, {"type", field.type.ToSql()}, {"nullable", field.nullable}}));
  }
  return json;
}

Json TextsJson(const std::vector<std::string>& texts) {
  Json json{Json::Array{}};
  for (const std::string& text : texts) json.Push(text);
  return json;
}

const char* KindName(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::kTable:
      return "table";
    case DatasetKind::kMaterializedView:
      return "materialized_view";
    case DatasetKind::kTemporaryView:
      return "temporary_view";
  }
  return "table";
}

const char* ActionName(Action action) {
  switch (action) {
    case Action::kKeep:
      return "keep";
    case Action::kDrop:
      return "drop";
    case Action::kFail:
      return "fail";
    case Action::kQuarantine:
      return "quarantine";
  }
  return "keep";
}

Json FlowJson(const Flow& flow) {
  const bool is_stream = flow.query.mode == plan::Mode::kStream;
  std::string fragment;
  if (is_stream) {
    const Result<std::string> written = plan::WriteFragment(flow.query, {});
    if (written.ok()) fragment = *written;
  }
  const char* mode = is_stream ? "stream" : flow.circuit.has_value() ? "incremental" : "recompute";
  return Json(Json::Object{{"name", flow.spec.name},
                           {"sql", flow.spec.sql},
                           {"fragment", fragment},
                           {"reads", TextsJson(flow.query.reads)},
                           {"mode", mode},
                           {"circuit", flow.circuit.has_value() ? flow.circuit->ToJson() : Json()},
                           {"fingerprint", flow.fingerprint},
                           {"why_recomputed", flow.why_recomputed}});
}

Json DatasetJson(const Dataset& dataset) {
  Json flows{Json::Array{}};
  std::vector<std::string> reads;
  for (const Flow& flow : dataset.flows) {
    flows.Push(FlowJson(flow));
    for (const std::string& name : flow.query.reads) {
      if (std::find(reads.begin(), reads.end(), name) == reads.end()) reads.push_back(name);
    }
  }
  Json expectations{Json::Array{}};
  for (const ExpectationSpec& rule : dataset.spec.expectations) {
    expectations.Push(Json(Json::Object{{"name", rule.name},
                                        {"condition", rule.condition},
                                        {"action", ActionName(rule.action)},
                                        {"where", rule.where}}));
  }
  return Json(Json::Object{{"name", dataset.spec.name},
                           {"kind", KindName(dataset.spec.kind)},
                           {"comment", dataset.spec.comment},
                           {"where", dataset.spec.where},
                           {"columns", ColumnsJson(dataset.columns)},
                           {"reads", TextsJson(reads)},
                           {"partition_cols", TextsJson(dataset.spec.partition_cols)},
                           {"expectations", std::move(expectations)},
                           {"flows", std::move(flows)}});
}

}  // namespace

Json Pipeline::Describe() const {
  Json source_list{Json::Array{}};
  for (const Source& source : sources) {
    source_list.Push(Json(Json::Object{{"name", source.spec.name},
                                       {"where", source.spec.where},
                                       {"glob", source.spec.glob},
                                       {"format", source.spec.format},
                                       {"event_time", source.spec.event_time},
                                       {"columns", ColumnsJson(source.columns)}}));
  }
  Json reference_list{Json::Array{}};
  for (const Reference& reference : references) {
    reference_list.Push(Json(Json::Object{{"name", reference.spec.name},
                                          {"where", reference.spec.where},
                                          {"sql", reference.spec.sql},
                                          {"columns", ColumnsJson(reference.columns)}}));
  }
  Json dataset_list{Json::Array{}};
  Json order{Json::Array{}};
  for (const Dataset& dataset : datasets) {
    dataset_list.Push(DatasetJson(dataset));
    order.Push(dataset.spec.name);
  }
  return Json(Json::Object{{"name", spec.name},
                           {"storage", spec.storage},
                           {"warnings", TextsJson(warnings)},
                           {"sources", std::move(source_list)},
                           {"references", std::move(reference_list)},
                           {"datasets", std::move(dataset_list)},
                           {"order", std::move(order)}});
}

}  // namespace qn::app
