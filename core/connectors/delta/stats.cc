// Numbers are copied as text: a DECIMAL(38) does not fit a double, and a rounded bound hides rows.
#include "connectors/delta/stats.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>

namespace qn::delta {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;
constexpr int64_t kYear0Micros = -62'167'219'200'000'000;
constexpr int64_t kYear10000Micros = 253'402'300'800'000'000;

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

int64_t ToInt(std::string_view digits) {
  int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Days since 1970 of a civil date, and back (Howard Hinnant's algorithms, public domain).
int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct Civil {
  int64_t year, month, day;
};

Civil CivilFromDays(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t doe = days - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  return {yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1};
}

// "YYYY-MM-DD" of a year between 0000 and 9999: other dates are written differently by different engines.
bool IsPlainDate(std::string_view text) {
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && IsDigits(text.substr(0, 4)) &&
         IsDigits(text.substr(5, 2)) && IsDigits(text.substr(8, 2));
}

// "+02", "-05:30", "+01:02:03" or nothing, in microseconds.
bool ParseOffset(std::string_view text, int64_t* micros) {
  *micros = 0;
  if (text.empty()) return true;
  const int64_t sign = text[0] == '-' ? -1 : 1;
  if (text[0] != '-' && text[0] != '+') return false;
  text.remove_prefix(1);
  static constexpr int64_t kUnits[] = {3'600'000'000, 60'000'000, 1'000'000};
  for (const int64_t unit : kUnits) {
    if (text.size() < 2 || !IsDigits(text.substr(0, 2))) return false;
    *micros += sign * unit * ToInt(text.substr(0, 2));
    text.remove_prefix(2);
    if (text.empty()) return true;
    if (text[0] != ':') return false;
    text.remove_prefix(1);
  }
  return false;
}

// A number in JSON's grammar, as it stands.
bool IsJsonNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) ++i;
    return i - start;
  };
  const size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[0] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// Length of the UTF-8 character at `text[at]`; 0 when it is not one.
size_t CharLength(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t size = lead < 0x80                   ? 1
                      : lead >= 0xC2 && lead < 0xE0 ? 2
                      : lead >= 0xE0 && lead < 0xF0 ? 3
                      : lead >= 0xF0 && lead < 0xF5 ? 4
                                                    : 0;
  if (size == 0 || at + size > text.size()) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  }
  return size;
}

uint32_t DecodeChar(std::string_view one) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(one[i])); };
  switch (one.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  }
}

