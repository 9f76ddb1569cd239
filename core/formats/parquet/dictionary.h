// Distinct values of a column, in the order of their first sight: as long as there are few of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "duck/vector.h"
#include "formats/parquet/buffer.h"

namespace qn::parquet {

inline constexpr size_t kDictionaryValuesMax = 16 << 10;  // checked between slices; indices are 16 bits
inline constexpr size_t kDictionaryBytesMax = 1 << 20;

// Whether a dictionary of `distinct` values still pays after `values` of them.
bool DictionaryPays(size_t values, size_t distinct, size_t bytes);

// Of numbers, by their bits.
class NumberDictionary {
 public:
  NumberDictionary() : slots_(kSlotsFirst) {}
  // The value's index; adds it.
  uint16_t Index(uint64_t bits) {
    size_t at = Slot(bits);
    for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
      if (values_[slots_[at] - 1] == bits) return static_cast<uint16_t>(slots_[at] - 1);
    }
    return Insert(at, bits);
  }
  const std::vector<uint64_t>& values() const { return values_; }
  size_t memory() const { return values_.capacity() * 8 + slots_.capacity() * 4; }
  void Clear();

 private:
  static constexpr size_t kSlotsFirst = 16;
  size_t Slot(uint64_t bits) const {
    bits *= 0x9E3779B97F4A7C15;
    return (bits ^ bits >> 32) >> 7 & (slots_.size() - 1);
  }
  uint16_t Insert(size_t at, uint64_t bits);

  std::vector<uint64_t> values_;
  std::vector<uint32_t> slots_;  // index + 1; a power of two of them, at most half full
};

// Of texts and blobs. Its bytes are the dictionary page's: length, bytes, length, bytes …
class TextDictionary {
 public:
  TextDictionary() : slots_(kSlotsFirst) {}
  static uint64_t Hash(const duck::String& text);
  uint16_t Index(const duck::String& text, uint64_t hash, bool* is_new) {
    const auto tag = static_cast<uint32_t>(hash >> 32);
    size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].index != 0; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].tag == tag && IsAt(slots_[at].index - 1, text)) {
        *is_new = false;
        return static_cast<uint16_t>(slots_[at].index - 1);
      }
    }
    *is_new = true;
    return Insert(at, text, hash);
  }
  size_t size() const { return offsets_.size(); }
  const Buffer& bytes() const { return bytes_; }
  // The value with its length in front, as PLAIN has it.
  std::string_view Plain(uint16_t index) const {
    const size_t end = index + size_t{1} < offsets_.size() ? offsets_[index + size_t{1}] : bytes_.size();
    return bytes_.view(offsets_[index], end - offsets_[index]);
  }
  size_t memory() const {
    return bytes_.capacity() + (offsets_.capacity() + hashes_.capacity()) * 8 +
           slots_.capacity() * sizeof(Slot);
  }
  void Clear();

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t index = 0;  // + 1
  };
  static constexpr size_t kSlotsFirst = 16;
  bool IsAt(uint32_t index, const duck::String& text) const {
    const char* at = bytes_.data() + offsets_[index];
    return std::memcmp(at, &text.size, 4) == 0 &&
           std::memcmp(at + 4, text.size <= 12 ? text.prefix : text.pointer, text.size) == 0;
  }
  uint16_t Insert(size_t at, const duck::String& text, uint64_t hash);

  Buffer bytes_;
  std::vector<size_t> offsets_;
  std::vector<uint64_t> hashes_;
  std::vector<Slot> slots_;
};

}  // namespace qn::parquet
