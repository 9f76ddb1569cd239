// Named places where a test may kill the process or make the world fail. Always compiled in: one relaxed
// atomic load when nothing is armed. Armed by ArmFailPoints("name=kill@2,other=error"), in Python by
// qanat._core.arm_fail_points, and for a whole process by the environment variable QANAT_FAIL.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace qn {

namespace fail_point_internal {
extern std::atomic<bool> g_armed;
Status Hit(const char* name);
}  // namespace fail_point_internal

// "name=action[@nth][,…]". Actions: kill (SIGKILL to ourselves), error (Kind::kFailed), unknown
// (Kind::kUnknown), retry (Kind::kRetryable). From the nth pass on (default 1); only that pass for @n!.
// An empty text disarms all.
Status ArmFailPoints(std::string_view text);

// Arms what $QANAT_FAIL says, on the first call in a process; does nothing when it is not set.
Status ArmFailPointsOfEnvironment();

// Every fail point that the process has passed so far, for tests that must reach all of them.
std::vector<std::string> FailPointsPassed();

inline Status PassFailPoint(const char* name) {
  if (!fail_point_internal::g_armed.load(std::memory_order_relaxed)) return Ok();
  return fail_point_internal::Hit(name);
}

}  // namespace qn

#define QN_FAIL(name) QN_TRY(::qn::PassFailPoint(name))
