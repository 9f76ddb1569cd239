// One dataset at work: its flows, its table, its dead letters, and what a step made of them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/dead_letters.h"
#include "app/flow_run.h"
#include "app/view_table.h"
#include "connectors/delta/sink.h"

namespace qn::app {

// How the tables of a run are opened.
struct TableContext {
  std::string storage;
  std::string pipeline_id;
  delta::DeltaWorld world;
};

std::string DeadLetterTable(const std::string& dataset);

class DatasetRun {
 public:
  static Result<std::unique_ptr<DatasetRun>> Make(const RunContext& context, const TableContext& tables,
                                                  const Dataset& dataset);

  const Dataset& dataset() const { return dataset_; }
  const std::string& name() const { return dataset_.spec.name; }
  std::vector<std::unique_ptr<FlowRun>>& flows() { return flows_; }

  // The table's sinks by table name; the dead letters' is there only when there are or were some.
  void AddSinks(std::map<std::string, Sink*>& sinks);

  // --- one step, in this order
  void BeginStep(Epoch epoch);
  // Runs a flow's statement; its rows go into the step's files. Failure: retold, with the dataset named.
  Status Write(FlowRun& flow, const std::function<Result<std::string>()>& statement);
  // After the last flow: the files are whole, and what was refused is written beside them.
  Status FinishWriting();
  // The old content goes with this step's commit.
  void ReplaceAll() { replaces_all_ = true; }
  // Receipts of what was written; nothing when nothing was.
  Status Stage(std::map<std::string, Receipt>& receipts, std::map<std::string, Sink*>& sinks);
  // ---

  bool has_changes() const { return replaces_all_ || step_files_ > 0; }
  // The last step that changed the rows, this one included.
  Epoch RowsEpoch() const { return HasNewRows() ? epoch_ : data_epoch; }
  // Rows of the committed table that were written after `consumed`, and this step's.
  TableRows RowsSince(Epoch consumed) const;
  // The same for who follows step by step.
  Change ChangeSince(Epoch consumed);
  // Names the files of other writers; changes when these are others.
  const std::string& ForeignFiles();
  DatasetCounts& counts() { return counts_; }
  // Frees what only the step needed.
  void EndStep();
  Status Maintain();

  // QN-3204 when the table has rows of a pipeline whose state is gone: reading its sources again would double
  // them.
  Status CheckOwner() const;

  // QN-3303 when the table lacks its last step: it was deleted or restored, and nothing is owed to it.
  Status CheckStep() const;

  Epoch data_epoch = 0;  // last step that changed the rows

 private:
  DatasetRun(const RunContext& context, const TableContext& tables, const Dataset& dataset);
  void SetTime(Change& change) const;
  Status OpenTable();
  Status MakeView();
  bool HasNewRows() const { return replaces_all_ || !staged_.files.empty() || !staged_.removes.empty(); }
  Result<std::unique_ptr<parquet::PartitionedWriter>> OpenDeadWriter();
  parquet::WriterOptions WriterOptionsOf(const std::string& folder, const std::string& pattern,
                                         const Schema& columns) const;
  Status OpenDeadTable();
  delta::DeltaOptions OptionsOf(const std::string& table, const Schema& schema) const;
  Status Retell(const Status& status, const FlowRun& flow) const;

  RunContext context_;
  TableContext tables_;
  const Dataset& dataset_;
  DeadLetters dead_letters_{[this] { return OpenDeadWriter(); }};
  std::unique_ptr<parquet::PartitionedWriter> writer_;  // of the step; null until a flow has rows
  std::vector<std::unique_ptr<FlowRun>> flows_;
  std::unique_ptr<delta::DeltaSink> sink_;       // null for temporary views
  std::mutex dead_sink_mutex_;                   // the caretaker looks while a step may open it
  std::unique_ptr<delta::DeltaSink> dead_sink_;  // null until there is a dead letter
  std::string folder_;
  Schema stored_;  // columns in the table's types
  Epoch epoch_ = 0;
  Epoch committed_epoch_ = 0;   // data_epoch before this step
  int64_t known_version_ = -1;  // of the table: what is foreign in it up to here is known
  std::string foreign_files_;
  bool replaces_all_ = false;
  // Of a view that takes rows back: its table, and the change of the step as others follow it.
  std::unique_ptr<ViewTable> view_table_;
  Delta view_change_;
  std::unique_ptr<ops::DeltaScan> view_scan_;
  std::string view_scan_name_;
  StagedDelta staged_;
  StagedDelta dead_staged_;
  TableRows step_rows_;
  size_t step_files_ = 0;
  DatasetCounts counts_;
};

}  // namespace qn::app
