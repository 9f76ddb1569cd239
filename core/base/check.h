// Stops the process when our own code is wrong. On in release builds: the checkpoint makes a stop safe,
// a wrong table is not. Never for the user's input.
#pragma once

namespace qn {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace qn

#define QN_CHECK(condition) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::qn::CheckFailed(#condition, __FILE__, __LINE__))
