// One flow at work: its readers, its scans and rules, and the SELECT of a step.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/circuit_run.h"
#include "app/function_scan.h"
#include "app/interrupts.h"
#include "app/late_sink.h"
#include "app/line_scan.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/table_sink.h"
#include "app/view_sink.h"
#include "app/watermark.h"
#include "base/clock.h"
#include "contract/source.h"

namespace qn::app {

// What every part of a run is handed.
struct RunContext {
  const Pipeline& pipeline;
  Files& files;
  const Clock& clock;
  duck::Database& database;
  duck::Connection& connection;  // the one that runs the steps' statements
  BatchFunctions* functions;
  int threads;
  bool is_continuous;
  std::function<void(const std::string&)> warn;
  const std::atomic<bool>* stop_now = nullptr;  // the step in hand is to be given up
  Interrupts* interrupts = nullptr;
  trace::Budget* budget = nullptr;  // of all that is remembered across steps
};

// Parquet files that make up (a part of) a dataset; no files: no rows.
struct TableRows {
  std::vector<std::string> files;
  uint64_t bytes = 0;
  bool has_old_files = false;  // of earlier steps: they may lack columns that were added since
};

// What a dataset has beyond what its reader has taken: rows in files, and of a view that takes rows back the
// change of this step, a scan with weights.
struct Change {
  TableRows rows;
  std::string scan;  // SQL of the relation in the table's types; empty: rows only
  bool has_scan_rows = false;
  bool is_behind = false;  // steps before this one are in it
  std::string foreign;     // changes when another writer changed the table's files
  int64_t watermark_us = ops::kNoTime;
  bool is_idle = false;  // nothing came for longer than the sources allow: the watermark says nothing

  bool is_empty() const { return rows.files.empty() && !has_scan_rows; }
};

// `SELECT columns FROM these files`, typed also when there are none.
std::string RowsSql(const TableRows& rows, const Schema& columns);

class FlowRun {
 public:
  // Registers the flow's functions with DuckDB; reads nothing yet.
  // `stored` are the table's columns, in the table's types.
  static Result<std::unique_ptr<FlowRun>> Make(const RunContext& context, const Dataset& dataset,
                                               const Flow& flow, const Schema& stored,
                                               DeadLetters& dead_letters);
  ~FlowRun();

  // Where the flow goes on; null: from the beginning.
  Status Restore(const Json& state);
  Result<Json> State() const;

  struct Taken {
    bool has_rows = false;   // there is something to compute
    bool has_moved = false;  // a position changed, rows or not
    bool is_drained = true;  // nothing more now
    uint64_t bytes = 0;
  };
  // Takes the next slice of every input. `change_since` gives what a dataset has beyond an epoch, this step
  // included.
  using ChangeSince = std::function<Result<Change>(const std::string& dataset, Epoch consumed)>;
  Result<Taken> Take(uint64_t bytes_max, Epoch epoch, const ChangeSince& change_since);
  // Everything of every source from the beginning: for views that are recomputed.
  Result<Taken> TakeAll();

  // Where the next statement's rows go.
  void SetWriter(parquet::PartitionedWriter* writer) { sink_->SetWriter(writer); }
  // The statement of the step: applies the rules and writes what stays. Runs the circuit, if there is one;
  // empty: nothing comes out.
  Result<std::string> Statement();
  // Of a view that takes rows back, after its statement: the change, in the table's types. Lives until the
  // next step.
  void MoveChangeTo(Delta& delta) { view_sink_->MoveTo(delta); }
  // For kRecompute: makes the views that the statement needs, then the same. `whole` gives all rows of a
  // dataset.
  Result<std::string> StatementWhole(
      const std::function<Result<TableRows>(const std::string& dataset)>& whole);

  // The true reason when the step's statement failed; ok when DuckDB's own words are all there is.
  Status failure() const;

