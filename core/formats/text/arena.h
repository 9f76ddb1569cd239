// Bytes that live until the decoder is called again: unescaped strings, a last line without its line break.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace qn::text {

class Arena {
 public:
  // `size` bytes and kSlack readable ones behind them.
  char* Take(size_t size) {
    size += kSlack;
    if (size > left_) Grow(size);
    char* out = at_;
    at_ += size;
    left_ -= size;
    return out;
  }

  // Gives back what the last Take took beyond `used` bytes.
  void Trim(const char* taken, size_t used) {
    const size_t surplus = static_cast<size_t>(at_ - taken) - used - kSlack;
    at_ -= surplus;
    left_ += surplus;
  }

  // All bytes taken so far are dead. Keeps the last chunk, unless a huge record made it.
  void Reset() {
    if (chunk_size_ > kChunkKept) {
      chunks_.clear();
      left_ = chunk_size_ = 0;
    }
    if (chunks_.empty()) return;
    chunks_.erase(chunks_.begin(), chunks_.end() - 1);
    at_ = chunks_[0].get();
    left_ = chunk_size_;
  }

 private:
  static constexpr size_t kSlack = 64;
  static constexpr size_t kChunk = 64 << 10;
  static constexpr size_t kChunkKept = 1 << 20;

  void Grow(size_t size) {
    chunk_size_ = std::max(size, std::max(kChunk, std::min(chunk_size_ * 2, kChunkKept)));
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_size_));
    at_ = chunks_.back().get();
    left_ = chunk_size_;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  size_t left_ = 0;
  size_t chunk_size_ = 0;  // of the last chunk
};

}  // namespace qn::text
