// Takes keys whose windows are over out of what is remembered.
#pragma once

#include <functional>
#include <string_view>

#include "base/status.h"
#include "trace/row_trace.h"
#include "trace/state_trace.h"

namespace qn::ops {

using IsOver = std::function<bool(std::string_view key)>;

// Looks at every key. The trace of rows must not be append-only. Failure: QN-3601.
Status Expire(trace::RowTrace& trace, const IsOver& is_over);
Status Expire(trace::StateTrace& trace, const IsOver& is_over);

}  // namespace qn::ops
