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
  TextDictionary() : slots_(kSlotsFirst), recent_(kRecent) {}
  static uint64_t Hash(const duck::String& text);
  // The value's index; adds it.
  uint16_t Index(const duck::String& text, bool* is_new) {
    const Ends ends = Ends::Of(text);
    uint64_t hash = ends.Hash();
    *is_new = false;
    if (text.size <= 12) return Find(text, ends, hash, is_new);
    // Few long texts are told apart by their ends; all of one is only hashed when it was not seen lately.
    uint16_t& recent = recent_[hash % kRecent];
    if (recent < ends_.size() && IsAt(recent, text, ends)) return recent;
    hash = Hash(text);
    recent = Find(text, ends, hash, is_new);
    return recent;
  }
  size_t size() const { return offsets_.size(); }
  const Buffer& bytes() const { return bytes_; }
  // The value with its length in front, as PLAIN has it.
  std::string_view Plain(uint16_t index) const {
    const size_t end = index + size_t{1} < offsets_.size() ? offsets_[index + size_t{1}] : bytes_.size();
    return bytes_.view(offsets_[index], end - offsets_[index]);
  }
  size_t memory() const {
    return bytes_.capacity() + offsets_.capacity() * 8 + ends_.capacity() * sizeof(Ends) +
           hashes_.capacity() * 8 + slots_.capacity() * sizeof(Slot) + recent_.capacity() * 2;
  }
  void Clear();

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t index = 0;  // + 1
  };
  // All of a text of up to 12 bytes; of a longer one, its size, its first four and its last eight bytes.
  struct Ends {
    uint64_t head = 0, tail = 0;

    static Ends Of(const duck::String& text);
    uint64_t Hash() const;
    bool operator==(const Ends&) const = default;
  };
  static constexpr size_t kSlotsFirst = 16;
  static constexpr size_t kRecent = 1024;
  bool IsAt(size_t index, const duck::String& text, const Ends& ends) const {
    return ends_[index] == ends && (text.size <= 12 || IsSame(bytes_.data() + offsets_[index] + 4, text));
  }
  static bool IsSame(const char* bytes, const duck::String& text);
  uint16_t Find(const duck::String& text, const Ends& ends, uint64_t hash, bool* is_new) {
    const auto tag = static_cast<uint32_t>(hash >> 32);
    size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].index != 0; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].tag == tag && IsAt(slots_[at].index - 1, text, ends))
        return static_cast<uint16_t>(slots_[at].index - 1);
    }
    *is_new = true;
    return Insert(at, text, ends, hash);
  }
  uint16_t Insert(size_t at, const duck::String& text, const Ends& ends, uint64_t hash);

  Buffer bytes_;
  std::vector<size_t> offsets_;
  std::vector<Ends> ends_;
  std::vector<uint64_t> hashes_;
  std::vector<Slot> slots_;
  std::vector<uint16_t> recent_;  // indices, by the hash of the ends; any may be wrong
};

inline uint64_t LoadWord(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

inline uint64_t MixWords(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0xA0761D6478BD642F) * (b ^ 0xE7037ED1A0B428DB);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// DuckDB fills the unused bytes of short strings with zeros. Were they not, a value would only be in the
// dictionary twice.
inline TextDictionary::Ends TextDictionary::Ends::Of(const duck::String& text) {
  const char* tail = text.size <= 12 ? text.rest : text.pointer + text.size - 8;
  return {LoadWord(reinterpret_cast<const char*>(&text)), LoadWord(tail)};
}

inline uint64_t TextDictionary::Ends::Hash() const { return MixWords(head, tail); }

// The last eight bytes, and the first four, were compared.
inline bool TextDictionary::IsSame(const char* bytes, const duck::String& text) {
  for (size_t i = 0; i + 8 < text.size; i += 8) {
    if (LoadWord(bytes + i) != LoadWord(text.pointer + i)) return false;
  }
  return true;
}

}  // namespace qn::parquet
