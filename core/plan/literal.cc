// Constants as SQL. Text forms rather than numbers wherever SQL would give a number another type.
#include "plan/literal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace qn::plan {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

std::string Text(const char* format, auto... values) {
  std::array<char, 128> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

std::string HugeText(unsigned __int128 value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return out;
}

// {"upper": …, "lower": …}, members that are 0 left out; or a plain number.
std::string IntegerText(const Json& value, bool is_signed) {
  if (!value.IsObject()) return value.IsInt() ? std::to_string(value.Int()) : std::to_string(value.Uint());
  const uint64_t lower = value["lower"].Uint();
  if (!is_signed) return HugeText((static_cast<unsigned __int128>(value["upper"].Uint()) << 64) | lower);
  const int64_t upper = value["upper"].Int();
  const auto bits = (static_cast<unsigned __int128>(static_cast<uint64_t>(upper)) << 64) | lower;
  return upper < 0 ? "-" + HugeText(-bits) : HugeText(bits);
}

// The digits of a scaled integer with its point.
std::string DecimalText(std::string digits, uint8_t scale) {
  const bool is_negative = digits[0] == '-';
  if (is_negative) digits.erase(0, 1);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (is_negative ? "-" : "") + digits;
}

std::string FloatText(const Json& value, bool is_double) {
  if (value.IsString()) return value.Str();
  const double number = value.Number();
  std::array<char, 64> buffer{};
  const auto end =
      is_double ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), number)
                : std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(number));
  return std::string(buffer.data(), end.ptr);
}

// Days since 1970 as DuckDB prints a DATE: the civil calendar without a year 0, "(BC)" before it.
std::string DateText(int64_t days) {
  if (days == INT32_MAX) return "infinity";
  if (days == -INT32_MAX) return "-infinity";
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_index = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const int64_t month = month_index + (month_index < 10 ? 3 : -9);
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const long long shown = year > 0 ? year : 1 - year;
  return Text("%04lld-%02lld-%02lld%s", shown, static_cast<long long>(month), static_cast<long long>(day),
              year > 0 ? "" : " (BC)");
}

// Units since midnight; `digits` of them below the second.
std::string TimeText(int64_t units, int64_t per_second, int digits) {
  const long long seconds = units / per_second;
  const long long below = units % per_second;
  std::string out = Text("%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (below != 0) out += Text(".%0*lld", digits, below);
  return out;
}

// Units since 1970.
std::string TimestampText(int64_t units, int64_t per_second, int digits) {
  if (units == INT64_MAX) return "infinity";
  if (units == -INT64_MAX) return "-infinity";
  const int64_t per_day = 86400 * per_second;
  int64_t days = units / per_day;
  int64_t rest = units % per_day;
  if (rest < 0) {
    rest += per_day;
    --days;
  }
  return DateText(days) + " " + TimeText(rest, per_second, digits);
}

std::string IntervalText(const Json& value) {
  return std::to_string(value["months"].Int()) + " months " + std::to_string(value["days"].Int()) + " days " +
         std::to_string(value["micros"].Int()) + " microseconds";
}

std::string UuidText(const Json& value) {
  // The top bit is flipped so that UUIDs sort as integers.
  const uint64_t upper = static_cast<uint64_t>(value["upper"].Int()) ^ (uint64_t{1} << 63);
  const uint64_t lower = value["lower"].Uint();
  const auto part = [](uint64_t bits) { return static_cast<unsigned long long>(bits); };
  return Text("%08llx-%04llx-%04llx-%04llx-%012llx", part(upper >> 32), part((upper >> 16) & 0xFFFF),
              part(upper & 0xFFFF), part(lower >> 48), part(lower & 0xFFFFFFFFFFFF));
}

Status Refuse(const Type& type) {
  return Invalid("QN-1208", "A constant of type " + type.ToSql() + " cannot be carried into the plan.");
}

Result<std::string> Children(const Json& value, const Type& type) {
  const Json::Array& items = value["children"].Items();
  const bool is_struct = type.id == TypeId::kStruct;
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    const size_t child = is_struct ? i : 0;
    if (child >= type.children.size()) return Refuse(type);
    QN_GET(std::string text, Literal(items[i], type.children[child].type));
    if (!out.empty()) out += ", ";
    if (is_struct) out += QuoteName(type.children[i].name) + " := ";
    out += text;
  }
  return out;
}

