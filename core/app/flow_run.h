// One flow at work: its readers, its scans and rules, and the SELECT of a step.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/function_scan.h"
#include "app/line_scan.h"
#include "app/pipeline.h"
#include "app/progress.h"
#include "app/table_sink.h"
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
};

// Parquet files that make up (a part of) a dataset; no files: no rows.
struct TableRows {
  std::vector<std::string> files;
  uint64_t bytes = 0;
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
  // Takes the next slice of every input. `rows_since` gives what a dataset has beyond an epoch, this step
  // included; `data_epoch` its last epoch with rows.
  using RowsSince = std::function<Result<TableRows>(const std::string& dataset, Epoch consumed)>;
  Result<Taken> Take(uint64_t bytes_max, Epoch epoch, const RowsSince& rows_since);
  // Everything of every source from the beginning: for views that are recomputed.
  Result<Taken> TakeAll();

  // Where the next statement's rows go.
  void SetWriter(parquet::PartitionedWriter* writer) { sink_->SetWriter(writer); }
  // The statement of the step: applies the rules and writes what stays.
  Result<std::string> Statement();
  // For kRecompute: makes the views that the statement needs, then the same. `whole` gives all rows of a
  // dataset.
  Result<std::string> StatementWhole(
      const std::function<Result<TableRows>(const std::string& dataset)>& whole);

  // The true reason when the step's statement failed; ok when DuckDB's own words are all there is.
  Status failure() const;

  // Counts of the step, after its statement ran.
  DatasetCounts Counts() const;
  void AddSourceCounts(std::map<std::string, SourceCounts>& counts) const;
  // Largest event time of each source with one, in microseconds, and the reader's bound.
  void AdvanceWatermarks();

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
  Result<std::optional<int64_t>> PeekEventTime(const Source& source, const std::string& path);
  std::string RelationOf(const std::string& input) const;
  std::string ParquetRelation(const Input& input) const;
  std::string IntoSink(const std::string& fragment, bool has_hidden) const;
  std::string RawExpression(bool has_hidden) const;
  Result<std::string> Fragment(const plan::Query& query, bool wants_rules);
  bool has_rules() const { return !dataset_.spec.expectations.empty(); }
  bool HasHidden() const;
  void BeginStep();

  RunContext context_;
  const Dataset& dataset_;
  const Flow& flow_;
  const Schema& stored_;
  DeadLetters& dead_letters_;
  std::vector<std::unique_ptr<Input>> inputs_;  // the streams; for recomputed views every source
  std::unique_ptr<duck::Connection> function_connection_;
  std::unique_ptr<FunctionScan> function_;
  std::unique_ptr<Keep> keep_;  // null without rules
  std::unique_ptr<TableSink> sink_;
  std::string sink_name_;
  std::vector<ops::PatternCall> patterns_;
  std::string function_name_;
  bool took_rows_ = false;    // in this step
  bool is_finished_ = false;  // a flow that runs once has run
};

}  // namespace qn::app
