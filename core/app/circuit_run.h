// A view's circuit at work: DuckDB evaluates its fragments over a step's changes, operators remember.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/pipeline.h"
#include "base/clock.h"
#include "duck/database.h"
#include "ops/delta_scan.h"
#include "ops/delta_sink.h"
#include "ops/operator.h"
#include "ops/window_gate.h"
#include "plan/circuit.h"
#include "trace/budget.h"
#include "trace/store.h"

namespace qn::app {

// A name that no other function of the database has.
std::string UniqueName(const char* word);

class CircuitRun {
 public:
  // Registers scans and sinks with the connection. Everything is borrowed.
  static Result<std::unique_ptr<CircuitRun>> Make(duck::Connection& connection, const Clock& clock,
                                                  const Flow& flow, trace::Budget& budget);
  ~CircuitRun();

  // The changes of a step: the SQL of an input's relation, and whether it has any rows.
  struct Inputs {
    std::function<std::string(const std::string& name)> relation;
    std::function<bool(const std::string& name)> has_rows;
    // For windows that end: how far event time had come before this step; and, asked when what feeds the
    // windows has been read, how far with it.
    int64_t watermark_before_us = ops::kNoTime;
    std::function<int64_t()> watermark_now_us;
  };
  // Whether a step must run although no input changed.
  bool IsDue() const;
  // Runs every operator whose inputs changed. The answer is the SELECT of the output's change, its columns
  // named as `names`, then the weight where the output is weighted; empty: it did not change. QN-3601: what
  // is remembered and the step's rows do not fit into the budget together.
  Result<std::string> Step(const Inputs& inputs, const std::vector<std::string>& names);
  // There are windows that end with the watermark there.
  bool HasToClose(int64_t watermark_us) const;
  // The last step had rows whose windows had closed before.
  bool has_late_rows() const { return has_late_rows_; }
  // The SELECT of those rows: raw, file, line (NULL where the inputs have none), begin of the window as text.
  Result<std::string> LateSql(const Inputs& inputs, const std::vector<std::string>& with_origin) const;
  // After the output's statement ran: what the step's rows held is let go.
  void EndStep();
  // Forgets everything, as if no step had been.
  void Clear();
  // After Clear, when the traces are restored: bounded inputs have been taken.
  void SetStarted() { has_started_ = true; }
  bool has_started() const { return has_started_; }

  // "<prefix>/<operator>.<trace>" → trace.
  void AddTraces(const std::string& prefix, trace::NamedTraces& out) const;

  // For people: {"ops": […]} with rows in, rows out, seconds and bytes of state of each operator.
  Json Stats() const;

 private:
  struct OpRun;
  CircuitRun(duck::Connection& connection, const Clock& clock, const Flow& flow);
  Status MakeOp(size_t index, trace::Budget& budget);
  void MakeWindows(OpRun& run, size_t index, trace::Budget& budget);
  Result<std::unique_ptr<ops::Operator>> MakeOperator(OpRun& run, trace::Budget& budget);
  Status RunOp(OpRun& run, const Inputs& inputs);
  // Several operators read the same input: it is read once for all of them.
  struct Shared;
  void FindShared();
  Status FillShared(Shared& shared, const Inputs& inputs);
  Status Fill(OpRun& run, const Inputs& inputs);
  void DropLate(OpRun& run);
  Status ExpireWindows(int64_t watermark_us);
  Status Told(const OpRun& run, const Status& status) const;
  Status Evaluate(OpRun& run, ops::GatheredRows& rows, KeyedDelta& answer);
  bool HasRows(const std::vector<std::string>& reads, const Inputs& inputs) const;
  plan::Relations RelationsOf(const Inputs& inputs) const;

  duck::Connection& connection_;
  const Clock& clock_;
  const std::string name_;
  const std::string where_;
  const plan::Circuit& circuit_;
  const std::optional<WindowPlan>& window_plan_;
  std::vector<std::unique_ptr<OpRun>> ops_;
  std::vector<std::unique_ptr<Shared>> shared_;
  std::unique_ptr<ops::WindowGate>
      gate_;  // behind the last operator whose windows end; null: they come out with every change
  int64_t watermark_before_us_ = ops::kNoTime;
  int64_t expired_us_ = ops::kNoTime;  // windows that begin so late and before are forgotten
  bool has_late_rows_ = false;
  bool has_started_ = false;
};

}  // namespace qn::app
