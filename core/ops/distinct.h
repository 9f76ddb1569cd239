// DISTINCT, UNION, EXCEPT and INTERSECT without ALL are made of it: a row is there once while its weight is
// above 0.
#pragma once

#include <memory>
#include <vector>

#include "ops/operator.h"
#include "ops/row_index.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/row_trace.h"

namespace qn::ops {

// Input: the row as key. Output: row = the key.
class Distinct final : public Operator {
 public:
  // `is_append_only`: no deletions ever come; then a row that comes again costs nothing in the checkpoint.
  Distinct(bool is_append_only, trace::Budget& budget);

  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;  // failure: QN-3601
  Status Expire(const IsOver& is_over) override;
  void SetLastTime(const IsOver& is_over) override { is_over_ = is_over; }
  std::vector<trace::Trace*> Traces() override { return {&trace_}; }

 private:
  bool is_append_only_;
  IsOver is_over_;
  trace::Budget& budget_;
  trace::RowTrace trace_;
  RowIndex keys_;
  std::vector<KeyedRow> changed_;
  std::vector<trace::KeyRef> places_;
};

// For a CircuitOp of the kind; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<Operator>> MakeDistinct(const plan::CircuitOp& plan, trace::Budget& budget);

}  // namespace qn::ops
