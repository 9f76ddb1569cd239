// Sections as bytes, for both kinds of trace: a header (format, kind, how many keys and entries), then
// entries of varints and bytes. Everything read is checked; nothing is believed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/status.h"

namespace qn::trace {

inline constexpr size_t kSectionHeader = 2 + 8 + 8;
inline constexpr char kSectionVersion = 1;

inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

inline void AppendSectionHeader(char kind, uint64_t keys, uint64_t entries, std::string& out) {
  out.push_back(kSectionVersion);
  out.push_back(kind);
  out.append(reinterpret_cast<const char*>(&keys), sizeof(keys));
  out.append(reinterpret_cast<const char*>(&entries), sizeof(entries));
}

// Appends entries: room is made a piece at a time, so that what is small costs little. The text is `out`'s
// own again once the writer is gone.
class SectionWriter {
 public:
  explicit SectionWriter(std::string& out) : out_(out), size_(out.size()) {}
  ~SectionWriter() { out_.resize(size_); }
  SectionWriter(const SectionWriter&) = delete;
  SectionWriter& operator=(const SectionWriter&) = delete;

  // A number, and then bytes.
  void Put(uint64_t number, std::string_view bytes) {
    if (out_.size() - size_ < bytes.size() + kVarintMax) Grow(bytes.size() + kVarintMax);
    char* at = out_.data() + size_;
    for (; number >= 0x80; number >>= 7) *at++ = static_cast<char>(number | 0x80);
    *at++ = static_cast<char>(number);
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    size_ = static_cast<size_t>(at - out_.data()) + bytes.size();
  }

 private:
  static constexpr size_t kVarintMax = 10;
  void Grow(size_t more) {
    const size_t step = std::clamp<size_t>(size_ / 2, size_t{4} << 10, size_t{64} << 20);
    out_.resize(size_ + more + step);
  }

  std::string& out_;
  size_t size_;
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
