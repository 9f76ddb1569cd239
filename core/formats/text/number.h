// Text to numbers, exact or refused. As DuckDB's CAST with these differences. Refused although CAST takes it:
// digits grouped by '_', hexadecimal and binary integers, a fraction that is not zero for an integer (CAST
// rounds it away), a DOUBLE or FLOAT beyond the type (CAST gives infinity), "1e2.". Taken although CAST
// refuses it: "-.0" for unsigned integers, a DECIMAL whose exponent CAST calculates too narrowly ("135e-1" as
// DECIMAL(4,2)).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "formats/text/fault.h"

namespace qn::text {

using Int128 = __int128;
using UInt128 = unsigned __int128;

// A number as JSON spells it, read once. `end` is nullptr when it is not one.
struct Number {
  const char* end = nullptr;
  uint64_t mantissa = 0;  // its digits without the point; only when is_exact
  int32_t exponent = 0;   // value = ± mantissa × 10^exponent
  bool is_negative = false;
  bool is_integral = true;  // no point and no exponent in the text
  bool is_exact = true;     // at most 19 digits, small exponent
};

// The text must end with a byte that cannot be part of a number ('\n', '"', a delimiter) and be followed by
// eight readable bytes.
inline Number ScanNumber(const char* p);

bool IsSpace(char c);
std::string_view Trim(std::string_view text);

// T: int8_t … int64_t, uint8_t … uint64_t, Int128, UInt128. Takes "1.0" and "1e3" as well, not "1.5".
template <typename T>
Fault ParseInteger(std::string_view text, T* out);

// NaN, Inf and Infinity (any case, signed) are values. Too large is kRange; too small becomes zero.
Fault ParseDouble(std::string_view text, double* out);
Fault ParseFloat(std::string_view text, float* out);

// The unscaled value. More digits than `scale` are rounded half away from zero.
Fault ParseDecimal(std::string_view text, uint8_t width, uint8_t scale, Int128* out);

// What `number` is as an unscaled DECIMAL, when that needs no rounding; false: ask ParseDecimal.
inline bool DecimalFromNumber(const Number& number, uint8_t width, uint8_t scale, int64_t* out);
// The same for DOUBLE: only where one multiplication or division is exact.
inline bool DoubleFromNumber(const Number& number, double* out);

// ---- Inline parts: a record has a dozen of these.

namespace internal {

inline constexpr int kPowersMax = 18;
inline constexpr uint64_t kPowersOfTen[kPowersMax + 1] = {1ULL,
                                                          10ULL,
                                                          100ULL,
                                                          1000ULL,
                                                          10000ULL,
                                                          100000ULL,
                                                          1000000ULL,
                                                          10000000ULL,
                                                          100000000ULL,
                                                          1000000000ULL,
                                                          10000000000ULL,
                                                          100000000000ULL,
                                                          1000000000000ULL,
                                                          10000000000000ULL,
                                                          100000000000000ULL,
                                                          1000000000000000ULL,
                                                          10000000000000000ULL,
                                                          100000000000000000ULL,
                                                          1000000000000000000ULL};
inline constexpr int kExactPowersMax = 22;
inline constexpr double kExactPowers[kExactPowersMax + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Exponent text to a number; far beyond any type it stops counting.
inline constexpr int32_t kExponentMax = 100'000'000;

inline bool ScanExponent(const char*& p, int32_t* exponent) {
  const bool is_negative = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  if (!IsDigit(*p)) return false;
  int32_t value = 0;
  for (; IsDigit(*p); ++p) {
    if (value < kExponentMax) value = value * 10 + (*p - '0');
  }
  *exponent = is_negative ? -value : value;
  return true;
}

// Eight ASCII digits, the first in the lowest byte, to their value.
inline uint64_t EightDigits(uint64_t bytes) {
  bytes -= 0x3030303030303030ULL;
  bytes = bytes * 10 + (bytes >> 8);
  constexpr uint64_t kMask = 0x000000ff000000ffULL;
  constexpr uint64_t kHundreds = 100 + (1000000ULL << 32);
  constexpr uint64_t kOnes = 1 + (10000ULL << 32);
  return ((bytes & kMask) * kHundreds + (bytes >> 16 & kMask) * kOnes) >> 32;
}

// How many of the eight bytes are digits before the first that is none.
inline int LeadingDigits(uint64_t bytes) {
  const uint64_t low = bytes - 0x3030303030303030ULL;   // top bit: below '0', at the first such byte at least
  const uint64_t high = bytes + 0x4646464646464646ULL;  // top bit: above '9'
  const uint64_t others = (low | high | bytes) & 0x8080808080808080ULL;
  return others == 0 ? 8 : __builtin_ctzll(others) / 8;
}

// Appends the digits at `p` to `*value` and returns their end. Without a branch for each digit: how many
// there are is what a processor cannot guess.
inline const char* ScanDigits(const char* p, uint64_t* value) {
  while (true) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, p, sizeof(bytes));
    const int count = LeadingDigits(bytes);
    if (count == 8) {
      *value = *value * 100'000'000 + EightDigits(bytes);
      p += 8;
      continue;
    }
    if (count == 0) return p;
    // The digits move to the high end, and '0's in front of them.
    bytes = bytes << (64 - 8 * count) | 0x3030303030303030ULL >> (8 * count);
    *value = *value * kPowersOfTen[count] + EightDigits(bytes);
    return p + count;
  }
}

}  // namespace internal