std::string EncodeChar(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | (point >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

// The bound as JSON text; false when none can be given.
bool BoundJson(const Type& type, const std::string& value, bool upper, std::string* json) {
  switch (type.id) {
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kDecimal:
      *json = value;
      return IsJsonNumber(value);
    case TypeId::kFloat:
    case TypeId::kDouble:
      *json = value;
      // Engines differ in whether -0 is below 0, so a zero bound includes both.
      if (value == "0.0" && !upper) *json = "-0.0";
      if (value == "-0.0" && upper) *json = "0.0";
      return IsJsonNumber(value);
    case TypeId::kDate:
      *json = "\"" + value + "\"";
      return IsPlainDate(value);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: {
      int64_t micros = 0;
      if (!ParseTimestamp(value, &micros)) return false;
      const int64_t rest = ((micros % 1000) + 1000) % 1000;
      micros += upper && rest != 0 ? 1000 - rest : -rest;
      if (micros >= kYear10000Micros) return false;
      *json = "\"" + FormatTimestamp(micros, 3, 'T') + (type.id == TypeId::kTimestampTz ? "Z\"" : "\"");
      return true;
    }
    case TypeId::kVarchar: {
      std::string bound;
      if (!TextBound(value, upper, &bound)) return false;
      json->clear();
      AppendJsonString(bound, *json);
      return true;
    }
    default:
      return false;
  }
}

// Writes the three objects of one level of the schema at the same time.
class Writer {
 public:
  Writer(const StagedFile& file, int64_t columns_max) : left_(columns_max < 0 ? INT64_MAX : columns_max) {
    for (const ColumnStats& stats : file.stats) by_column_[SplitColumnKey(stats.column)] = &stats;
  }

  struct Level {
    std::string min, max, nulls;
  };

  Level Walk(const Schema& fields, const std::vector<std::string>& skip, std::vector<std::string>& path) {
    Level level;
    for (const Field& field : fields) {
      if (std::find(skip.begin(), skip.end(), field.name) != skip.end()) continue;
      path.push_back(field.name);
      if (field.type.id == TypeId::kStruct) {
        const Level inner = Walk(field.type.children, {}, path);
        AddObject(field.name, inner.min, level.min);
        AddObject(field.name, inner.max, level.max);
        AddObject(field.name, inner.nulls, level.nulls);
      } else if (left_ > 0) {
        --left_;
        AddLeaf(field, path, level);
      }
      path.pop_back();
    }
    return level;
  }

 private:
  static void Add(const std::string& name, const std::string& json, std::string& out) {
    if (!out.empty()) out += ',';
    AppendJsonString(name, out);
    out += ':' + json;
  }

  static void AddObject(const std::string& name, const std::string& inner, std::string& out) {
    if (!inner.empty()) Add(name, "{" + inner + "}", out);
  }

  void AddLeaf(const Field& field, const std::vector<std::string>& path, Level& level) {
    const auto found = by_column_.find(path);
    if (found == by_column_.end()) return;
    const ColumnStats& stats = *found->second;
    Add(field.name, std::to_string(stats.null_count), level.nulls);
    if (!stats.has_min_max || !stats.is_exact || stats.has_nan) return;
    std::string json;
    if (BoundJson(field.type, stats.min, false, &json)) Add(field.name, json, level.min);
    if (BoundJson(field.type, stats.max, true, &json)) Add(field.name, json, level.max);
  }

  std::map<std::vector<std::string>, const ColumnStats*> by_column_;
  int64_t left_;
};

Result<std::string> PartitionText(const Type& type, const std::string& value) {
  if (type.id != TypeId::kTimestamp && type.id != TypeId::kTimestampTz) return value;
  int64_t micros = 0;
  if (!ParseTimestamp(value, &micros)) {
    return Invalid("QN-3313", "The partition value '" + value + "' cannot be stored in a Delta table.")
        .With(
            "Delta knows timestamps of the years 0 to 9999 only. Filter it, or partition by something else.");
  }
  const int digits = micros % 1'000'000 == 0 ? 0 : 6;
  if (type.id == TypeId::kTimestamp) return FormatTimestamp(micros, digits, ' ');
  return FormatTimestamp(micros, 6, 'T') + "Z";
}

}  // namespace

bool TextBound(std::string_view text, bool upper, std::string* bound) {
  bound->clear();
  std::vector<size_t> starts;
  size_t at = 0;
  while (at < text.size() && starts.size() < kStatsTextCharsMax) {
    const size_t length = CharLength(text, at);
    if (length == 0) return false;
    starts.push_back(at);
    at += length;
  }
  *bound = text.substr(0, at);
  if (!upper || at == text.size()) return true;
  while (!starts.empty()) {
    const uint32_t point = DecodeChar(std::string_view(*bound).substr(starts.back()));
    bound->resize(starts.back());
    starts.pop_back();
    if (point == 0x10FFFF) continue;  // nothing is above it: move up the one before
    *bound += EncodeChar(point == 0xD7FF ? 0xE000 : point + 1);
    return true;
  }
  return false;
}

bool ParseTimestamp(std::string_view text, int64_t* micros) {
  if (text.size() < 19 || !IsPlainDate(text.substr(0, 10)) || (text[10] != ' ' && text[10] != 'T'))
    return false;
  const std::string_view time = text.substr(11, 8);
  if (time[2] != ':' || time[5] != ':' || !IsDigits(time.substr(0, 2)) || !IsDigits(time.substr(3, 2)) ||
      !IsDigits(time.substr(6, 2))) {
    return false;
  }
  *micros = DaysFromCivil(ToInt(text.substr(0, 4)), ToInt(text.substr(5, 2)), ToInt(text.substr(8, 2))) *
                kDayMicros +
            (ToInt(time.substr(0, 2)) * 3600 + ToInt(time.substr(3, 2)) * 60 + ToInt(time.substr(6, 2))) *
                1'000'000;
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    size_t digits = 0;
    int64_t fraction = 0;
    for (rest.remove_prefix(1); !rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0])) != 0;
         ++digits) {
      if (digits >= 6) return false;
      fraction = fraction * 10 + (rest[0] - '0');
      rest.remove_prefix(1);
    }
    for (; digits < 6; ++digits) fraction *= 10;
    *micros += fraction;
  }
  int64_t offset = 0;
  if (!ParseOffset(rest, &offset)) return false;
  *micros -= offset;
  // A shift by the offset may leave the years that everybody writes alike.
  return *micros >= kYear0Micros && *micros < kYear10000Micros;
}

