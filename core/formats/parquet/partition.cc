// Folder names carry bytes, percent-encoded: a value never adds a level or leaves its folder.
#include "formats/parquet/partition.h"

#include <strings.h>

#include "formats/parquet/dictionary.h"

namespace qn::parquet {
namespace {

constexpr const char* kNullFolder = "__HIVE_DEFAULT_PARTITION__";

Int128 NumberAt(const Type& type, const duck::ColumnIn& column, size_t row) {
  switch (type.id) {
    case TypeId::kBoolean:
      return column.as<uint8_t>()[row] != 0 ? 1 : 0;
    case TypeId::kTinyInt:
      return column.as<int8_t>()[row];
    case TypeId::kSmallInt:
      return column.as<int16_t>()[row];
    case TypeId::kInteger:
    case TypeId::kDate:
      return column.as<int32_t>()[row];
    case TypeId::kDecimal:
      if (type.width <= 4) return column.as<int16_t>()[row];
      if (type.width <= 9) return column.as<int32_t>()[row];
      if (type.width > 18) {
        const duck::HugeInt& huge = column.as<duck::HugeInt>()[row];
        return static_cast<Int128>(static_cast<unsigned __int128>(huge.upper) << 64 | huge.lower);
      }
      break;
    default:
      break;
  }
  return column.as<int64_t>()[row];
}

std::string PercentEncoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                          c == '_' || c == '-' || c == '~' || c == '.';
    if (is_plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace

bool CanPartition(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kDecimal:
    case TypeId::kVarchar:
    case TypeId::kDate:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return true;
    default:
      return false;
  }
}

KeyValue KeyValue::Of(const Type& type, const duck::ColumnIn& column, size_t row) {
  KeyValue value;
  value.is_null = column.IsNull(row);
  if (value.is_null) return value;
  if (type.id == TypeId::kVarchar) {
    value.text = column.as<duck::String>()[row].view();
  } else {
    value.number = NumberAt(type, column, row);
  }
  return value;
}

bool KeyValue::Is(const Type& type, const duck::ColumnIn& column, size_t row) const {
  if (column.IsNull(row) || is_null) return column.IsNull(row) == is_null;
  if (type.id == TypeId::kVarchar) return column.as<duck::String>()[row].view() == text;
  return NumberAt(type, column, row) == number;
}

std::string KeyValue::Text(const Type& type) const {
  return type.id == TypeId::kVarchar ? text : NumberText(number, type);
}

uint64_t KeyHash(const Type& type, const duck::ColumnIn& column, size_t row) {
  if (column.IsNull(row)) return 0x517CC1B727220A95;
  if (type.id == TypeId::kVarchar) return TextDictionary::Hash(column.as<duck::String>()[row]);
  const auto bits = static_cast<unsigned __int128>(NumberAt(type, column, row));
  const uint64_t mixed =
      (static_cast<uint64_t>(bits) ^ static_cast<uint64_t>(bits >> 64)) * 0x9E3779B97F4A7C15;
  return mixed ^ mixed >> 32;
}

std::string PartitionFolder(const std::string& name, const KeyValue& value, const Type& type) {
  std::string folder = PercentEncoded(name) + "=";
  if (value.is_null) return folder + kNullFolder;
  std::string text = PercentEncoded(value.Text(type));
  // A text that spells NULL's folder, in any case, gets another one that decodes to the same text.
  if (::strcasecmp(text.c_str(), kNullFolder) == 0) text.replace(0, 1, "%5F");
  return folder + text;
}

}  // namespace qn::parquet