inline Number ScanNumber(const char* p) {
  Number out;
  out.is_negative = *p == '-';
  p += out.is_negative ? 1 : 0;
  uint64_t mantissa = 0;
  const char* const whole = p;
  p = internal::ScanDigits(p, &mantissa);
  const int64_t whole_digits = p - whole;
  if (whole_digits == 0 || (*whole == '0' && whole_digits > 1)) return out;
  int64_t digits_in_all = whole_digits;
  if (*p == '.') {
    const char* const fraction = ++p;
    p = internal::ScanDigits(p, &mantissa);
    if (p == fraction) return out;
    digits_in_all += p - fraction;
    out.exponent = static_cast<int32_t>(fraction - p);
    out.is_integral = false;
  }
  if ((*p | 0x20) == 'e') {
    ++p;
    int32_t exponent = 0;
    if (!internal::ScanExponent(p, &exponent)) return out;
    out.exponent += exponent;
    out.is_integral = false;
  }
  out.mantissa = mantissa;
  out.is_exact = digits_in_all <= 19;
  out.end = p;
  return out;
}

inline bool DecimalFromNumber(const Number& number, uint8_t width, uint8_t scale, int64_t* out) {
  const int32_t shift = number.exponent + scale;
  if (!number.is_exact || width > internal::kPowersMax || shift < 0 || shift > internal::kPowersMax)
    return false;
  uint64_t unscaled = 0;
  if (__builtin_mul_overflow(number.mantissa, internal::kPowersOfTen[shift], &unscaled)) return false;
  if (unscaled >= internal::kPowersOfTen[width]) return false;
  *out = number.is_negative ? -static_cast<int64_t>(unscaled) : static_cast<int64_t>(unscaled);
  return true;
}

inline bool DoubleFromNumber(const Number& number, double* out) {
  constexpr uint64_t kExactMax = uint64_t{1} << 53;
  if (!number.is_exact || number.mantissa > kExactMax) return false;
  double value = static_cast<double>(number.mantissa);
  if (number.exponent < 0) {
    if (number.exponent < -internal::kExactPowersMax) return false;
    value /= internal::kExactPowers[-number.exponent];
  } else {
    if (number.exponent > internal::kExactPowersMax) return false;
    value *= internal::kExactPowers[number.exponent];
  }
  *out = number.is_negative ? -value : value;
  return true;
}

}  // namespace qn::text
