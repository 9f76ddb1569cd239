// What changed in one step, as rows with weights: + for inserted, − for deleted, an update is one of each.
// Rows are bytes (duck/row_codec.h); equal bytes are equal rows. Words, not deeds.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace qn {

// Bytes that never move. What is stored lives as long as the arena, or until Clear.
class Arena {
 public:
  char* Allocate(size_t size) {
    if (size > left_) Grow(size);
    char* out = next_;
    next_ += size;
    left_ -= size;
    return out;
  }
  std::string_view Store(std::string_view bytes) {
    char* out = Allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    return {out, bytes.size()};
  }
  void Clear() {
    blocks_.clear();
    next_ = nullptr;
    left_ = bytes_ = 0;
  }
  size_t bytes() const { return bytes_; }  // of memory held

 private:
  void Grow(size_t size) {
    const size_t block = size > kBlock ? size : kBlock;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    next_ = blocks_.back().get();
    left_ = block;
    bytes_ += block;
  }
  static constexpr size_t kBlock = size_t{256} << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
};

// A change on its way into an operator: what it is remembered by, and the rest.
struct KeyedRow {
  std::string_view key;  // encoded as a key
  std::string_view row;  // encoded as a row
  int64_t weight = 1;
  bool has_null_key = false;  // a strict column of the key is NULL: it equals nothing
};

// A change on its way out. A join hands out pairs, so that nothing is copied: the columns of `row`, then
// those of `right`. A null pointer stands for columns that are all NULL.
struct DeltaRow {
  std::string_view row;
  std::string_view right;
  int64_t weight = 1;
};

// Views into `bytes` or into memory that outlives the step (a trace's).
struct KeyedDelta {
  std::vector<KeyedRow> rows;
  std::vector<std::unique_ptr<Arena>> bytes;  // one a thread that filled it

  size_t held() const {  // bytes of memory
    size_t held = rows.capacity() * sizeof(KeyedRow);
    for (const std::unique_ptr<Arena>& arena : bytes) held += arena->bytes();
    return held;
  }
  void Clear() {
    std::vector<KeyedRow>().swap(rows);
    bytes.clear();
  }
};

struct Delta {
  std::vector<DeltaRow> rows;
  Arena bytes;

  size_t held() const { return rows.capacity() * sizeof(DeltaRow) + bytes.bytes(); }
  void Clear() {
    std::vector<DeltaRow>().swap(rows);
    bytes.Clear();
  }
};

}  // namespace qn
