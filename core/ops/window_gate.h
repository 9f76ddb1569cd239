// Holds back what an operator gives until its windows close: then each comes out as it is in the end.
#pragma once

#include <memory>
#include <string_view>

#include "data/delta.h"
#include "ops/event_windows.h"
#include "trace/budget.h"
#include "trace/row_trace.h"

namespace qn::ops {

class WindowGate {
 public:
  // `begins` reads the rows of the operator's output; `is_right`: their right parts.
  WindowGate(const WindowOptions& options, WindowBegins begins, bool is_right, trace::Budget& budget)
      : options_(options), begins_(std::move(begins)), is_right_(is_right), trace_(budget, false) {}

  // Takes what is in `changes` and puts there what closes with the watermark here. Views in it live until
  // EndStep of the trace. Failure: QN-3601.
  Status Pass(Delta& changes, int64_t watermark_us);
  bool HasToCloseAt(int64_t watermark_us) const;
  trace::Trace& trace() { return trace_; }

 private:
  WindowOptions options_;
  WindowBegins begins_;
  bool is_right_;
  trace::RowTrace trace_;  // key: the begin; row: how long the left part is, it, and the right one
};

}  // namespace qn::ops
