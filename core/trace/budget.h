// How much memory all traces of a run may hold together. A clear stop before the machine swaps or kills.
#pragma once

#include <cstdint>

#include "base/status.h"

namespace qn::trace {

class Budget {
 public:
  explicit Budget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // QN-3601 when `bytes` more would be too much; nothing is taken then.
  Status Take(uint64_t bytes);
  // For what took the place of something larger.
  void TakeAnyway(uint64_t bytes) { used_ += bytes; }
  void Give(uint64_t bytes) { used_ -= bytes; }

  uint64_t used() const { return used_; }
  uint64_t bytes_max() const { return bytes_max_; }

 private:
  uint64_t bytes_max_;
  uint64_t used_ = 0;
};

}  // namespace qn::trace
