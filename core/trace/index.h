// A hash index: 32 bits of hash and a value a slot, linear probing, no tombstones. It knows nothing of keys:
// who asks compares them.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include "base/status.h"
#include "trace/budget.h"
#include "trace/memory.h"

namespace qn::trace {

// `Value` is trivial, and all bits set is none of its values.
template <typename Value>
class Index {
 public:
  struct Slot {
    uint32_t hash;
    Value value;
  };
  static constexpr size_t kNowhere = SIZE_MAX;

  explicit Index(Budget& budget) : budget_(budget) {}
  ~Index() { Clear(); }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Room for `more`, so that the next Inserts cannot fail. Moves slots.
  Status Reserve(size_t more) {
    const size_t needed = size_ + more;
    if (needed * kLoadOf <= capacity_ * kLoad) [[likely]] {
      return Ok();
    }
    return Resize(CapacityFor(needed), false);
  }
  // Fits the capacity to the size, when it is far too large.
  void Shrink() {
    const size_t capacity = CapacityFor(size_);
    if (capacity * 4 <= capacity_) (void)Resize(capacity, true);
  }

  void Prefetch(uint32_t hash) const {
    if (capacity_ != 0) Ask(&slots_[Home(hash)]);
  }
  // The first value with this hash, nullptr: none. A guess worth a prefetch.
  const Value* Guess(uint32_t hash) const {
    return FindSlot(hash, [](const Value&) { return true; });
  }
  // The value with this hash for which `is_equal` says so; nullptr: none.
  template <typename F>
  Value* FindSlot(uint32_t hash, F&& is_equal) const {
    const size_t at = Locate(hash, is_equal);
    return at == kNowhere ? nullptr : &slots_[at].value;
  }

  // After Reserve; the key is not there.
  void Insert(uint32_t hash, Value value) {
    size_t at = Home(hash);
    while (!IsFree(slots_[at])) at = (at + 1) & (capacity_ - 1);
    slots_[at] = {hash, value};
    ++size_;
  }
  // What FindSlot gave.
  void Erase(Value* found) {
    const size_t mask = capacity_ - 1;
    size_t gap = static_cast<size_t>(
        reinterpret_cast<Slot*>(reinterpret_cast<char*>(found) - offsetof(Slot, value)) - slots_);
    for (size_t at = (gap + 1) & mask; !IsFree(slots_[at]); at = (at + 1) & mask) {
      // A slot may fill the gap when its home is not behind it.
      if (((at - Home(slots_[at].hash)) & mask) < ((at - gap) & mask)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    std::memset(static_cast<void*>(&slots_[gap]), 0xFF, sizeof(Slot));
    --size_;
  }

  // f(Value&) for all, in the slots' order. f must not insert or erase.
  template <typename F>
  void ForEach(F&& f) const {
    for (size_t i = 0; i < capacity_; ++i) {
      if (!IsFree(slots_[i])) f(slots_[i].value);
    }
  }
  // The same; `ahead` sees each value some time before, and `nearer` again: what they ask for is there then.
  template <typename A, typename N, typename F>
  void ForEachAhead(A&& ahead, N&& nearer, F&& f) const {
    constexpr size_t kFar = 48, kNear = 24;
    for (size_t i = 0; i < capacity_; ++i) {
      if (i + kFar < capacity_ && !IsFree(slots_[i + kFar])) ahead(slots_[i + kFar].value);
      if (i + kNear < capacity_ && !IsFree(slots_[i + kNear])) nearer(slots_[i + kNear].value);
      if (!IsFree(slots_[i])) f(slots_[i].value);
    }
  }

  size_t size() const { return size_; }
  size_t bytes() const { return capacity_ * sizeof(Slot); }
  void Clear() {
    budget_.Give(bytes());
    memory_ = Memory();
    slots_ = nullptr;
    capacity_ = size_ = 0;
  }

 private:
  static constexpr size_t kLoad = 5, kLoadOf = 8;
  static constexpr size_t kCapacityMin = 64;

  static bool IsFree(const Slot& slot) {
    const Value* value = &slot.value;
    uint32_t first;
    std::memcpy(&first, value, sizeof(first));
    return first == UINT32_MAX;
  }
  // Another order for each capacity: rows taken out of a larger index in its order must not fill a smaller
  // one from one end.
  size_t Home(uint32_t hash) const { return (hash * multiplier_) >> shift_; }
  template <typename F>
  size_t Locate(uint32_t hash, F&& is_equal) const {
    if (capacity_ == 0) return kNowhere;
    for (size_t at = Home(hash); !IsFree(slots_[at]); at = (at + 1) & (capacity_ - 1)) {
      if (slots_[at].hash == hash && is_equal(slots_[at].value)) return at;
    }
    return kNowhere;
  }

  static size_t CapacityFor(size_t size) {
    size_t capacity = kCapacityMin;
    while (size * kLoadOf > capacity * kLoad) capacity *= 2;
    return capacity;
  }
  Status Resize(size_t capacity, bool is_smaller) {
    const size_t bytes_now = bytes();
    if (is_smaller) {
      budget_.TakeAnyway(capacity * sizeof(Slot));
    } else {
      Status taken = budget_.Take(capacity * sizeof(Slot));
      if (!taken.ok()) return taken;
    }
    Memory memory(capacity * sizeof(Slot));
    QN_CHECK(memory.data() != nullptr);
    std::memset(memory.data(), 0xFF, memory.size());
    Slot* const old = slots_;
    const size_t old_capacity = capacity_;
    const int bits = 63 - __builtin_clzll(capacity);
    slots_ = reinterpret_cast<Slot*>(memory.data());
    capacity_ = capacity;
    shift_ = 32 - bits;
    multiplier_ =
        static_cast<uint32_t>((uint64_t{0x9E3779B97F4A7C15} * static_cast<uint64_t>(2 * bits + 1)) >> 20) | 1;
    size_ = 0;
    for (size_t i = 0; i < old_capacity; ++i) {
      if (!IsFree(old[i])) Insert(old[i].hash, old[i].value);
    }
    memory_ = std::move(memory);
    budget_.Give(bytes_now);
    return Ok();
  }

  Budget& budget_;
  Memory memory_;
  Slot* slots_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;
  int shift_ = 0;
  uint32_t multiplier_ = 1;
};

}  // namespace qn::trace
