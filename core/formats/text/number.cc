// Text to numbers: the general paths. Numbers of any length are read in linear time.
#include "formats/text/number.h"

#include <charconv>
#include <type_traits>

namespace qn::text {
namespace {

using internal::IsDigit;

// A number spelled more freely than JSON allows: +1, .5, 5., 007.
struct Spelling {
  bool is_negative = false;
  std::string_view whole;
  std::string_view fraction;
  int32_t exponent = 0;
};

std::string_view TakeDigits(std::string_view& text) {
  size_t n = 0;
  while (n < text.size() && IsDigit(text[n])) ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

bool TakeExponent(std::string_view& text, int32_t* exponent) {
  bool is_negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    is_negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const std::string_view digits = TakeDigits(text);
  if (digits.empty()) return false;
  int32_t value = 0;
  for (const char c : digits) {
    if (value < internal::kExponentMax) value = value * 10 + (c - '0');
  }
  *exponent = is_negative ? -value : value;
  return true;
}

bool Spell(std::string_view text, Spelling* out) {
  text = Trim(text);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    out->is_negative = text[0] == '-';
    text.remove_prefix(1);
  }
  out->whole = TakeDigits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    out->fraction = TakeDigits(text);
  }
  if (out->whole.empty() && out->fraction.empty()) return false;
  if (!text.empty() && (text[0] | 0x20) == 'e') {
    text.remove_prefix(1);
    if (!TakeExponent(text, &out->exponent)) return false;
  }
  return text.empty();
}

// The digits of whole and fraction as one row, cut at the point moved by the exponent and `scale` places.
struct Digits {
  std::string_view whole;
  std::string_view fraction;

  int64_t size() const { return static_cast<int64_t>(whole.size() + fraction.size()); }
  int at(int64_t i) const {
    const auto n = static_cast<size_t>(i);
    return (n < whole.size() ? whole[n] : fraction[n - whole.size()]) - '0';
  }
};

constexpr int kWidthMax = 38;

// ±(whole.fraction × 10^(exponent + scale)), rounded half away from zero; `lost` tells whether rounding
// dropped anything but zeros. Fails with kRange above 38 digits.
Fault Scale(const Spelling& spelling, int32_t scale, UInt128* out, bool* lost) {
  const Digits digits{spelling.whole, spelling.fraction};
  const int64_t cut = static_cast<int64_t>(spelling.whole.size()) + spelling.exponent + scale;
  UInt128 value = 0;
  int significant = 0;
  int64_t i = 0;
  for (; i < digits.size() && i < cut; ++i) {
    const int digit = digits.at(i);
    if (significant > 0 || digit != 0) ++significant;
    if (significant > kWidthMax) return Fault::kRange;
    value = value * 10 + static_cast<unsigned>(digit);
  }
  if (significant > 0) {
    if (cut - i > kWidthMax) return Fault::kRange;
    for (int64_t missing = cut - i; missing > 0; --missing) {
      if (++significant > kWidthMax) return Fault::kRange;
      value *= 10;
    }
  }
  *lost = false;
  const bool rounds_up = cut >= 0 && cut < digits.size() && digits.at(cut) >= 5;
  for (int64_t rest = cut < 0 ? 0 : cut; rest < digits.size() && !*lost; ++rest) *lost = digits.at(rest) != 0;
  *out = value + (rounds_up ? 1U : 0U);
  return Fault::kNone;
}

constexpr UInt128 Power(int exponent) {
  UInt128 value = 1;
  for (int i = 0; i < exponent; ++i) value *= 10;
  return value;
}

template <typename T>
constexpr bool IsSigned() {
  return static_cast<T>(-1) < static_cast<T>(0);
}

template <typename T>
constexpr UInt128 LargestOf(bool is_negative) {
  constexpr int kBits = static_cast<int>(sizeof(T)) * 8;
  if (!IsSigned<T>()) return is_negative ? UInt128{0} : ~UInt128{0} >> (128 - kBits);
  const UInt128 top = UInt128{1} << (kBits - 1);
  return is_negative ? top : top - 1;
}

// Integers wider than 38 digits, digit by digit.
template <typename T>
Fault PlainInteger(const Spelling& spelling, T* out) {
  const UInt128 largest = LargestOf<T>(spelling.is_negative);
  UInt128 value = 0;
  for (const char c : spelling.whole) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit > largest || value > (largest - digit) / 10) return Fault::kRange;
    value = value * 10 + digit;
  }
  *out = static_cast<T>(spelling.is_negative ? ~value + 1 : value);
  return Fault::kNone;
}