Result<std::string> Nested(const Json& value, const Type& type) {
  if (type.id == TypeId::kMap) {
    // Stored as a list of STRUCT(key, value).
    Type entry = Type::Of(TypeId::kStruct);
    entry.children = type.children;
    if (entry.children.size() != 2) return Refuse(type);
    entry.children[0].name = "key";
    entry.children[1].name = "value";
    QN_GET(std::string entries, Children(value, Type::ListOf(entry)));
    return CastSql("map_from_entries([" + entries + "])", type);
  }
  QN_GET(std::string items, Children(value, type));
  if (type.id == TypeId::kStruct) return CastSql("struct_pack(" + items + ")", type);
  return CastSql("[" + items + "]", type);
}

Result<std::string> TextOf(const Json& json, const Type& type) {
  switch (type.id) {
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kHugeInt:
      return IntegerText(json, true);
    case TypeId::kUTinyInt:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger:
    case TypeId::kUBigInt:
    case TypeId::kUHugeInt:
      return IntegerText(json, false);
    case TypeId::kDecimal:
      return DecimalText(IntegerText(json, true), type.scale);
    case TypeId::kFloat:
      return FloatText(json, false);
    case TypeId::kDouble:
      return FloatText(json, true);
    case TypeId::kDate:
      return DateText(json.Int());
    case TypeId::kTime:
      return TimeText(json.Int(), kMicrosPerSecond, 6);
    case TypeId::kTimestamp:
      return TimestampText(json.Int(), kMicrosPerSecond, 6);
    case TypeId::kTimestampS:
      return TimestampText(json.Int(), 1, 0);
    case TypeId::kTimestampMs:
      return TimestampText(json.Int(), 1000, 3);
    case TypeId::kTimestampNs:
      return TimestampText(json.Int(), 1'000'000'000, 9);
    case TypeId::kTimestampTz: {
      const std::string text = TimestampText(json.Int(), kMicrosPerSecond, 6);
      if (text.find("infinity") != std::string::npos) return text;
      return text + "+00";
    }
    case TypeId::kInterval:
      return IntervalText(json);
    case TypeId::kUuid:
      return UuidText(json);
    case TypeId::kBlob:  // already DuckDB's escaped text
    case TypeId::kJson:
      return json.Str();
    case TypeId::kEnum: {
      const uint64_t index = json.Uint();
      if (index >= type.labels.size()) return Refuse(type);
      return type.labels[index];
    }
    default:
      return Refuse(type);
  }
}

// A string literal; a NUL byte cannot stand in SQL text.
std::string StringSql(const std::string& text) {
  const size_t nul = text.find('\0');
  if (nul == std::string::npos) return QuoteText(text);
  return "(" + QuoteText(text.substr(0, nul)) + " || chr(0) || " + StringSql(text.substr(nul + 1)) + ")";
}

}  // namespace

std::string CastSql(const std::string& text, const Type& type) {
  return "CAST(" + text + " AS " + type.ToSql() + ")";
}

bool IsSqlType(const Type& type) {
  if (type.id == TypeId::kOther || type.id == TypeId::kNull) return false;
  for (const Field& child : type.children) {
    if (!IsSqlType(child.type)) return false;
  }
  return true;
}

Result<std::string> Literal(const Json& value, const Type& type) {
  if (value["is_null"].Bool()) {
    if (type.id == TypeId::kNull) return std::string("NULL");
    if (!IsSqlType(type)) return Refuse(type);
    return CastSql("NULL", type);
  }
  const Json& json = value["value"];
  // Left out of the JSON: DuckDB had no form for it. A zero INTERVAL is an empty object.
  if (json.IsNull()) return Refuse(type);
  switch (type.id) {
    case TypeId::kBoolean:
      return std::string(json.Bool() ? "true" : "false");
    case TypeId::kVarchar:
      return StringSql(json.Str());
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kArray:
    case TypeId::kMap:
      return Nested(json, type);
    case TypeId::kInteger:
      // As a bare number it has this type already, and reads better.
      if (json.Int() >= 0) return std::to_string(json.Int());
      [[fallthrough]];
    default:
      break;
  }
  QN_GET(std::string text, TextOf(json, type));
  return CastSql(QuoteText(text), type);
}

}  // namespace qn::plan
