// A byte buffer that grows without clearing what it grows by: pages are copied into it, never read before.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace qn::parquet {

// Behind the end there are always kSlack bytes that may be written, so that short copies need no exact size.
class Buffer {
 public:
  static constexpr size_t kSlack = 64;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept { Swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    Swap(taken);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::string_view view(size_t at, size_t size) const { return {data_ + at, size}; }

  // Room for `more` bytes behind the end; returns where they go. Moves what data() gave.
  char* Reserve(size_t more) {
    if (size_ + more + kSlack > capacity_) Grow(size_ + more + kSlack);
    return data_ + size_;
  }
  void Advance(size_t bytes) { size_ += bytes; }  // they were written behind the end, after Reserve
  void Append(const void* bytes, size_t size) {
    if (size == 0) return;
    std::memcpy(Reserve(size), bytes, size);
    size_ += size;
  }
  void Shrink(size_t size) { size_ = size; }  // to what it was before
  void Clear() { size_ = 0; }                 // keeps the memory

 private:
  void Grow(size_t wanted) {
    size_t capacity = capacity_ < 256 ? 256 : capacity_ * 2;
    if (capacity < wanted) capacity = wanted;
    data_ = static_cast<char*>(std::realloc(data_, capacity));
    QN_CHECK(data_ != nullptr);
    capacity_ = capacity;
  }
  void Swap(Buffer& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace qn::parquet
