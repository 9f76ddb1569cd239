// Sections as bytes, for both kinds of trace: a header (format, kind, how many keys and entries), then
// entries of varints and bytes. Everything read is checked; nothing is believed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/status.h"
#include "trace/memory.h"

namespace qn::trace {

inline constexpr size_t kSectionHeader = 2 + 8 + 8;
inline constexpr char kSectionVersion = 1;
// Of what is written at once; a section is longer by its last entry. This much memory a checkpoint needs,
// when it is written and when it is read, beside the budget.
inline constexpr size_t kSectionBytes = size_t{16} << 20;

inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// A section that is being written. Room is made a piece at a time, so that what is small costs little.
class SectionWriter {
 public:
  explicit SectionWriter(char kind) : kind_(kind) {}

  // An entry is numbers and bytes, and then EndEntry.
  void Put(uint64_t number, std::string_view bytes) {
    if (bytes_.size() < size_ + bytes.size() + kVarintMax) Grow(bytes.size() + kVarintMax);
    char* at = bytes_.data() + size_;
    for (; number >= 0x80; number >>= 7) *at++ = static_cast<char>(number | 0x80);
    *at++ = static_cast<char>(number);
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    size_ = static_cast<size_t>(at - bytes_.data()) + bytes.size();
  }
  void EndEntry(bool is_counted_key) {
    keys_ += is_counted_key ? 1 : 0;
    ++entries_;
  }

  bool is_empty() const { return entries_ == 0; }
  // Time to hand it out and to begin another one.
  bool is_full() const { return size_ >= kSectionBytes; }
  uint64_t entry_bytes() const { return size_ - kSectionHeader; }
  size_t held() const { return HeldBytes(bytes_); }

  // The section as it is now; lives until the next call.
  std::string_view Section() {
    if (bytes_.size() < kSectionHeader) bytes_.resize(kSectionHeader);
    bytes_[0] = kSectionVersion;
    bytes_[1] = kind_;
    std::memcpy(bytes_.data() + 2, &keys_, sizeof(keys_));
    std::memcpy(bytes_.data() + 2 + sizeof(keys_), &entries_, sizeof(entries_));
    return std::string_view(bytes_).substr(0, size_);
  }
  // Begins another one, in the same memory.
  void Restart() {
    size_ = kSectionHeader;
    keys_ = entries_ = 0;
  }
  // The same; large memory goes back.
  void Clear(size_t bytes_kept) {
    Restart();
    Release(bytes_, bytes_kept);
  }

 private:
  static constexpr size_t kVarintMax = 10;
  void Grow(size_t more) {
    const size_t step = std::clamp<size_t>(size_ / 2, size_t{4} << 10, size_t{64} << 20);
    bytes_.resize(size_ + more + step);
  }

  const char kind_;
  std::string bytes_;  // room for the header, the entries, room
  size_t size_ = kSectionHeader;
  uint64_t keys_ = 0, entries_ = 0;
};

// Reads from the front; false, and nothing more, once the bytes make no sense.
class SectionReader {
 public:
  explicit SectionReader(std::string_view bytes) : bytes_(bytes) {}

  // `keys` and `entries` are at most what the bytes can hold.
  bool Header(char kind, uint64_t* keys, uint64_t* entries) {
    if (bytes_.size() < kSectionHeader || bytes_[0] != kSectionVersion || bytes_[1] != kind) return false;
    std::memcpy(keys, bytes_.data() + 2, sizeof(*keys));
    std::memcpy(entries, bytes_.data() + 10, sizeof(*entries));
    bytes_.remove_prefix(kSectionHeader);
    return *keys <= *entries && *entries <= bytes_.size();
  }
  bool Varint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) return false;
      *value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool Bytes(uint64_t size, std::string_view* out) {
    if (size > bytes_.size()) return false;
    *out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  bool AtEnd() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

inline Status DamagedSection(std::string_view section) {
  return Status(Kind::kFailed, "QN-3407", "A section of remembered rows is damaged.")
      .With("Its " + std::to_string(section.size()) + " bytes make no sense to this version of Qanat.");
}

}  // namespace qn::trace
