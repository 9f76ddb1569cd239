// DuckDB's text forms are checked against DuckDB by the tests, odd years and infinities included.
#include "formats/parquet/bounds.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace qn::parquet {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;

// Digits of |value|, at least `digits_min` of them.
std::string Digits(Int128 value, size_t digits_min) {
  auto rest = static_cast<unsigned __int128>(value);
  if (value < 0) rest = ~rest + 1;
  std::string text;
  while (rest != 0 || text.size() < digits_min) {
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  return text;
}

std::string DecimalText(Int128 value, uint8_t scale) {
  std::string text = Digits(value, size_t{scale} + 1);
  if (scale > 0) text.insert(text.size() - scale, ".");
  return value < 0 ? "-" + text : text;
}

// Days since 1970 to a civil date (Howard Hinnant's algorithm, public domain).
std::string DateText(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t doe = days - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const int64_t day = doy - (153 * mp + 2) / 5 + 1;
  const int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  char text[48];
  std::snprintf(text, sizeof text, "%04lld-%02d-%02d%s", static_cast<long long>(year > 0 ? year : 1 - year),
                static_cast<int>(month), static_cast<int>(day), year > 0 ? "" : " (BC)");
  return text;
}

std::string TimeText(int64_t micros) {
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(micros / 3'600'000'000),
                static_cast<int>(micros / 60'000'000 % 60), static_cast<int>(micros / 1'000'000 % 60));
  std::string out = text;
  if (micros % 1'000'000 != 0) {
    std::snprintf(text, sizeof text, ".%06d", static_cast<int>(micros % 1'000'000));
    out += text;
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}

std::string TimestampText(int64_t micros, bool has_zone) {
  if (micros == std::numeric_limits<int64_t>::max()) return "infinity";
  if (micros == -std::numeric_limits<int64_t>::max()) return "-infinity";
  int64_t days = micros / kDayMicros;
  int64_t rest = micros % kDayMicros;
  if (rest < 0) {
    rest += kDayMicros;
    --days;
  }
  std::string date = DateText(days);
  std::string end;
  if (date.ends_with(" (BC)")) {
    end = " (BC)";
    date.resize(date.size() - end.size());
  }
  // DuckDB puts the era behind the date, where the date's own text has it.
  return date + end + " " + TimeText(rest) + (has_zone ? "+00" : "");
}

// The shortest digits that give the same number back, laid out as DuckDB does.
template <typename T>
std::string RealText(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const std::string_view all(text, static_cast<size_t>(end - text));
  const size_t e = all.find('e');
  int exponent = 0;
  std::from_chars(all.data() + e + (all[e + 1] == '+' ? 2 : 1), all.data() + all.size(), exponent);
  if (exponent >= -4 && exponent < 16) {
    const auto fixed = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
    std::string out(text, fixed);
    return out.find('.') == std::string::npos ? out + ".0" : out;
  }
  std::string out(all.substr(0, e));
  char sign[16];
  std::snprintf(sign, sizeof sign, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
  return out + sign;
}

std::string HexText(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

template <typename T>
std::string Bytes(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string BytesOf(const Leaf& leaf, Int128 number, double real, const std::string& text) {
  switch (leaf.physical) {
    case Physical::kBoolean:
      return Bytes(static_cast<uint8_t>(number));
    case Physical::kInt32:
      return Bytes(static_cast<int32_t>(number));
    case Physical::kInt64:
      return Bytes(static_cast<int64_t>(number));
    case Physical::kFloat:
      return Bytes(static_cast<float>(real));
    case Physical::kDouble:
      return Bytes(real);
    case Physical::kFixed: {
      std::string out(static_cast<size_t>(leaf.width), '\0');
      PutBigEndian(number, leaf.width, out.data());
      return out;
    }
    case Physical::kByteArray:
      break;
  }
  return text;
}

std::string TextOf(const Type& type, Int128 number, double real, const std::string& text) {
  switch (type.id) {
    case TypeId::kFloat:
      return RealText(static_cast<float>(real));
    case TypeId::kDouble:
      return RealText(real);
    case TypeId::kVarchar:
      return text;
    case TypeId::kBlob:
      return HexText(text);
    case TypeId::kBoolean:
      return number != 0 ? "1" : "0";  // so RETURN_STATS tells it
    default:
      return NumberText(number, type);
  }
}

}  // namespace

void Bounds::AddNumbers(Int128 least, Int128 greatest) {
  low = has_values ? std::min(low, least) : least;
  high = has_values ? std::max(high, greatest) : greatest;
  has_values = true;
}

void Bounds::AddReals(double least, double greatest) {
  low_real = has_values ? std::min(low_real, least) : least;
  high_real = has_values ? std::max(high_real, greatest) : greatest;
  has_values = true;
}

void Bounds::AddText(std::string_view text) {
  const bool is_low = !has_values || text < low_text;
  const bool is_high = !has_values || text > high_text;
  has_values = true;
  if (!is_low && !is_high) return;
  if (text.size() > kBoundBytesMax) {
    is_lost = true;
    return;
  }
  if (is_low) low_text = text;
  if (is_high) high_text = text;
}

void Bounds::Add(const Bounds& other, const Type& type) {
  has_nan = has_nan || other.has_nan;
  is_lost = is_lost || other.is_lost;
  if (!other.has_values) return;
  if (type.id == TypeId::kVarchar || type.id == TypeId::kBlob) {
    AddText(other.low_text);
    AddText(other.high_text);
  } else if (type.id == TypeId::kFloat || type.id == TypeId::kDouble) {
    AddReals(other.low_real, other.high_real);
  } else {
    AddNumbers(other.low, other.high);
  }
}

std::string LowBytes(const Bounds& bounds, const Leaf& leaf) {
  return BytesOf(leaf, bounds.low, bounds.low_real == 0 ? -0.0 : bounds.low_real, bounds.low_text);
}

std::string HighBytes(const Bounds& bounds, const Leaf& leaf) {
  return BytesOf(leaf, bounds.high, bounds.high_real == 0 ? 0.0 : bounds.high_real, bounds.high_text);
}

std::string LowText(const Bounds& bounds, const Type& type) {
  return TextOf(type, bounds.low, bounds.low_real, bounds.low_text);
}

std::string HighText(const Bounds& bounds, const Type& type) {
  return TextOf(type, bounds.high, bounds.high_real, bounds.high_text);
}

std::string NumberText(Int128 value, const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return value != 0 ? "true" : "false";
    case TypeId::kDecimal:
      return DecimalText(value, type.scale);
    case TypeId::kDate:
      if (value == std::numeric_limits<int32_t>::max()) return "infinity";
      if (value == -std::numeric_limits<int32_t>::max()) return "-infinity";
      return DateText(static_cast<int64_t>(value));
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return TimestampText(static_cast<int64_t>(value), type.id == TypeId::kTimestampTz);
    default:
      return DecimalText(value, 0);
  }
}

void PutBigEndian(Int128 value, int32_t width, char* out) {
  auto rest = static_cast<unsigned __int128>(value);
  for (int32_t i = width; i-- > 0; rest >>= 8) out[i] = static_cast<char>(rest & 0xFF);
}

}  // namespace qn::parquet
