// An aggregate over windows of event time that end: when the watermark has passed a window's end and the
// lateness that is allowed, its state is freed.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ops/aggregate.h"
#include "ops/event_windows.h"

namespace qn::ops {

class WindowAggregate final : public Operator {
 public:
  // `begins` reads the groups.
  WindowAggregate(const WindowOptions& options, WindowBegins begins, std::unique_ptr<Aggregate> inner);

  // How far event time has come with this step; kNoTime: nowhere. Before Step.
  void SetWatermark(int64_t now_us) { now_us_ = now_us; }

  // Rows of windows that were closed before this step must not be in it.
  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;
  // There may be something to close without any input.
  bool IsDue() const override { return inner_->IsDue(); }
  bool HasToClose() { return HasToCloseAt(now_us_); }
  // The same, were the watermark there.
  bool HasToCloseAt(int64_t watermark_us);
  // The trace was cleared, and may have been restored.
  void Forget() { is_indexed_ = false; }
  std::vector<trace::Trace*> Traces() override { return inner_->Traces(); }

 private:
  void Index(std::string_view key);
  void IndexAll();
  Status Close(Delta& out);

  WindowOptions options_;
  WindowBegins begins_;
  std::unique_ptr<Aggregate> inner_;
  int64_t now_us_ = kNoTime;
  bool is_indexed_ = false;  // after a restore the trace is there and the index is not
  std::map<int64_t, std::vector<std::string>> open_;  // keys by begin of their window
};

// For a CircuitOp of kind kAggregate with groups, of which `group` is the window's begin; failure: QN-1810, a
// column's type cannot be remembered.
Result<std::unique_ptr<WindowAggregate>> MakeWindowAggregate(const plan::CircuitOp& plan,
                                                             const WindowOptions& options, size_t group,
                                                             trace::Budget& budget);

}  // namespace qn::ops
