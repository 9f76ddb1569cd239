// The different keys or rows of one step, numbered in the order in which they first came: what an operator
// emits depends on no hash. And what of a step's rows is left when equal ones are added up.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "trace/budget.h"

namespace qn::ops {

class RowIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Forgets everything; room for `rows` without growing.
  void Reset(size_t rows);
  // The memory of `rows` different ones, and of their numbers.
  static size_t BytesFor(size_t rows);
  // Forgets everything; large memory goes back.
  void Clear();

  // Their numbers; new ones are added. Bytes are borrowed. A key alone is a pair with an empty row.
  uint32_t Put(std::string_view key, std::string_view row = {});
  void PutKeys(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers);  // prefetches
  void PutRows(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers);
  uint32_t Find(std::string_view key, std::string_view row = {}) const;  // kNone: not there

  size_t size() const { return entries_.size(); }
  std::string_view key(uint32_t number) const { return entries_[number].key; }
  std::string_view row(uint32_t number) const { return entries_[number].row; }

 private:
  struct Entry {
    std::string_view key;
    std::string_view row;
    uint64_t hash;
  };
  template <bool kWithRows>
  void PutAll(std::span<const KeyedRow> rows, std::vector<uint32_t>& numbers);
  uint32_t PutHashed(std::string_view key, std::string_view row, uint64_t hash);
  void Grow(size_t rows);
  static size_t SlotsFor(size_t rows);

  std::vector<Entry> entries_;
  std::vector<uint64_t> slots_;  // upper half of the hash, number + 1; 0: free
  uint64_t mask_ = 0;
};

// Lists that an operator keeps from step to step, when they are larger, are given back.
inline constexpr size_t kStepBytesKept = size_t{1} << 20;

// Adds up the weights of equal (key, row), in the order in which they first came; what sums up to 0 goes.
// QN-3601: there is no memory for it.
Status Consolidate(std::vector<KeyedRow>& rows, trace::Budget& budget);

}  // namespace qn::ops
