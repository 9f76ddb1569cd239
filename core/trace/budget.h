// How much memory the queries of a run may hold together: what they remember, and what a step has in hand. A
// clear stop before the machine swaps or kills.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/status.h"

namespace qn::trace {

// From any thread.
class Budget {
 public:
  explicit Budget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // QN-3601 when `bytes` more would be too much; nothing is taken then.
  Status Take(uint64_t bytes);
  // For what is there already, or took the place of something.
  void TakeAnyway(uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void Give(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t bytes_max() const { return bytes_max_; }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> used_{0};
};

// What one holder has of a budget; given back with it. One thread.
class Charge {
 public:
  explicit Charge(Budget& budget) : budget_(budget) {}
  ~Charge() { Clear(); }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

  // Has `bytes` from now on, more or fewer than before. QN-3601: as many as before.
  Status Hold(uint64_t bytes) {
    if (bytes > bytes_) QN_TRY(budget_.Take(bytes - bytes_));
    if (bytes < bytes_) budget_.Give(bytes_ - bytes);
    bytes_ = bytes;
    return Ok();
  }
  void HoldAnyway(uint64_t bytes) {  // for what is there already
    budget_.TakeAnyway(bytes);
    budget_.Give(bytes_);
    bytes_ = bytes;
  }
  Status Add(uint64_t bytes) { return Hold(bytes_ + bytes); }
  void Clear() {
    if (bytes_ > 0) HoldAnyway(0);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  Budget& budget_;
  uint64_t bytes_ = 0;
};

// Room for `more` at a list's end, asked for before the list grows. What it had before is `charge`'s or
// small.
template <typename T>
Status MakeRoom(std::vector<T>& list, size_t more, Charge& charge) {
  if (list.capacity() - list.size() >= more) [[likely]] {
    return Ok();
  }
  const size_t before = list.capacity();
  const size_t capacity = std::max(list.size() + more, before * 2);
  QN_TRY(charge.Add(capacity * sizeof(T)));  // while rows move, both are there
  list.reserve(capacity);
  return charge.Hold(charge.bytes() - before * sizeof(T));
}

}  // namespace qn::trace
