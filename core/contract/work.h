// The data plane as the coordinator sees it: compute a step, be put back to a checkpoint, let go.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "contract/sink.h"
#include "data/json.h"

namespace qn {

struct StepOutcome {
  bool has_changes = false;                 // something is staged; a step without changes makes no checkpoint
  bool is_drained = false;                  // every source said kEnd or kIdle, and every view is up to date
  Json state;                               // positions and all else that a restart needs
  std::map<std::string, Receipt> receipts;  // by table: staged, durable, invisible
};

class Work {
 public:
  virtual ~Work() = default;
  // Back to the state of a checkpoint (null: the very beginning). Also after a Compute that failed.
  virtual Status Restore(const Json& state) = 0;
  virtual Result<StepOutcome> Compute(Epoch epoch) = 0;
  // The last computed step is committed everywhere.
  virtual Status Acknowledge(Epoch epoch) = 0;
};

}  // namespace qn