bool SameWord(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Where the first digit that is not zero stands, as a power of ten: tells overflow from underflow.
int64_t Magnitude(const Spelling& spelling) {
  for (size_t i = 0; i < spelling.whole.size(); ++i) {
    if (spelling.whole[i] != '0') return static_cast<int64_t>(spelling.whole.size() - i) + spelling.exponent;
  }
  for (size_t i = 0; i < spelling.fraction.size(); ++i) {
    if (spelling.fraction[i] != '0') return spelling.exponent - static_cast<int64_t>(i);
  }
  return INT64_MIN;
}

template <typename T>
Fault ParseFloating(std::string_view text, T* out) {
  text = Trim(text);
  const bool is_negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const T sign = is_negative ? T{-1} : T{1};
  if (SameWord(text, "nan")) return *out = sign * static_cast<T>(__builtin_nan("")), Fault::kNone;
  if (SameWord(text, "inf") || SameWord(text, "infinity")) {
    return *out = sign * static_cast<T>(__builtin_inf()), Fault::kNone;
  }
  Spelling spelling;
  if (text.empty() || text[0] == '-' || text[0] == '+' || !Spell(text, &spelling)) return Fault::kForm;
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    if (Magnitude(spelling) > 0) return Fault::kRange;
    value = 0;
  } else if (error != std::errc() || end != text.data() + text.size()) {
    return Fault::kForm;
  }
  *out = sign * value;
  return Fault::kNone;
}

}  // namespace

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

template <typename T>
Fault ParseInteger(std::string_view text, T* out) {
  Spelling spelling;
  if (!Spell(text, &spelling)) return Fault::kForm;
  if (spelling.exponent == 0 && spelling.fraction.empty()) return PlainInteger(spelling, out);
  UInt128 value = 0;
  bool lost = false;
  const Fault fault = Scale(spelling, 0, &value, &lost);
  if (fault != Fault::kNone) return fault;
  if (lost) return Fault::kFraction;
  if (value > LargestOf<T>(spelling.is_negative)) return Fault::kRange;
  *out = static_cast<T>(spelling.is_negative ? ~value + 1 : value);
  return Fault::kNone;
}

template Fault ParseInteger(std::string_view, int8_t*);
template Fault ParseInteger(std::string_view, int16_t*);
template Fault ParseInteger(std::string_view, int32_t*);
template Fault ParseInteger(std::string_view, int64_t*);
template Fault ParseInteger(std::string_view, uint8_t*);
template Fault ParseInteger(std::string_view, uint16_t*);
template Fault ParseInteger(std::string_view, uint32_t*);
template Fault ParseInteger(std::string_view, uint64_t*);
template Fault ParseInteger(std::string_view, Int128*);
template Fault ParseInteger(std::string_view, UInt128*);

Fault ParseDouble(std::string_view text, double* out) { return ParseFloating(text, out); }
Fault ParseFloat(std::string_view text, float* out) { return ParseFloating(text, out); }

Fault ParseDecimal(std::string_view text, uint8_t width, uint8_t scale, Int128* out) {
  Spelling spelling;
  if (!Spell(text, &spelling)) return Fault::kForm;
  UInt128 value = 0;
  bool lost = false;
  const Fault fault = Scale(spelling, scale, &value, &lost);
  if (fault != Fault::kNone) return fault;
  if (value >= Power(width)) return Fault::kRange;
  *out = spelling.is_negative ? -static_cast<Int128>(value) : static_cast<Int128>(value);
  return Fault::kNone;
}

}  // namespace qn::text
