// Tells which promise broke, then aborts.
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace qn {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(
      stderr,
      "QN-9001  A promise inside Qanat does not hold: %s\n  at %s:%d\n"
      "  This is our bug. The process stops; the last checkpoint is safe, and a restart goes on from it.\n",
      condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace qn
