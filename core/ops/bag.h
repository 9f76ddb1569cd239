// EXCEPT ALL and INTERSECT ALL: a row is there as often as the counts of both sides say.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "ops/operator.h"
#include "ops/row_index.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/row_trace.h"

namespace qn::ops {

// Inputs: {left, right}, the row as key. Output: row = the key, its weight the change of the count, which is
// left - right (not below 0) or the lesser of both. A side whose weight is below 0 counts as 0.
class Bag final : public Operator {
 public:
  Bag(bool is_except, trace::Budget& budget);

  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;  // failure: QN-3601
  std::vector<trace::Trace*> Traces() override { return {&sides_[0], &sides_[1]}; }

 private:
  int64_t Count(int64_t left, int64_t right) const;

  bool is_except_;
  trace::Budget& budget_;
  std::array<trace::RowTrace, 2> sides_;
  RowIndex keys_;
};

// For a CircuitOp of the kind; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<Operator>> MakeBag(const plan::CircuitOp& plan, trace::Budget& budget);

}  // namespace qn::ops