  // Counts of the step, after its statement ran.
  DatasetCounts Counts() const;
  // Rows of the statement that runs; from any thread.
  void AddSoFar(RowsSoFar& rows, std::map<std::string, int64_t>& sources) const;
  void AddSourceCounts(std::map<std::string, SourceCounts>& counts) const;
  // Largest event time of each source with one, in microseconds, and the reader's bound.
  void AdvanceWatermarks();
  // How far event time has come in all inputs that have one, idle sources left out; it never goes back.
  // kNoTime: nowhere.
  int64_t WatermarkUs() const;
  // The same for who reads what comes out: windows that wait for late rows change so much later.
  int64_t OutputWatermarkUs() const;
  // All inputs that have event time stand still for longer than they may hold windows open.
  bool IsIdle() const;

  CircuitRun* circuit() { return circuit_.get(); }
  // The circuit whose state `state` describes is this one.
  bool FitsCircuit(const Json& state) const;
  // The last step of an upstream that was taken; -1 when it is no input of ours.
  Epoch Consumed(const std::string& upstream) const;

  Status Acknowledge();
  uint64_t BytesWaiting() const;
  bool is_finished() const { return is_finished_; }
  // After all flows of a step: a flow that runs once has run when nothing more came for it. True when that is
  // new.
  bool FinishIfOnce(bool is_drained);
  const Flow& flow() const { return flow_; }

 private:
  struct Input;
  FlowRun(const RunContext& context, const Dataset& dataset, const Flow& flow, const Schema& stored,
          DeadLetters& dead_letters);
  Status MakeInputs();
  Status MakeScan(Input& input);
  Status MakeFunction();
  Status MakeSink();
  Status OpenReader(Input& input, const Json& position);
  LeastTime TimeOfInputs() const;
  Status TakeSource(Input& input, uint64_t bytes_max, Taken& taken);
  Result<int64_t> ParquetTimeMax(const Input& input);
  Result<std::optional<int64_t>> PeekEventTime(const Source& source, const std::string& path);
  std::string RelationOf(const std::string& input) const;
  std::string ParquetRelation(const Input& input) const;
  std::string UpstreamRelation(const Input& input) const;
  std::string IntoSink(const std::string& fragment, bool has_hidden) const;
  Result<std::string> CircuitStatement();
  Status Rewritten(const Input& input) const;
  OriginFiles Origins() const;
  std::string WithBytes(const std::string& input, bool is_taken_back) const;
  Status TakeLateRows(const CircuitRun::Inputs& inputs);
  std::string RawExpression(bool has_hidden) const;
  Result<std::string> Fragment(const plan::Query& query, bool wants_rules);
  bool has_rules() const { return !dataset_.spec.expectations.empty(); }
  bool HasHidden() const;
  bool is_streaming() const { return flow_.query.mode == plan::Mode::kStream || flow_.circuit.has_value(); }
  void BeginStep();
  void ClearCounts();

  RunContext context_;
  const Dataset& dataset_;
  const Flow& flow_;
  const Schema& stored_;
  DeadLetters& dead_letters_;
  std::vector<std::unique_ptr<Input>> inputs_;  // the streams; for recomputed views every source
  std::unique_ptr<duck::Connection> function_connection_;
  std::unique_ptr<FunctionScan> function_;
  std::unique_ptr<Keep> keep_;           // null without rules
  std::unique_ptr<TableSink> sink_;      // of rows that are added
  std::unique_ptr<ViewSink> view_sink_;  // of a change that may take rows back; null without
  std::unique_ptr<CircuitRun> circuit_;
  std::unique_ptr<LateSink> late_sink_;  // of windows that end
  std::string late_sink_name_;
  int64_t watermark_us_ = ops::kNoTime;
  int64_t watermark_before_us_ = ops::kNoTime;  // this step
  std::string sink_name_;
  std::vector<ops::PatternCall> patterns_;
  std::string function_name_;
  bool took_rows_ = false;    // in this step
  bool is_finished_ = false;  // a flow that runs once has run
};

}  // namespace qn::app
