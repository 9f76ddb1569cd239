// All datasets of a pipeline, a step at a time: the Work that the coordinator drives.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "app/dataset_run.h"
#include "app/engine.h"
#include "contract/work.h"

namespace qn::app {

inline constexpr uint64_t kStepBytesFirst = uint64_t{8}
                                            << 20;  // small, so that the first rows are there at once
inline constexpr uint64_t kStepBytesMax = uint64_t{256} << 20;  // of input a source and step
inline constexpr uint64_t kStepGrowth = 4;

class StepWork final : public Work {
 public:
  // `sinks` is the driver's map: dead-letter tables appear in it when they are needed.
  static Result<std::unique_ptr<StepWork>> Make(const RunContext& context, const TableContext& tables,
                                                const RunOptions& options, Progress& progress,
                                                std::map<std::string, Sink*>& sinks);

  // Tables whose content goes with the first step, dead letters included.
  std::set<std::string> TablesBegunAgain() const;
  Status Restore(const Json& state) override;
  Result<StepOutcome> Compute(Epoch epoch) override;
  Status Acknowledge(Epoch epoch) override;

  // Rows of the step in hand; from any thread.
  StepSoFar SoFar() const;

  // For people, of the run so far: what each view's operators took in, gave, hold and cost, by dataset.
  Json CircuitStats() const;
  // Table care that no step waits for; from another thread.
  Status Maintain();

 private:
  StepWork(const RunContext& context, const RunOptions& options, Progress& progress,
           std::map<std::string, Sink*>& sinks);
  Status LoadReferences();
  Status ChooseDatasets(const RunOptions& options);
  Status CheckChosen(const std::vector<std::string>& names) const;
  void AddDownstream(std::set<std::string>& names) const;
  Status BeginAgain();
  Status ComputeFlows(DatasetRun& run, Epoch epoch, StepOutcome& outcome);
  Status ComputeView(DatasetRun& run, Epoch epoch, StepOutcome& outcome);
  Result<std::string> ViewFingerprint(DatasetRun& run);
  Result<TableRows> WholeOf(const std::string& dataset);
  void AddChanged(const Json& state);
  // What the circuits remember.
  trace::NamedTraces Traces(bool with_beginning) const;
  Status StageAll(Epoch epoch, StepOutcome& outcome);
  Result<Json> StateNow();
  DatasetRun* Find(const std::string& name);
  bool IsChosen(const DatasetRun& run) const { return chosen_.empty() || chosen_.count(run.name()) != 0; }
  void ReportStep();

  RunContext context_;
  Progress& progress_;
  std::map<std::string, Sink*>& sinks_;
  trace::StateStore state_store_;
  Json traces_;                                    // where the traces of the last computed step are
  Json traces_before_;                             // of the last checkpoint that was acknowledged
  std::vector<std::unique_ptr<DatasetRun>> runs_;  // upstream first; read-through views are not among them
  std::map<std::string, std::string> reference_fingerprints_;
  std::map<std::string, std::string> view_fingerprints_;
  std::set<std::string> chosen_;       // --refresh; empty: all
  std::set<std::string> begin_again_;  // --full-refresh; until a step has done it
  uint64_t step_bytes_ = kStepBytesFirst;
  uint64_t step_bytes_max_ = kStepBytesMax;
};

}  // namespace qn::app
