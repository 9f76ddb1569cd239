// An aggregate over windows of event time that end: when the watermark has passed a window's end and the
// lateness that is allowed, its state is freed; what comes for it afterwards is late.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ops/aggregate.h"

namespace qn::ops {

struct WindowOptions {
  size_t group = 0;         // which of the key's columns is the window's begin: TIMESTAMP(TZ) or DATE
  int64_t size_us = 0;      // of a window
  int64_t lateness_us = 0;  // for how long a window takes rows after its end
  // A window comes out once, when it closes; otherwise with every change.
  bool emits_on_close = false;
};

class WindowAggregate final : public Operator {
 public:
  static constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

  // `keys`: types of the groups.
  WindowAggregate(const WindowOptions& options, std::vector<Type> keys, std::unique_ptr<Aggregate> inner);

  // How far event time had come before this step, and has with it; kNoTime: nowhere. Before Step.
  void SetWatermark(int64_t before_us, int64_t now_us) {
    before_us_ = before_us;
    now_us_ = now_us;
  }

  // Rows of windows that were closed before this step are left out and counted.
  Status Step(std::span<KeyedDelta> inputs, Delta& out) override;
  // There may be something to close without any input.
  bool IsDue() const override { return inner_->IsDue(); }
  bool HasToClose() { return HasToCloseAt(now_us_); }
  // The same, were the watermark there.
  bool HasToCloseAt(int64_t watermark_us);
  // The trace was cleared, and may have been restored.
  void Forget() { is_indexed_ = false; }
  std::vector<trace::Trace*> Traces() override { return inner_->Traces(); }

  // Of the last step: rows that came too late. A row is late when the begin of its window is at most this.
  int64_t late_rows() const { return late_rows_; }
  int64_t ClosedBegin(int64_t watermark_us) const;

 private:
  int64_t BeginOf(std::string_view key) const;
  void Index(std::string_view key);
  void IndexAll();
  Status Close(Delta& out);

  WindowOptions options_;
  duck::RowCodec codec_;
  std::unique_ptr<Aggregate> inner_;
  int64_t before_us_ = kNoTime;
  int64_t now_us_ = kNoTime;
  int64_t late_rows_ = 0;
  bool is_indexed_ = false;  // after a restore the trace is there and the index is not
  std::map<int64_t, std::vector<std::string>> open_;  // keys by begin of their window
};

// For a CircuitOp of kind kAggregate with groups; failure: QN-1810, a column's type cannot be remembered.
Result<std::unique_ptr<WindowAggregate>> MakeWindowAggregate(const plan::CircuitOp& plan,
                                                             const WindowOptions& options,
                                                             trace::Budget& budget);

}  // namespace qn::ops
