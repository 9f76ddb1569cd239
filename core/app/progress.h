// What a run tells while it works. Written by the step's thread, read by anyone at any time.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "contract/sink.h"
#include "data/json.h"

namespace qn::app {

struct DatasetCounts {
  int64_t rows_in = 0;   // that reached the rules, plus those that could not be decoded
  int64_t rows_out = 0;  // committed
  // rows_in = rows_out + rows_dead + rows_dropped; of a view's change only rows that are added count. A row
  // that breaks two rules is one row here and counts for both below.
  int64_t rows_dead = 0;
  int64_t rows_dropped = 0;
  int64_t steps = 0;
  int64_t files = 0;
  uint64_t bytes_in = 0;
  double seconds = 0;
  std::map<std::string, int64_t> dead;     // by rule, or by reason where there is no rule
  std::map<std::string, int64_t> dropped;  // by rule
  std::map<std::string, int64_t> kept;     // violations of expect, by rule

  void Add(const DatasetCounts& other);
};

struct SourceCounts {
  int64_t rows = 0;
  uint64_t bytes = 0;
  int64_t files = 0;
  std::string watermark;  // ISO 8601; empty when the source has no event time
};

// Of the step in hand, before it is committed; it may still fail and be computed again.
struct RowsSoFar {
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t rows_dead = 0;
  int64_t rows_dropped = 0;
};
struct StepSoFar {
  std::map<std::string, RowsSoFar> datasets;
  std::map<std::string, int64_t> sources;  // rows
};

class Progress {
 public:
  explicit Progress(const Clock& clock) : clock_(clock), began_ns_(clock.MonotonicNs()) {}

  void Tell(const char* state, Epoch epoch);  // epoch 0: unchanged
  void Warn(const std::string& text);
  // One step's counts, all together: nobody sees half a step.
  void AddStep(const std::map<std::string, DatasetCounts>& datasets,
               const std::map<std::string, SourceCounts>& sources);
  // While a step is computed, whoever asks is told how far it is. `so_far` is called from any thread, until
  // this is called again: with nullptr, before what it looks at goes.
  void FollowSteps(std::function<StepSoFar()> so_far);
  void BeginStep();  // until AddStep
  void SetWaiting(uint64_t bytes) { bytes_waiting_ = bytes; }

  Json ToJson() const;

 private:
  const Clock& clock_;
  const int64_t began_ns_;
  mutable std::mutex mutex_;
  std::string state_ = "starting";
  Epoch epoch_ = 0;
  std::vector<std::string> warnings_;
  std::map<std::string, DatasetCounts> datasets_;
  std::map<std::string, SourceCounts> sources_;
  uint64_t bytes_read_ = 0;
  std::function<StepSoFar()> so_far_;
  bool is_in_step_ = false;
  std::atomic<uint64_t> bytes_waiting_{0};
};

}  // namespace qn::app
