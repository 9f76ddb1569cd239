// The part of a flow that follows changes: a view's circuit, its windows, what its upstreams have changed.
#include <algorithm>

#include "app/flow_input.h"
#include "app/watermark.h"

namespace qn::app {
bool FlowRun::FitsCircuit(const Json& state) const {
  return circuit_ == nullptr || state.IsNull() || state["circuit"]["fingerprint"].Str() == flow_.fingerprint;
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

// An input's rows with their bytes; of one that takes rows back those that come, or those that go.
std::string FlowRun::WithBytes(const std::string& name, bool is_taken_back) const {
  const auto found = std::find_if(inputs_.begin(), inputs_.end(),
                                  [&name](const auto& input) { return input->name == name; });
  if (found == inputs_.end()) return RelationOf(name);
  const Input& input = **found;
  const bool is_weighted = input.upstream != nullptr && input.upstream->is_weighted();
  const std::string weight = std::string("t.") + plan::kWeightColumn;
  const std::string from = " FROM " + RelationOf(name) + " AS t" +
                           (is_weighted ? ", range(" + std::string(is_taken_back ? "-" : "") + weight + ")"
                            : is_taken_back ? " WHERE false"
                                            : "");
  if (input.scan != nullptr) return "(SELECT t.*" + from + ")";
  std::string members;
  const Schema& fields = input.upstream != nullptr ? input.upstream->columns : input.source->columns;
  for (const Field& field : fields) {
    members += (members.empty() ? "" : ", ") + QuoteText(field.name) + ": t." + QuoteName(field.name);
  }
  const std::string bytes = "encode(to_json({" + members + "})::VARCHAR) AS __qn_raw";
  const std::string columns =
      input.source != nullptr ? "t.* REPLACE (" + bytes + ")"
                              : "t.*, " + bytes + ", NULL::UINTEGER AS __qn_file, NULL::BIGINT AS __qn_line";
  return "(SELECT " + columns + from + ")";
}

// Only now is it known that there are some: what fed the windows is read once more, for the late rows alone.
Status FlowRun::TakeLateRows(const CircuitRun::Inputs& inputs) {
  late_sink_->BeginStep(Origins(), Watermark::Text(watermark_before_us_));
  if (!circuit_->has_late_rows()) return Ok();
  std::vector<std::string> with_origin;
  bool is_weighted = false;
  for (const auto& input : inputs_) {
    with_origin.push_back(input->name);
    is_weighted = is_weighted || (input->upstream != nullptr && input->upstream->is_weighted());
  }
  for (const bool is_taken_back : {false, true}) {
    if (is_taken_back && !is_weighted) continue;
    CircuitRun::Inputs with_bytes = inputs;
    with_bytes.relation = [this, is_taken_back](const std::string& name) {
      return WithBytes(name, is_taken_back);
    };
    QN_GET(const std::string rows, circuit_->LateSql(with_bytes, with_origin));
    QN_TRY(context_.connection
               .Query("SELECT count(*) FROM (" + rows + ") WHERE " + late_sink_name_ +
                      "(raw, file, line, begin, " + (is_taken_back ? "true)" : "false)"))
               .status());
  }
  return Ok();
}

LeastTime FlowRun::TimeOfInputs() const {
  LeastTime least;
  for (const auto& input : inputs_) {
    if (input->has_event_time()) least.Add(input->watermark_us(), input->is_idle);
  }
  return least;
}

int64_t FlowRun::WatermarkUs() const {
  const LeastTime least = TimeOfInputs();
  return least.has_any() ? std::max(watermark_us_, least.time_us()) : watermark_us_;
}

bool FlowRun::IsIdle() const {
  const LeastTime least = TimeOfInputs();
  return least.has_any() && !least.moves();
}

int64_t FlowRun::OutputWatermarkUs() const {
  const int64_t time_us = WatermarkUs();
  const int64_t lateness_us = flow_.window.has_value() ? flow_.window->options.lateness_us : 0;
  return time_us < ops::kNoTime + lateness_us ? ops::kNoTime : time_us - lateness_us;
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
