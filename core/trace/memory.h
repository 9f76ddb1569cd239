// A piece of raw memory that frees itself. Large ones ask for huge pages: a trace is read at random places.
#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <memory>

namespace qn::trace {

class Memory {
 public:
  Memory() = default;
  // data() is nullptr when the system has no more.
  explicit Memory(size_t size) : size_(size) {
    if (size < kHugePage) {
      data_.reset(static_cast<char*>(std::malloc(size)));
    } else {
      const size_t whole = (size + kHugePage - 1) / kHugePage * kHugePage;
      data_.reset(static_cast<char*>(std::aligned_alloc(kHugePage, whole)));
      if (data_ != nullptr) ::madvise(data_.get(), whole, MADV_HUGEPAGE);  // a wish: failing changes nothing
    }
  }
  char* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kHugePage = size_t{2} << 20;
  struct Free {
    void operator()(char* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<char, Free> data_;
  size_t size_ = 0;
};

// Asks the processor for a cache line. g++ drops calls of functions that do nothing but prefetch; the empty
// statement is something.
inline void Ask(const void* address) {
  __builtin_prefetch(address);
  asm volatile("" : : "r"(address));
}

inline constexpr size_t kListBytesKept = size_t{64} << 10;

// Empties a list; a large one gives its memory back.
template <typename T>
void Release(T& list, size_t bytes_kept = kListBytesKept) {
  list.clear();
  if (list.capacity() * sizeof(typename T::value_type) > bytes_kept) T().swap(list);
}

// What a list holds beside itself.
template <typename T>
size_t HeldBytes(const T& list) {
  return (list.capacity() - T().capacity()) * sizeof(typename T::value_type);
}

}  // namespace qn::trace
