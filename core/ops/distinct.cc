// Only rows whose weight crosses 0 are of interest to anybody else.
#include "ops/distinct.h"

#include "base/check.h"
#include "duck/row_codec.h"

namespace qn::ops {

Distinct::Distinct(bool is_append_only, trace::Budget& budget)
    : is_append_only_(is_append_only), budget_(budget), trace_(budget, false) {}

Status Distinct::Step(std::span<KeyedDelta> inputs, Delta& out) {
  QN_CHECK(inputs.size() == 1);
  const size_t index_bytes = RowIndex::BytesFor(inputs[0].rows.size());
  trace::Charge room(budget_);
  QN_TRY(room.Hold(index_bytes));
  keys_.Reset(inputs[0].rows.size());
  std::vector<uint32_t> numbers;
  keys_.PutKeys(inputs[0].rows, numbers);
  QN_TRY(room.Hold(index_bytes + keys_.size() * (sizeof(KeyedRow) + sizeof(trace::KeyRef))));
  QN_TRY(trace::MakeRoom(out.rows, keys_.size(), room));
  changed_.assign(keys_.size(), {});
  for (size_t i = 0; i < keys_.size(); ++i) {
    changed_[i] = {keys_.key(static_cast<uint32_t>(i)), {}, 0, false};
  }
  for (size_t i = 0; i < numbers.size(); ++i) changed_[numbers[i]].weight += inputs[0].rows[i].weight;
  trace_.Find(changed_, places_);
  size_t kept = 0;
  for (size_t i = 0; i < changed_.size(); ++i) {
    const KeyedRow& row = changed_[i];
    const int64_t old_weight = trace_.Weight(places_[i]);
    if (row.weight == 0 || (is_append_only_ && old_weight > 0)) continue;
    const bool was = old_weight > 0;
    const bool is = old_weight + row.weight > 0;
    if (was != is) out.rows.push_back({row.key, {}, is ? 1 : -1});
    if (is_over_ == nullptr || !is_over_(row.key)) changed_[kept++] = row;
  }
  changed_.resize(kept);
  is_over_ = nullptr;
  QN_TRY(trace_.Add(changed_, nullptr));
  keys_.Clear();
  trace::Release(changed_, kStepBytesKept);
  trace::Release(places_, kStepBytesKept);
  return Ok();
}

Status Distinct::Expire(const IsOver& is_over) { return ops::Expire(trace_, is_over); }

Result<std::unique_ptr<Operator>> MakeDistinct(const plan::CircuitOp& plan, trace::Budget& budget) {
  QN_CHECK(plan.inputs.size() == 1);
  QN_TRY(duck::RowCodec::Check(plan.inputs[0].columns));
  return std::unique_ptr<Operator>(new Distinct(!plan.inputs[0].is_weighted, budget));
}

}  // namespace qn::ops
