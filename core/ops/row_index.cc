// Open addressing over a step's rows; hashes first, so that the memory is on its way when it is asked for.
#include "ops/row_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "trace/hash.h"
#include "trace/memory.h"

namespace qn::ops {
namespace {

constexpr size_t kAhead = 32;  // slots fetched before they are looked at

uint64_t HashRow(std::string_view key, std::string_view row) {
  const uint64_t hash = trace::Hash(key);
  return row.empty() ? hash : trace::Hash(row, hash);
}

}  // namespace

void RowIndex::Reset(size_t rows) {
  entries_.clear();
  slots_.clear();
  Grow(rows);
}

size_t RowIndex::BytesFor(size_t rows) {
  return rows * (sizeof(Entry) + sizeof(uint32_t)) + SlotsFor(rows) * sizeof(uint64_t);
}

void RowIndex::Clear() {
  trace::Release(entries_, kStepBytesKept);
  trace::Release(slots_, kStepBytesKept);
  mask_ = 0;
}

size_t RowIndex::SlotsFor(size_t rows) { return std::bit_ceil(std::max<size_t>(rows, 8) * 2); }

void RowIndex::Grow(size_t rows) {
  const size_t size = SlotsFor(rows);
  slots_.assign(size, 0);
  mask_ = size - 1;
  for (size_t i = 0; i < entries_.size(); ++i) {
    uint64_t at = entries_[i].hash & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = (entries_[i].hash >> 32 << 32) | (i + 1);
  }
}

uint32_t RowIndex::PutHashed(std::string_view key, std::string_view row, uint64_t hash) {
  if ((entries_.size() + 1) * 2 > slots_.size()) Grow(entries_.size() * 2);
  const uint64_t tag = hash >> 32 << 32;
  uint64_t at = hash & mask_;
  for (; slots_[at] != 0; at = (at + 1) & mask_) {
    if ((slots_[at] ^ tag) >> 32 != 0) continue;
    const auto number = static_cast<uint32_t>(slots_[at]) - 1;
    if (entries_[number].key == key && entries_[number].row == row) return number;
  }
  QN_CHECK(entries_.size() < kNone - 1);
  entries_.push_back({key, row, hash});
  slots_[at] = tag | entries_.size();
  return static_cast<uint32_t>(entries_.size() - 1);
}

uint32_t RowIndex::Put(std::string_view key, std::string_view row) {
  return PutHashed(key, row, HashRow(key, row));
}

uint32_t RowIndex::Find(std::string_view key, std::string_view row) const {
  if (entries_.empty()) return kNone;
  const uint64_t hash = HashRow(key, row);
  for (uint64_t at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_) {
    if ((slots_[at] ^ hash) >> 32 != 0) continue;
    const auto number = static_cast<uint32_t>(slots_[at]) - 1;
    if (entries_[number].key == key && entries_[number].row == row) return number;
  }
  return kNone;
}

template <bool kWithRows>
void RowIndex::PutAll(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers) {
  numbers.resize(rows.size());
  uint64_t hashes[kAhead];
  for (size_t from = 0; from < rows.size(); from += kAhead) {
    const size_t count = std::min(kAhead, rows.size() - from);
    for (size_t i = 0; i < count; ++i) {
      const KeyedRow& row = rows[from + i];
      hashes[i] = HashRow(row.key, kWithRows ? row.row : std::string_view());
      if (!slots_.empty()) __builtin_prefetch(&slots_[hashes[i] & mask_]);
    }
    for (size_t i = 0; i < count; ++i) {
      const KeyedRow& row = rows[from + i];
      numbers[from + i] = PutHashed(row.key, kWithRows ? row.row : std::string_view(), hashes[i]);
    }
  }
}

void RowIndex::PutKeys(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers) {
  PutAll<false>(rows, numbers);
}

void RowIndex::PutRows(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers) {
  PutAll<true>(rows, numbers);
}

Status Consolidate(std::vector<KeyedRow>& rows, trace::Budget& budget) {
  if (rows.size() < 2) {
    if (rows.size() == 1 && rows[0].weight == 0) rows.clear();
    return Ok();
  }
  trace::Charge room(budget);
  QN_TRY(room.Hold(RowIndex::BytesFor(rows.size())));
  RowIndex index;
  index.Reset(rows.size());
  std::vector<uint32_t> numbers;
  index.PutRows(rows, numbers);
  // A row's number is never above its place: the sums can be gathered at the front.
  for (size_t i = 0, seen = 0; i < rows.size(); ++i) {
    if (numbers[i] == seen) {
      rows[seen++] = rows[i];
    } else {
      rows[numbers[i]].weight += rows[i].weight;
    }
  }
  rows.resize(index.size());
  std::erase_if(rows, [](const KeyedRow& row) { return row.weight == 0; });
  return Ok();
}

}  // namespace qn::ops
