// The words of a refusal.
#include "trace/budget.h"

#include <string>

namespace qn::trace {
namespace {

std::string Size(uint64_t bytes) {
  if (bytes < (uint64_t{10} << 20)) return std::to_string(bytes >> 10) + " KB";
  return std::to_string(bytes >> 20) + " MB";
}

}  // namespace

Status Budget::Take(uint64_t bytes) {
  uint64_t used = used_.load(std::memory_order_relaxed);
  while (bytes <= bytes_max_ && used <= bytes_max_ - bytes) {
    if (used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed)) return Ok();
  }
  return Status(Kind::kFailed, "QN-3601", "The memory of this pipeline's queries is full.")
      .With("What they remember, and the step in hand, take " + Size(used) + "; " + Size(bytes) +
            " more would be over the limit of " + Size(bytes_max_) + ".")
      .With("The step was given up; the last checkpoint is whole, and nothing was lost.")
      .With(
          "Give more with --memory, or let the queries hold less: filter earlier, join by a key with fewer "
          "rows each, or bound them by event time.");
}

}  // namespace qn::trace
