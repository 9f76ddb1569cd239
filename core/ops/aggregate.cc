// The step's partial states, one a key; then each key's state before and after.
#include "ops/aggregate.h"

#include <utility>

#include "base/check.h"
#include "ops/row_index.h"

namespace qn::ops {
namespace {

constexpr size_t kRowsUncounted = 1024;  // states are made between two looks at their memory

std::vector<Type> StateTypes(const plan::CircuitOp& plan) {
  return TypesOf(plan.inputs[0].columns, plan.inputs[0].key_count);
}

}  // namespace

Aggregate::Aggregate(std::vector<plan::Merge> merges, std::vector<Type> states, bool has_groups,
                     trace::Budget& budget)
    : budget_(budget), merge_(std::move(merges), std::move(states)), has_groups_(has_groups), trace_(budget) {
  no_groups_ = duck::RowCodec({}, duck::Encoding::kKey).Encode({}, 0, constants_, nullptr);
  nothing_ = merge_.Nothing(constants_);
}

Status Aggregate::Step(std::span<KeyedDelta> inputs, Delta& out) {
  QN_CHECK(inputs.size() == 1);
  std::vector<KeyedRow> unique;
  QN_TRY(MergePartials(inputs[0].rows, out.bytes, unique));
  if (IsDue() && unique.empty()) unique.push_back({no_groups_, nothing_, 1, false});
  trace::Charge room(budget_);
  QN_TRY(room.Hold(unique.size() * (2 * sizeof(KeyedRow) + sizeof(std::string_view) + 2 * sizeof(DeltaRow))));
  const uint64_t lists = room.bytes();
  std::vector<std::string_view> states;
  trace_.Find(unique, states);
  std::vector<KeyedRow> changed;
  changed.reserve(unique.size());
  out.rows.reserve(unique.size() * 2);
  for (size_t i = 0; i < unique.size(); ++i) {
    if (i % kRowsUncounted == 0) QN_TRY(room.Hold(lists + out.bytes.bytes()));
    QN_TRY(Change(unique[i], states[i], changed, out));
  }
  return trace_.Put(changed);
}

Status Aggregate::MergePartials(std::span<const KeyedRow> rows, Arena& bytes, std::vector<KeyedRow>& unique) {
  trace::Charge room(budget_);
  const size_t lists = RowIndex::BytesFor(rows.size()) + rows.size() * sizeof(KeyedRow);
  QN_TRY(room.Hold(lists));
  RowIndex keys;
  keys.Reset(rows.size());
  std::vector<uint32_t> numbers;
  keys.PutKeys(rows, numbers);
  unique.reserve(keys.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % kRowsUncounted == 0) QN_TRY(room.Hold(lists + bytes.bytes()));
    if (numbers[i] == unique.size()) {
      unique.push_back(rows[i]);
    } else {
      KeyedRow& first = unique[numbers[i]];
      QN_TRY(merge_.Combine(first.row, rows[i].row, bytes, &first.row));
    }
  }
  return Ok();
}

Status Aggregate::Change(const KeyedRow& partial, std::string_view old_state, std::vector<KeyedRow>& changed,
                         Delta& out) {
  std::string_view state = partial.row;
  if (old_state.data() != nullptr) {
    QN_TRY(merge_.Combine(old_state, partial.row, out.bytes, &state));
    if (state == old_state) return Ok();
  }
  // Rows may be taken back before they come; until then such a group is kept, but not shown.
  const bool is_over_nothing = merge_.Count(state) == 0 && merge_.IsEmpty(state);
  if (is_over_nothing) state = has_groups_ ? std::string_view() : nothing_;
  const std::string_view was = Shown(old_state);
  const std::string_view is = Shown(state);
  if (state.data() == nullptr) {
    if (old_state.data() != nullptr) trace_.Remove(partial.key);
  } else {
    changed.push_back({partial.key, state, 1, false});
  }
  if (was.data() != nullptr && is.data() != nullptr && was == is) return Ok();
  if (was.data() != nullptr) out.rows.push_back({partial.key, was, -1});
  if (is.data() != nullptr) out.rows.push_back({partial.key, is, 1});
  return Ok();
}

Status Aggregate::Expire(const IsOver& is_over) { return ops::Expire(trace_, is_over); }

std::string_view Aggregate::Shown(std::string_view state) const {
  if (state.data() == nullptr || merge_.Count(state) > 0) return state;
  return has_groups_ ? std::string_view() : nothing_;
}

Result<std::unique_ptr<Operator>> MakeAggregate(const plan::CircuitOp& plan, trace::Budget& budget) {
  QN_CHECK(plan.inputs.size() == 1);
  QN_TRY(duck::RowCodec::Check(plan.inputs[0].columns));
  return std::unique_ptr<Operator>(new Aggregate(plan.merges, StateTypes(plan), plan.has_groups, budget));
}

}  // namespace qn::ops
