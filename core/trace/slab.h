// The memory of a trace's rows: pieces of any size, named by 32 bits, that never move. What is freed is used
// again for pieces of the same size; whole blocks go back only with the slab (a trace copies what lives into
// a new one when half is dead). Large pieces have a block of their own, which goes back at once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "trace/budget.h"
#include "trace/memory.h"

namespace qn::trace {

class Slab {
 public:
  using Ref = uint32_t;  // block and 8-byte unit in it
  static constexpr Ref kNone = UINT32_MAX;

  explicit Slab(Budget& budget) : budget_(budget) {}
  ~Slab() { Clear(); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // kNone when there is no more room: Refusal() tells why. Aligned to 8.
  Ref Allocate(size_t size) {
    const size_t units = Rounded(Units(size));
    if (units > kLargeUnits) return AllocateLarge(units);
    Ref& free = free_[Class(units)];
    if (free != kNone) {
      const Ref out = free;
      free = *At<Ref>(out);
      if (free != kNone) Ask(At<char>(free));  // for the next one
      live_units_ += units;
      return out;
    }
    if (units > left_units_ && !Grow(units)) return kNone;
    const Ref out = next_;
    next_ += static_cast<Ref>(units);
    left_units_ -= units;
    live_units_ += units;
    return out;
  }
  // `size` as it was allocated.
  void Free(Ref ref, size_t size);

  template <typename T>
  T* At(Ref ref) const {
    return reinterpret_cast<T*>(starts_[ref >> kUnitBits] + size_t{ref & (kBlockUnits - 1)} * kUnit);
  }

  size_t bytes() const { return bytes_; }                    // held
  size_t live_bytes() const { return live_units_ * kUnit; }  // in use
  void Clear();

  // Why the last Allocate gave nothing: QN-3601 or QN-3602.
  const Status& Refusal() const { return refusal_; }

  // For a copy of what lives: takes without asking; and then the place of the slab it was copied from.
  void IgnoreBudget() { ignores_budget_ = true; }
  void TakePlaceOf(Slab& old);

 private:
  static constexpr size_t kUnit = 8;
  static constexpr int kUnitBits = 18;
  static constexpr size_t kBlockUnits = size_t{1} << kUnitBits;              // 2 MB
  static constexpr size_t kBlocksMax = (size_t{1} << (32 - kUnitBits)) - 1;  // kNone is in no block
  static constexpr size_t kFirstBlockUnits = 2048;                           // small traces stay small
  static constexpr size_t kLargeUnits = kBlockUnits / 4;
  static constexpr size_t kExact = 64;  // sizes up to here have a class each; then 8 a doubling
  static constexpr size_t kClasses = kExact + size_t{8} * (kUnitBits - 6) + 1;

  static size_t Units(size_t size) { return size == 0 ? 1 : (size + kUnit - 1) / kUnit; }
  static size_t Rounded(size_t units);
  static size_t Class(size_t units);
  bool Grow(size_t units);
  Ref AllocateLarge(size_t units);
  bool TakeBlock(size_t units, uint32_t* block);

  Budget& budget_;
  std::vector<Memory> blocks_;
  std::vector<char*> starts_;
  std::vector<uint32_t> free_blocks_;
  std::array<Ref, kClasses> free_ = NoneFree();
  Ref next_ = 0;
  size_t left_units_ = 0;
  size_t grown_ = 0;  // blocks for small pieces so far
  size_t live_units_ = 0;
  size_t bytes_ = 0;
  bool ignores_budget_ = false;
  Status refusal_;

  static std::array<Ref, kClasses> NoneFree() {
    std::array<Ref, kClasses> none;
    none.fill(kNone);
    return none;
  }
};

inline size_t Slab::Rounded(size_t units) {
  if (units <= kExact) return units;
  const int log = 63 - __builtin_clzll(units - 1);
  const size_t step = size_t{1} << (log - 3);
  return (units + step - 1) / step * step;
}

inline size_t Slab::Class(size_t units) {  // of a rounded size
  if (units <= kExact) return units;
  const int log = 63 - __builtin_clzll(units - 1);
  return kExact + static_cast<size_t>(log - 6) * 8 + ((units - (size_t{1} << log)) >> (log - 3));
}

}  // namespace qn::trace
