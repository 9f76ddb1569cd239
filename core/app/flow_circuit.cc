// The part of a flow that follows changes: a view's circuit, its windows, what its upstreams have changed.
#include <algorithm>
#include <limits>

#include "app/flow_input.h"
#include "app/watermark.h"

namespace qn::app {

bool FlowRun::FitsCircuit(const Json& state) const {
  return circuit_ == nullptr || state.IsNull() ||
         state["circuit"]["fingerprint"].Str() == flow_.Fingerprint();
}

Epoch FlowRun::Consumed(const std::string& upstream) const {
  for (const auto& input : inputs_) {
    if (input->name == upstream && input->upstream != nullptr) return input->consumed;
  }
  return -1;
}

// With weights where the upstream takes rows back.
std::string FlowRun::UpstreamRelation(const Input& input) const {
  const Schema& columns = input.upstream->columns;
  const std::string rows = RowsSql(input.change.rows, columns);
  if (!input.upstream->is_weighted()) return "(" + rows + ")";
  const std::string weight = plan::kWeightColumn;
  std::string list;
  for (const Field& field : columns) {
    list += QuoteName(field.name) + "::" + field.type.ToSql() + " AS " + QuoteName(field.name) + ", ";
  }
  const std::string change = "SELECT " + list + weight + " FROM " + input.change.scan;
  const std::string before = "SELECT *, 1::BIGINT AS " + weight + " FROM (" + rows + ")";
  if (input.change.scan.empty()) return "(" + before + ")";
  if (input.change.rows.files.empty()) return "(" + change + ")";
  return "(" + before + " UNION ALL " + change + ")";
}

Result<std::string> FlowRun::CircuitStatement() {
  CircuitRun::Inputs inputs;
  inputs.relation = [this](const std::string& name) { return RelationOf(name); };
  inputs.has_rows = [this](const std::string& name) {
    return std::any_of(inputs_.begin(), inputs_.end(), [&name](const auto& input) {
      return input->name == name && (input->slice != nullptr || !input->change.is_empty());
    });
  };
  inputs.watermark_before_us = watermark_before_us_;
  inputs.watermark_now_us = [this] {
    AdvanceWatermarks();
    return WatermarkUs();
  };
  std::vector<std::string> names;
  for (const Field& field : flow_.query.columns) names.push_back(field.name);
  for (size_t i = 0; i < flow_.query.rules.size(); ++i) names.push_back("__qn_rule" + std::to_string(i));
  QN_GET(const std::string output, circuit_->Step(inputs, names));
  if (late_sink_ != nullptr) QN_TRY(TakeLateRows(inputs));
  return output.empty() ? output : IntoSink(output, false);
}

// Only now is it known that there are some: what fed the windows is read once more, for the late rows alone.
Status FlowRun::TakeLateRows(const CircuitRun::Inputs& inputs) {
  late_sink_->BeginStep(Origins(), Watermark::Text(watermark_before_us_));
  if (circuit_->late_rows() == 0) return Ok();
  // A row of a dataset has no bytes of its own: they are made for those that are late.
  CircuitRun::Inputs with_bytes = inputs;
  with_bytes.relation = [this](const std::string& name) {
    const Dataset* upstream = context_.pipeline.FindDataset(name);
    if (upstream == nullptr) return RelationOf(name);
    std::string members;
    for (const Field& field : upstream->columns) {
      members += (members.empty() ? "" : ", ") + QuoteText(field.name) + ": t." + QuoteName(field.name);
    }
    return "(SELECT t.*, encode(to_json({" + members +
           "})::VARCHAR) AS __qn_raw, NULL::UINTEGER AS __qn_file, NULL::BIGINT AS __qn_line FROM " +
           RelationOf(name) + " AS t)";
  };
  std::vector<std::string> with_origin;
  for (const auto& input : inputs_) with_origin.push_back(input->name);
  QN_GET(const std::string rows, circuit_->LateSql(with_bytes, with_origin));
  return context_.connection
      .Query("SELECT count(*) FROM (" + rows + ") WHERE " + late_sink_name_ + "(raw, file, line, begin)")
      .status();
}

int64_t FlowRun::WatermarkUs() const {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const auto& input : inputs_) {
    if (input->upstream != nullptr && input->upstream_us != ops::WindowAggregate::kNoTime) {
      least = std::min(least, input->upstream_us);
    }
    if (input->source != nullptr && input->source->event_time_column >= 0) {
      least = std::min(
          least, input->watermark.has_time() ? input->watermark.time_us() : ops::WindowAggregate::kNoTime);
    }
  }
  return least == std::numeric_limits<int64_t>::max() ? ops::WindowAggregate::kNoTime : least;
}

// Which of its rows are new cannot be told any more: the files that carried the steps' numbers are gone.
Status FlowRun::Rewritten(const Input& input) const {
  return Failed("QN-3507", "Dataset '" + dataset_.spec.name + "' is behind its input '" + input.name +
                               "', which another writer has rewritten meanwhile.")
      .With("It has taken what was there until step " + std::to_string(input.consumed) + ".")
      .With("Which rows came after that cannot be told from files that were compacted or replaced.")
      .With("Compute it anew: --full-refresh " + dataset_.spec.name)
      .With("The step was not committed; everything before it is.");
}

OriginFiles FlowRun::Origins() const {
  OriginFiles origins;
  for (const auto& input : inputs_) {
    if (input->slice == nullptr) continue;
    for (const std::string& path : input->slice->Files()) {
      origins.paths.push_back(path);
      origins.sources.push_back(input->name);
    }
  }
  return origins;
}

}  // namespace qn::app
