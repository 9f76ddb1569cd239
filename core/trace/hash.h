// The hash of a trace's index: 64 bits over bytes of any length, 16 at a time, by wide multiplication. Not
// kept on disk, not for secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace qn::trace {

namespace hash_internal {

inline constexpr uint64_t kA = 0xa0761d6478bd642f;
inline constexpr uint64_t kB = 0xe7037ed1a0b428db;

inline uint64_t Mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

template <typename T>
uint64_t Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

}  // namespace hash_internal

inline uint64_t Hash(std::string_view bytes, uint64_t seed = 0) {
  using hash_internal::kA, hash_internal::kB, hash_internal::Load, hash_internal::Mix;
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t state = seed ^ kA;
  for (; left > 16; at += 16, left -= 16) {
    state = Mix(Load<uint64_t>(at) ^ kB, Load<uint64_t>(at + 8) ^ state);
  }
  uint64_t low = 0;
  uint64_t high = 0;  // the last 1 to 16 bytes; they may overlap, the size below tells lengths apart
  if (left >= 8) {
    low = Load<uint64_t>(at);
    high = Load<uint64_t>(at + left - 8);
  } else if (left >= 4) {
    low = Load<uint32_t>(at);
    high = Load<uint32_t>(at + left - 4);
  } else if (left > 0) {
    low = Load<uint8_t>(at) | Load<uint8_t>(at + left / 2) << 8 | Load<uint8_t>(at + left - 1) << 16;
  }
  return Mix(kB ^ bytes.size(), Mix(low ^ kB, high ^ state));
}

// Equality of what is mostly short, without a call.
inline bool IsSame(std::string_view a, std::string_view b) {
  using hash_internal::Load;
  if (a.size() != b.size()) return false;
  const size_t size = a.size();
  if (size > 64) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size < 8) {
    for (size_t i = 0; i < size; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
  for (size_t i = 0; i + 8 < size; i += 8) {
    if (Load<uint64_t>(a.data() + i) != Load<uint64_t>(b.data() + i)) return false;
  }
  return Load<uint64_t>(a.data() + size - 8) == Load<uint64_t>(b.data() + size - 8);
}

// As an index keeps it.
inline uint32_t ShortHash(std::string_view bytes, uint64_t seed = 0) {
  return static_cast<uint32_t>(Hash(bytes, seed) >> 32);
}

}  // namespace qn::trace
