// Whatever has no operator of its own: all rows of the keys that changed are answered anew, by the very SQL
// of the user, and compared with the answer that was kept.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "ops/delta_scan.h"
#include "ops/operator.h"
#include "ops/row_index.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/row_trace.h"

namespace qn::ops {

struct RecomputeOptions {
  std::vector<bool> is_append_only;  // of each input: no deletions ever come
  bool has_keys = true;              // false: every key is the one without columns
  // One append-only input: the answer over all rows is the answer over the last answer and the new rows. The
  // answer's rows have the input's columns then, and no input is remembered.
  bool keeps_answer_only = false;
};

// Runs the operator's SQL over the rows of each input and adds what it answers: key, row, weight (1 where the
// SQL knows no weights). The rows may be read until it returns.
using Evaluate = std::function<Status(GatheredRows& rows, KeyedDelta& answer)>;

// Output: row = the answer's row.
class Recompute final : public Operator {
 public:
  Recompute(const RecomputeOptions& options, Evaluate evaluate, trace::Budget& budget);

  // Failure: QN-3511, more rows were taken back than had come; QN-3601; what `evaluate` fails with.
  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;
  // Without keys, also nothing has an answer. A restored operator asks once more; the answer is the same.
  bool IsDue() const override { return !options_.has_keys && !has_answered_; }
  std::vector<trace::Trace*> Traces() override;

 private:
  Status TakeIn(std::span<KeyedDelta> inputs);
  Status Gather(GatheredRows& rows) const;
  Status Compare(std::span<const KeyedRow> answer, Delta& out, trace::Charge& room);

  RecomputeOptions options_;
  Evaluate evaluate_;
  trace::Budget& budget_;
  bool has_answered_ = false;
  Arena constants_;
  std::string_view no_key_;
  std::vector<std::unique_ptr<trace::RowTrace>> inputs_;  // none: keeps_answer_only
  trace::RowTrace answer_;
  // Of one step:
  RowIndex keys_;
  std::vector<KeyedRow> changed_;
};

// For a CircuitOp of the kind; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<Operator>> MakeRecompute(const plan::CircuitOp& plan, trace::Budget& budget,
                                                Evaluate evaluate);

}  // namespace qn::ops
