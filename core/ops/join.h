// Joins by key: both sides are remembered, a change of one meets what the other has. Conditions beside the
// key, and joins made of several, are the planner's to compose.
#pragma once

#include <memory>
#include <vector>

#include "ops/operator.h"
#include "ops/row_index.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/row_trace.h"

namespace qn::ops {

struct JoinOptions {
  bool emits_pairs = false;            // (left, right)
  bool emits_left_unmatched = false;   // (left, NULL): the key has no row on the right
  bool emits_right_unmatched = false;  // (NULL, right)
  bool emits_left_matched = false;     // (left, NULL): the key has a row on the right
  // No deletions ever come: weights are 1 or more.
  bool is_left_append_only = false;
  bool is_right_append_only = false;
  bool expires = false;  // Expire will be asked
};

// Output: row = the left row or nothing, right = the right row or nothing. A key has rows when its weights
// sum up to more than 0. Rows with has_null_key match nothing and are not remembered. The work of a step
// follows what it changes in the output: deletions are joined before insertions, so rows that a step removes
// on one side never meet those that it brings on the other.
class Join final : public Operator {
 public:
  Join(const JoinOptions& options, trace::Budget& budget);

  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;  // {left, right}; failure: QN-3601
  Status Expire(const IsOver& is_over) override;
  std::vector<trace::Trace*> Traces() override { return {&left_.trace, &right_.trace}; }

  // Rows looked at in traces since the operator was made: what its work is, for tests and for people.
  uint64_t rows_visited() const { return rows_visited_; }

 private:
  struct Side {
    Side(trace::Budget& budget, bool append_only, bool with_rows, bool expires)
        : is_append_only(append_only),
          keeps_rows(with_rows),
          trace(budget, append_only && with_rows && !expires) {}
    void EndStep();

    bool is_append_only;
    bool keeps_rows;  // otherwise only how many rows a key has
    bool is_left = true;
    bool emits_unmatched = false;
    bool emits_matched = false;
    trace::RowTrace trace;
    // Of one step: changed rows by their sign, and keys that got their first row (+1) or lost their last
    // (-1).
    std::vector<KeyedRow> removed;
    std::vector<KeyedRow> added;
    std::vector<KeyedRow> turned;
    RowIndex turned_index;
  };

  static bool WantsMatches(const Side& side) { return side.emits_unmatched || side.emits_matched; }
  static void Emit(const Side& side, std::string_view row, int64_t weight, Delta& out);
  Status Change(std::span<KeyedDelta> inputs, Delta& out);
  Status Prepare(Side& side, std::vector<KeyedRow>& rows, Delta& out);
  Status FindTurned(Side& side);
  // All rows of `side` under keys that turned on the other: as they were before the step, or are after it.
  Status EmitTurned(const Side& side, const Side& other, bool is_before, Delta& out);
  // Changed rows of `side` under keys that stayed with or without rows on the other.
  Status EmitUnturned(const Side& side, const Side& other, std::span<const KeyedRow> rows, Delta& out);
  Status JoinRows(std::span<const KeyedRow> left, std::span<const KeyedRow> right, Delta& out);
  Status EmitPairs(const Side& other, std::span<const KeyedRow> rows, Delta& out);

  trace::Budget& budget_;
  trace::Charge room_;  // of the step in hand
  bool emits_pairs_;
  Side left_;
  Side right_;
  std::vector<trace::KeyRef> places_;
  uint64_t rows_visited_ = 0;
};

// For a CircuitOp of the kind; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<Operator>> MakeJoin(const plan::CircuitOp& plan, bool expires, trace::Budget& budget);

}  // namespace qn::ops
