// Blocks of 128 numbers in four runs of 32, as other writers cut them. Distances wrap around in the type's
// own width: readers add them the same way.
#include "formats/parquet/delta.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

namespace qn::parquet {
namespace {

constexpr size_t kBlock = 128;
constexpr size_t kRun = 32;
constexpr size_t kRuns = kBlock / kRun;
constexpr size_t kWidthMax = 64;
constexpr size_t kVarintMax = 10;

char* PutVarint(uint64_t value, char* out) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

// 32 numbers below 2^kWidth in 4 * kWidth bytes. Writes up to 8 bytes more. Of a known width, so that each
// number's place is known to the compiler.
template <size_t kWidth>
void PackRun(const uint64_t* values, char* out) {
  uint64_t word = 0;
  size_t filled = 0;
#pragma GCC unroll 32
  for (size_t i = 0; i < kRun; ++i) {
    word |= values[i] << filled;
    filled += kWidth;
    if (filled < 64) continue;
    std::memcpy(out, &word, 8);
    out += 8;
    filled -= 64;
    word = filled == 0 ? 0 : values[i] >> (kWidth - filled);
  }
  std::memcpy(out, &word, 8);
}

using Packer = void (*)(const uint64_t*, char*);

template <size_t... kWidths>
constexpr std::array<Packer, sizeof...(kWidths)> Packers(std::index_sequence<kWidths...> /*widths*/) {
  return {&PackRun<kWidths>...};
}

constexpr auto kPackers = Packers(std::make_index_sequence<kWidthMax + 1>());

// `size` numbers, those behind values[0].
template <typename T>
void AppendBlock(const T* values, size_t size, Buffer& out) {
  using Bits = std::make_unsigned_t<T>;
  uint64_t far[kBlock];
  T distances[kBlock];
  T least = std::numeric_limits<T>::max();
  for (size_t i = 0; i < size; ++i) {
    distances[i] = static_cast<T>(static_cast<Bits>(values[i + 1]) - static_cast<Bits>(values[i]));
    least = std::min(least, distances[i]);
  }
  for (size_t i = 0; i < size; ++i)
    far[i] = static_cast<Bits>(static_cast<Bits>(distances[i]) - static_cast<Bits>(least));
  std::fill(far + size, far + kBlock, 0);

  char* const begin = out.Reserve(kVarintMax + kRuns + kBlock * sizeof(T) + 8);
  char* const widths = PutVarint(ZigZag(least), begin);
  char* at = widths + kRuns;
  for (size_t run = 0; run < kRuns; ++run) {
    uint64_t all = 0;
    for (size_t i = 0; i < kRun; ++i) all |= far[run * kRun + i];
    const auto width = static_cast<size_t>(std::bit_width(all));
    widths[run] = static_cast<char>(width);
    if (width == 0) continue;  // a run behind the end has no body
    kPackers[width](far + run * kRun, at);
    at += width * kRun / 8;
  }
  out.Advance(static_cast<size_t>(at - begin));
}

template <typename T>
void Append(const T* values, size_t size, Buffer& out) {
  char* const begin = out.Reserve(4 * kVarintMax);
  char* at = PutVarint(kBlock, begin);
  at = PutVarint(kRuns, at);
  at = PutVarint(size, at);
  at = PutVarint(ZigZag(size == 0 ? 0 : values[0]), at);
  out.Advance(static_cast<size_t>(at - begin));
  for (size_t i = 1; i < size; i += kBlock) AppendBlock(values + i - 1, std::min(kBlock, size - i), out);
}

}  // namespace

void AppendDeltas(const int32_t* values, size_t size, Buffer& out) { Append(values, size, out); }
void AppendDeltas(const int64_t* values, size_t size, Buffer& out) { Append(values, size, out); }

}  // namespace qn::parquet
