// A row's count before and after, from its weights on both sides.
#include "ops/bag.h"

#include <algorithm>

#include "base/check.h"
#include "duck/row_codec.h"

namespace qn::ops {

Bag::Bag(bool is_except, trace::Budget& budget)
    : is_except_(is_except),
      budget_(budget),
      sides_{trace::RowTrace(budget, false), trace::RowTrace(budget, false)} {}

int64_t Bag::Count(int64_t left, int64_t right) const {
  left = std::max<int64_t>(left, 0);
  right = std::max<int64_t>(right, 0);
  return is_except_ ? std::max<int64_t>(left - right, 0) : std::min(left, right);
}

Status Bag::Step(std::span<KeyedDelta> inputs, Delta& out) {
  QN_CHECK(inputs.size() == 2);
  const size_t rows = inputs[0].rows.size() + inputs[1].rows.size();
  trace::Charge room(budget_);
  QN_TRY(room.Hold(RowIndex::BytesFor(rows)));
  keys_.Reset(rows);
  std::array<std::vector<uint32_t>, 2> numbers;
  for (size_t side = 0; side < 2; ++side) keys_.PutKeys(inputs[side].rows, numbers[side]);
  QN_TRY(room.Add(keys_.size() * 2 * (sizeof(KeyedRow) + sizeof(trace::KeyRef))));
  QN_TRY(trace::MakeRoom(out.rows, keys_.size(), room));
  std::array<std::vector<KeyedRow>, 2> changed;
  std::array<std::vector<trace::KeyRef>, 2> places;
  for (size_t side = 0; side < 2; ++side) {
    changed[side].resize(keys_.size());
    for (size_t i = 0; i < keys_.size(); ++i) {
      changed[side][i] = {keys_.key(static_cast<uint32_t>(i)), {}, 0, false};
    }
    for (size_t i = 0; i < numbers[side].size(); ++i) {
      changed[side][numbers[side][i]].weight += inputs[side].rows[i].weight;
    }
    sides_[side].Find(changed[side], places[side]);
  }
  for (size_t i = 0; i < keys_.size(); ++i) {
    const int64_t left = sides_[0].Weight(places[0][i]);
    const int64_t right = sides_[1].Weight(places[1][i]);
    const int64_t change =
        Count(left + changed[0][i].weight, right + changed[1][i].weight) - Count(left, right);
    if (change != 0) out.rows.push_back({changed[0][i].key, {}, change});
  }
  for (size_t side = 0; side < 2; ++side) {
    std::erase_if(changed[side], [](const KeyedRow& row) { return row.weight == 0; });
    QN_TRY(sides_[side].Add(changed[side], nullptr));
  }
  keys_.Clear();
  return Ok();
}

Result<std::unique_ptr<Operator>> MakeBag(const plan::CircuitOp& plan, trace::Budget& budget) {
  QN_CHECK(plan.inputs.size() == 2);
  for (const plan::Fragment& input : plan.inputs) QN_TRY(duck::RowCodec::Check(input.columns));
  return std::unique_ptr<Operator>(new Bag(plan.is_except, budget));
}

}  // namespace qn::ops
