// Carries out what the step machine asks for, with the real world handed in. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "contract/checkpoint_store.h"
#include "contract/sink.h"
#include "contract/work.h"
#include "run/step_machine.h"

namespace qn::run {

struct World {
  const Clock& clock;
  CheckpointStore& checkpoints;
  Work& work;
  std::map<std::string, Sink*>& sinks;    // by table; Work may add to it
  std::function<void(int64_t ns)> sleep;  // may end early: when a stop was asked
  std::function<void(const std::string&)> warn;
  std::function<void(const char* state, Epoch)> tell;  // running, committing, idle: for progress
};

// Runs until drained, stopped or failed. `stop` is watched between effects.
Status Drive(StepMachine& machine, World& world, const std::atomic<bool>& stop);

}  // namespace qn::run
