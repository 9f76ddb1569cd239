// Changed keys → their rows → DuckDB → what differs from the answer that was kept.
#include "ops/recompute.h"

#include <utility>

#include "base/check.h"
#include "duck/row_codec.h"

namespace qn::ops {

Recompute::Recompute(const RecomputeOptions& options, Evaluate evaluate, trace::Budget& budget)
    : options_(options), evaluate_(std::move(evaluate)), budget_(budget), answer_(budget, false) {
  no_key_ = duck::RowCodec({}, duck::Encoding::kKey).Encode({}, 0, constants_, nullptr);
  QN_CHECK(!options_.keeps_answer_only ||
           (options_.is_append_only.size() == 1 && options_.is_append_only[0]));
  if (options_.keeps_answer_only) return;
  for (const bool is_append_only : options_.is_append_only) {
    inputs_.push_back(std::make_unique<trace::RowTrace>(budget, is_append_only));
  }
}

std::vector<trace::Trace*> Recompute::Traces() {
  std::vector<trace::Trace*> traces;
  for (const auto& input : inputs_) traces.push_back(input.get());
  traces.push_back(&answer_);
  return traces;
}

Status Recompute::Step(std::span<KeyedDelta> inputs, Delta& out) {
  QN_CHECK(inputs.size() == options_.is_append_only.size());
  trace::Charge room(budget_);
  size_t came = 0;
  for (const KeyedDelta& input : inputs) came += input.rows.size();
  QN_TRY(room.Hold(RowIndex::BytesFor(came) + came * sizeof(KeyedRow)));
  QN_TRY(TakeIn(inputs));
  if (changed_.empty()) return Ok();
  GatheredRows rows;
  QN_TRY(Gather(rows));
  bool has_rows = false;
  if (options_.keeps_answer_only) rows[0].added = std::move(inputs[0].rows);
  for (const GatheredInput& input : rows) has_rows |= !input.keys.empty() || !input.added.empty();
  KeyedDelta answer;
  if (has_rows || !options_.has_keys) QN_TRY(evaluate_(rows, answer));
  has_answered_ = true;
  QN_TRY(room.Add(answer.held()));
  QN_TRY(Compare(answer.rows, out, room));
  keys_.Clear();
  trace::Release(changed_, kStepBytesKept);
  return Ok();
}

Status Recompute::TakeIn(std::span<KeyedDelta> inputs) {
  size_t count = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!options_.is_append_only[i]) QN_TRY(Consolidate(inputs[i].rows, budget_));
    count += inputs[i].rows.size();
  }
  keys_.Reset(options_.has_keys ? count : 1);
  std::vector<uint32_t> numbers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    keys_.PutKeys(inputs[i].rows, numbers);
    if (!options_.keeps_answer_only) QN_TRY(inputs_[i]->Add(inputs[i].rows, nullptr));
  }
  if (IsDue()) keys_.Put(no_key_);
  changed_.clear();
  for (uint32_t i = 0; i < keys_.size(); ++i) changed_.push_back({keys_.key(i), {}, 1, false});
  return Ok();
}

Status Recompute::Gather(GatheredRows& rows) const {
  const size_t count = options_.is_append_only.size();
  rows.resize(count);
  for (size_t i = 0; i < count; ++i) {
    rows[i].trace = options_.keeps_answer_only ? &answer_ : inputs_[i].get();
    rows[i].trace->Find(changed_, rows[i].keys);
    std::erase(rows[i].keys, trace::kNoKey);
    if (options_.is_append_only[i]) continue;
    size_t missing = 0;
    for (const trace::KeyRef key : rows[i].keys) {
      rows[i].trace->ForEach(key, [&](std::string_view, int64_t weight) { missing += weight < 0 ? 1 : 0; });
    }
    if (missing == 0) continue;
    return Failed("QN-3511", std::to_string(missing) +
                                 (missing == 1 ? " row was taken back more often than it had come."
                                               : " rows were taken back more often than they had come."))
        .With("Found in " + std::to_string(changed_.size()) +
              (changed_.size() == 1 ? " changed key" : " changed keys") + " of input " +
              std::to_string(i + 1) + ", whose rows are answered anew.")
        .With("The step was not committed; everything before it is.")
        .With("Look for a source that deletes rows which it never sent; if there is none, report this.");
  }
  return Ok();
}

Status Recompute::Compare(std::span<const KeyedRow> answer, Delta& out, trace::Charge& room) {
  std::vector<KeyedRow> change;
  std::vector<trace::KeyRef> places;
  answer_.Find(changed_, places);
  for (size_t i = 0; i < changed_.size(); ++i) {
    if (places[i] == trace::kNoKey) continue;
    QN_TRY(trace::MakeRoom(change, answer_.Rows(places[i]), room));
    answer_.ForEach(places[i], [&](std::string_view row, int64_t weight) {
      change.push_back({changed_[i].key, row, -weight, false});
    });
  }
  QN_TRY(trace::MakeRoom(change, answer.size(), room));
  for (const KeyedRow& row : answer) {
    QN_CHECK(keys_.Find(row.key) != RowIndex::kNone);  // an answer to a question that was not asked
    change.push_back(row);
  }
  QN_TRY(Consolidate(change, budget_));
  QN_TRY(trace::MakeRoom(out.rows, change.size(), room));
  for (const KeyedRow& row : change) {
    // What goes is the trace's, and stays until the step's end; what comes dies with the answer.
    out.rows.push_back({row.weight > 0 ? out.bytes.Store(row.row) : row.row, {}, row.weight});
  }
  return answer_.Add(change, nullptr);
}

Result<std::unique_ptr<Operator>> MakeRecompute(const plan::CircuitOp& plan, trace::Budget& budget,
                                                Evaluate evaluate) {
  QN_TRY(duck::RowCodec::Check(plan.columns));
  RecomputeOptions options;
  options.has_keys = plan.key_count > 0;
  options.keeps_answer_only = plan.keeps_answer_only;
  for (const plan::Fragment& input : plan.inputs) {
    QN_TRY(duck::RowCodec::Check(input.columns));
    options.is_append_only.push_back(!input.is_weighted);
  }
  return std::unique_ptr<Operator>(new Recompute(options, std::move(evaluate), budget));
}

}  // namespace qn::ops
