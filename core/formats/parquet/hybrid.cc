// A run of equal values is worth its header only when it is long; all else is packed in groups of eight.
#include "formats/parquet/hybrid.h"

#include <bit>

namespace qn::parquet {
namespace {

using Wide = unsigned __int128;

void AppendVarint(uint64_t value, Buffer& out) {
  char* p = out.Reserve(10);
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) p[size++] = static_cast<char>(value | 0x80);
  p[size++] = static_cast<char>(value);
  out.Advance(size);
}

// Eight values in `bits` bytes. Writes up to 16 bytes.
template <typename T>
void PackGroup(const T* v, int bits, char* out) {
  const auto four = [bits](const T* q) {
    return static_cast<uint64_t>(q[0]) | static_cast<uint64_t>(q[1]) << bits |
           static_cast<uint64_t>(q[2]) << 2 * bits | static_cast<uint64_t>(q[3]) << 3 * bits;
  };
  const Wide packed = Wide{four(v)} | Wide{four(v + 4)} << 4 * bits;
  std::memcpy(out, &packed, sizeof packed);
}

// Values behind the last one are zeros in the file.
template <typename T>
void AppendPacked(const T* values, size_t size, int bits, Buffer& out) {
  if (size == 0) return;
  const size_t groups = (size + 7) / 8;
  AppendVarint(groups << 1 | 1, out);
  const auto step = static_cast<size_t>(bits);
  char* p = out.Reserve(groups * step);
  const size_t whole = size / 8;
  for (size_t i = 0; i < whole; ++i, p += step) PackGroup(values + i * 8, bits, p);
  if (whole < groups) {
    T last[8] = {};
    for (size_t i = whole * 8; i < size; ++i) last[i - whole * 8] = values[i];
    PackGroup(last, bits, p);
  }
  out.Advance(groups * step);
}

template <typename T>
void Append(const T* values, size_t size, int bits, Buffer& out) {
  const size_t run_min = bits == 1 ? 64 : 16;
  size_t packed_from = 0;
  size_t i = 0;
  while (i < size) {
    const T value = values[i];
    if (i + run_min > size || values[i + 7] != value || values[i + 1] != value) {
      i += 8;
      continue;
    }
    size_t end = i + 1;
    while (end < size && values[end] == value) ++end;
    if (end - i < run_min) {
      i += (end - i) / 8 * 8 + 8;  // the next place where a packed run may end
      continue;
    }
    AppendPacked(values + packed_from, i - packed_from, bits, out);
    AppendRun(value, end - i, bits, out);
    i = packed_from = end;
  }
  AppendPacked(values + packed_from, size - packed_from, bits, out);
}

}  // namespace

int BitsFor(uint32_t max) { return std::bit_width(max); }

void AppendRun(uint32_t value, size_t size, int bits, Buffer& out) {
  AppendVarint(uint64_t{size} << 1, out);
  out.Append(&value, static_cast<size_t>(bits + 7) / 8);
}

void AppendHybrid(const uint8_t* values, size_t size, int bits, Buffer& out) {
  Append(values, size, bits, out);
}

void AppendHybrid(const uint16_t* values, size_t size, int bits, Buffer& out) {
  Append(values, size, bits, out);
}

}  // namespace qn::parquet