std::string FormatTimestamp(int64_t micros, int digits, char separator) {
  int64_t days = micros / kDayMicros;
  int64_t rest = micros % kDayMicros;
  if (rest < 0) {
    rest += kDayMicros;
    --days;
  }
  const Civil date = CivilFromDays(days);
  const auto number = [](int64_t value) { return static_cast<int>(value); };
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d%c%02d:%02d:%02d", number(date.year), number(date.month),
                number(date.day), separator, number(rest / 3'600'000'000), number(rest / 60'000'000 % 60),
                number(rest / 1'000'000 % 60));
  std::string out = text;
  if (digits > 0) {
    std::snprintf(text, sizeof text, ".%06d", number(rest % 1'000'000));
    out += std::string_view(text).substr(0, static_cast<size_t>(digits) + 1);
  }
  return out;
}

std::vector<std::string> SplitColumnKey(std::string_view key) {
  std::vector<std::string> names;
  size_t at = 0;
  while (at < key.size()) {
    std::string name;
    if (key[at] == '"') {
      for (++at; at < key.size(); ++at) {
        if (key[at] == '"' && at + 1 < key.size() && key[at + 1] == '"')
          ++at;
        else if (key[at] == '"')
          break;
        name += key[at];
      }
      at += 2;  // the quote and the dot
    } else {
      const size_t dot = std::min(key.find('.', at), key.size());
      name = key.substr(at, dot - at);
      at = dot + 1;
    }
    names.push_back(std::move(name));
  }
  return names;
}

std::string StatsJson(const StagedFile& file, const Schema& schema,
                      const std::vector<std::string>& partition_cols, int64_t columns_max) {
  std::vector<std::string> path;
  const Writer::Level level = Writer(file, columns_max).Walk(schema, partition_cols, path);
  return "{\"numRecords\":" + std::to_string(file.rows) + ",\"minValues\":{" + level.min +
         "},\"maxValues\":{" + level.max + "},\"nullCount\":{" + level.nulls + "}}";
}

bool CanPartition(const Type& type) {
  switch (type.id) {
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap:
    case TypeId::kBlob:
    case TypeId::kFloat:
    case TypeId::kDouble:
      return false;
    default:
      return true;
  }
}

// By hand where it stands first, as ours does: that is quick, and a bound may be too large a number for our
// JSON.
int64_t RowsOf(const std::string& stats) {
  static constexpr std::string_view kKey = "{\"numRecords\":";
  if (stats.starts_with(kKey)) {
    char* end = nullptr;
    const long long rows = std::strtoll(stats.c_str() + kKey.size(), &end, 10);
    if (*end == ',' || *end == '}') return rows;
  }
  const Result<Json> parsed = Json::Parse(stats.empty() ? "{}" : stats);
  return parsed.ok() ? (*parsed)["numRecords"].Int(-1) : -1;
}

Result<PartitionValues> PartitionValuesOf(const StagedFile& file, const Schema& schema,
                                          const std::vector<std::string>& partition_cols) {
  PartitionValues values;
  for (const std::string& column : partition_cols) {
    const bool is_null = std::find(file.partition_nulls.begin(), file.partition_nulls.end(), column) !=
                         file.partition_nulls.end();
    const auto found = std::find_if(file.partition.begin(), file.partition.end(),
                                    [&](const auto& item) { return item.first == column; });
    if (!is_null && found == file.partition.end()) {
      return Failed("QN-3313", "The data file '" + file.path + "' has no value of the partition column '" +
                                   column + "'.")
          .With("This is a bug of Qanat; please report it. Nothing was committed.");
    }
    if (is_null || found->second.empty()) {
      values.emplace_back(column, std::nullopt);
      continue;
    }
    const int index = ColumnIndex(schema, column);
    QN_CHECK(index >= 0);
    QN_GET(std::string text, PartitionText(schema[static_cast<size_t>(index)].type, found->second));
    values.emplace_back(column, std::move(text));
  }
  return values;
}

}  // namespace qn::delta
