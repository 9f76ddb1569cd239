// The protocol of a step as a state machine without I/O: events in, one effect out. The same machine runs in
// production (driver.h) and in the simulator. Slices → compute → stage → checkpoint → commit → acknowledge;
// after a crash: load the checkpoint, repeat the commits it names, go on. Nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "contract/checkpoint_store.h"
#include "contract/work.h"

namespace qn::run {

// What the world is asked to do next.
struct LoadCheckpoint {};
struct RestoreWork {
  Json state;
};
struct SweepTable {
  std::string table;
};
struct ComputeStep {
  Epoch epoch;
};
struct PutCheckpoint {
  Checkpoint checkpoint;
};
struct CommitTable {
  Epoch epoch;
  std::string table;
  Receipt receipt;
};
struct AcknowledgeStep {
  Epoch epoch;
};
struct WaitUntil {
  int64_t monotonic_ns;
};
struct Finish {
  Status status;
};
using Effect = std::variant<LoadCheckpoint, RestoreWork, SweepTable, ComputeStep, PutCheckpoint, CommitTable,
                            AcknowledgeStep, WaitUntil, Finish>;

// What the world answered to the last effect. Done answers RestoreWork, SweepTable, PutCheckpoint,
// CommitTable, AcknowledgeStep and WaitUntil.
struct Begin {};
struct Loaded {
  Result<std::optional<Checkpoint>> checkpoint;
};
struct Computed {
  Result<StepOutcome> outcome;
};
struct Done {
  Status status;
};
using Event = std::variant<Begin, Loaded, Computed, Done>;

struct StepOptions {
  bool is_continuous = false;  // wait for more instead of finishing when drained
  int64_t idle_wait_ms = 100;  // between looks at drained sources
  int64_t trigger_ms = 0;      // shortest time between the beginnings of two steps
  int attempts_max = 6;        // of anything that answered kRetryable
  // Every table is begun again (--full-refresh): then steps are counted on from `epoch_floor`, the highest
  // that any table knows, even when the checkpoints are behind the tables or damaged.
  bool begins_again = false;
  Epoch epoch_floor = 0;
  // These are begun again, the others are not (--full-refresh NAME): commits that they are owed may fail.
  std::set<std::string> tables_begun_again{};
  int64_t retry_first_ms = 250;  // doubles each time
};

// Single-threaded. Every call of Step answers the effect of the call before.
class StepMachine {
 public:
  // `tables`: every sink of the pipeline, dead letters included; the order of commits.
  StepMachine(StepOptions options, std::vector<std::string> tables);

  Effect Step(Event event, int64_t now_ns);

  // After this the machine finishes once the step in hand is committed.
  void AskToStop() { stop_asked_ = true; }

  Epoch epoch() const { return epoch_; }  // last one checkpointed
  bool is_idle() const { return phase_ == Phase::kIdling; }

 private:
  enum class Phase : uint8_t {
    kLoading,
    kRecovering,
    kRestoring,
    kSweeping,
    kComputing,
    kCheckpointing,
    kReadingBack,
    kCommitting,
    kAcknowledging,
    kIdling,
    kRetryWaiting,
    kFinished,
  };

  Effect Next(Event event, int64_t now_ns);
  Effect OnLoaded(const Loaded& loaded);
  Effect OnReadBack(const Loaded& loaded, int64_t now_ns);
  Effect OnComputed(const Computed& computed, int64_t now_ns);
  Effect OnDone(const Status& status, int64_t now_ns);
  Effect AfterCheckpoint();
  Effect CommitNext();
  bool IsDispensable(const Status& status) const;
  Effect Restore(Phase phase);
  Effect SweepNext(int64_t now_ns);
  Effect Compute(int64_t now_ns);
  Effect Idle(int64_t now_ns);
  Effect PutOurs();
  Effect Retry(const Status& status, int64_t now_ns, Phase phase);
  Effect Resume(Phase phase, int64_t now_ns);
  Effect End(Status status);

  StepOptions options_;
  std::vector<std::string> tables_;
  Phase phase_ = Phase::kLoading;
  Phase after_wait_ = Phase::kLoading;
  Epoch epoch_ = 0;
  Json state_;          // of the last checkpoint
  Checkpoint pending_;  // computed and on its way
  std::vector<std::string> to_commit_;
  size_t next_ = 0;  // table being committed or swept
  bool is_recovering_ = false;
  bool stop_asked_ = false;
  int attempts_ = 0;
  int64_t step_began_ns_ = 0;
};

}  // namespace qn::run
