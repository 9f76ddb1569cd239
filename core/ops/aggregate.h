// GROUP BY whose states merge: DuckDB aggregates a step's rows to one partial state a key, this adds them to
// what was remembered and answers the groups that changed. Values are merged in their encoded form.
#pragma once

#include <memory>
#include <vector>

#include "data/type.h"
#include "duck/row_codec.h"
#include "ops/operator.h"
#include "ops/state_merge.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/state_trace.h"

namespace qn::ops {

// Input: the groups as key, the states as row; state 0 is the number of rows, BIGINT, below 0 where rows are
// taken back. Weights of the input's rows are not looked at. Output: row = the groups (encoded as key), right
// = the states (encoded as row); -1 for what was, +1 for what is.
//
// A group without rows is no group. Without groups there is one row always; over nothing its count is 0 and
// every other state is NULL.
class Aggregate final : public Operator {
 public:
  Aggregate(std::vector<plan::Merge> merges, std::vector<Type> states, bool has_groups,
            trace::Budget& budget);

  // Failure: QN-3510, a state overflows; QN-3512, bit strings of different length; QN-3601.
  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;
  bool IsDue() const override { return !has_groups_ && trace_.keys() == 0; }
  Status Expire(const IsOver& is_over) override;
  std::vector<trace::Trace*> Traces() override { return {&trace_}; }

 private:
  // One partial state a key; what is made of several is stored in `bytes`.
  Status MergePartials(std::span<const KeyedRow> rows, Arena& bytes, std::vector<KeyedRow>& unique);
  // What one key's partial changes: in `out`, and the state to be stored in `changed`.
  Status Change(const KeyedRow& partial, std::string_view old_state, std::vector<KeyedRow>& changed,
                Delta& out);
  // What of a state is to be seen: itself, the row of nothing, or (data() == nullptr) no row.
  std::string_view Shown(std::string_view state) const;

  trace::Budget& budget_;
  StateMerge merge_;
  bool has_groups_;
  Arena constants_;
  std::string_view no_groups_;  // the key without columns
  std::string_view nothing_;    // the states over nothing
  trace::StateTrace trace_;
};

// For a CircuitOp of the kind; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<Operator>> MakeAggregate(const plan::CircuitOp& plan, trace::Budget& budget);

}  // namespace qn::ops
