// Blocks, and what happens when there is no room for one more.
#include "trace/slab.h"

#include <algorithm>

#include "base/check.h"

namespace qn::trace {

void Slab::Free(Ref ref, size_t size) {
  const size_t units = Rounded(Units(size));
  live_units_ -= units;
  if (units > kLargeUnits) {
    const uint32_t block = ref >> kUnitBits;
    bytes_ -= blocks_[block].size();
    if (!ignores_budget_) budget_.Give(blocks_[block].size());
    blocks_[block] = Memory();
    free_blocks_.push_back(block);
    return;
  }
  Ref& free = free_[Class(units)];
  *At<Ref>(ref) = free;
  free = ref;
}

bool Slab::TakeBlock(size_t units, uint32_t* block) {
  const size_t size = units * kUnit;
  if (free_blocks_.empty() && blocks_.size() >= kBlocksMax) {
    refusal_ = Status(Kind::kFailed, "QN-3602", "One operator remembers more than it can.")
                   .With("It holds " + std::to_string(bytes_ >> 20) + " MB in " +
                         std::to_string(blocks_.size()) + " blocks; about 32 GB is the most for one.")
                   .With("Nothing was lost: the last checkpoint is whole.")
                   .With("Let the query remember less: filter earlier, or bound it by event time.");
    return false;
  }
  if (!ignores_budget_) {
    refusal_ = budget_.Take(size);
    if (!refusal_.ok()) return false;
  }
  Memory memory(size);
  QN_CHECK(memory.data() != nullptr);
  bytes_ += size;
  if (free_blocks_.empty()) {
    *block = static_cast<uint32_t>(blocks_.size());
    starts_.push_back(memory.data());
    blocks_.push_back(std::move(memory));
  } else {
    *block = free_blocks_.back();
    free_blocks_.pop_back();
    starts_[*block] = memory.data();
    blocks_[*block] = std::move(memory);
  }
  return true;
}

Slab::Ref Slab::AllocateLarge(size_t units) {
  uint32_t block = 0;
  if (!TakeBlock(units, &block)) return kNone;
  live_units_ += units;
  return block << kUnitBits;
}

// What is left of the old block is too small for this piece, not for others.
bool Slab::Grow(size_t units) {
  uint32_t block = 0;
  const size_t wanted = std::min(kBlockUnits, kFirstBlockUnits << std::min<size_t>(grown_, 16));
  const size_t size = std::max(wanted, units);
  if (!TakeBlock(size, &block)) return false;
  while (left_units_ > 0) {
    size_t piece = std::min(left_units_, kExact);
    *At<Ref>(next_) = free_[piece];
    free_[piece] = next_;
    next_ += static_cast<Ref>(piece);
    left_units_ -= piece;
    if (piece < kExact) break;
  }
  ++grown_;
  next_ = block << kUnitBits;
  left_units_ = size;
  return true;
}

void Slab::Clear() {
  if (!ignores_budget_) budget_.Give(bytes_);
  blocks_.clear();
  starts_.clear();
  free_blocks_.clear();
  free_ = NoneFree();
  next_ = 0;
  left_units_ = grown_ = live_units_ = bytes_ = 0;
}

void Slab::TakePlaceOf(Slab& old) {
  QN_CHECK(ignores_budget_ && !old.ignores_budget_);
  std::swap(blocks_, old.blocks_);
  std::swap(starts_, old.starts_);
  std::swap(free_blocks_, old.free_blocks_);
  std::swap(free_, old.free_);
  std::swap(next_, old.next_);
  std::swap(left_units_, old.left_units_);
  std::swap(grown_, old.grown_);
  std::swap(live_units_, old.live_units_);
  std::swap(bytes_, old.bytes_);
  // `old` is the living one now, this one holds what is dead.
  budget_.Give(bytes_);
  budget_.TakeAnyway(old.bytes_);
}

}  // namespace qn::trace
