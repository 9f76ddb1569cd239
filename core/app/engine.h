// One pipeline, from its description to its tables. The composition root: the only place that knows every
// connector, format and the protocol at once.
#pragma once

#include <memory>
#include <string>

#include "app/function_scan.h"
#include "base/status.h"
#include "data/json.h"

namespace qn::app {

struct RunOptions {
  bool is_continuous = false;
  int64_t trigger_ms = 0;
  std::vector<std::string> refresh;       // only these datasets; empty: all
  std::vector<std::string> full_refresh;  // begin these again from nothing
  bool full_refresh_all = false;

  static Result<RunOptions> Parse(const std::string& text);
};

class Engine {
 public:
  // Checks everything that can be checked before anything starts; writes nothing. `functions` is borrowed and
  // may be null when no flow uses one.
  static Result<std::unique_ptr<Engine>> Build(const std::string& spec, BatchFunctions* functions);
  ~Engine();

  Json Describe() const;
  // Runs until the sources end, a stop was asked for, or something failed. Once per engine.
  Status Run(const RunOptions& options);
  // From any thread. First: after the step in hand. `now`: the step in hand is given up, uncommitted.
  void Stop(bool now);
  Json ProgressJson() const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qn::app
