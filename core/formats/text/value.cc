// Text to a value of a declared type.
#include "formats/text/value.h"

#include <algorithm>
#include <cstring>

#include "formats/text/json_text.h"
#include "formats/text/time.h"

namespace qn::text {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101ULL;
constexpr uint64_t kTops = 0x8080808080808080ULL;

uint64_t Load8(const char* p) {
  uint64_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

uint64_t Load4(const char* p) {
  uint32_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

// Eight hexadecimal digits, the first in the lowest byte, to 32 bits; `bad` collects top bits of bytes that
// are no digits. Each comparison leaves its answer in the byte's top bit; sums stay inside their byte as long
// as all bytes are ASCII, and one that is not is bad anyway.
uint32_t Hex8(uint64_t bytes, uint64_t* bad) {
  const uint64_t lower = bytes | (0x20 * kOnes);
  const uint64_t is_digit = ((bytes | kTops) - '0' * kOnes) & ~(bytes + (0x7f - '9') * kOnes);
  const uint64_t is_letter = ((lower | kTops) - 'a' * kOnes) & ~(lower + (0x7f - 'f') * kOnes);
  *bad |= (bytes | ~(is_digit | is_letter)) & kTops;
  uint64_t nibbles = (lower & (0x0f * kOnes)) + (lower >> 6 & kOnes) * 9;
  nibbles = ((nibbles << 4) | (nibbles >> 8)) & 0x00ff00ff00ff00ffULL;
  nibbles = (nibbles | (nibbles >> 8)) & 0x0000ffff0000ffffULL;
  nibbles = nibbles | (nibbles >> 16);
  return __builtin_bswap32(static_cast<uint32_t>(nibbles));
}

bool UuidFromHex(uint64_t a, uint64_t b, uint64_t c, uint64_t d, duck::HugeInt* out) {
  uint64_t bad = 0;
  const uint64_t high = static_cast<uint64_t>(Hex8(a, &bad)) << 32 | Hex8(b, &bad);
  const uint64_t low = static_cast<uint64_t>(Hex8(c, &bad)) << 32 | Hex8(d, &bad);
  if (bad != 0) return false;
  out->upper = static_cast<int64_t>(high ^ (uint64_t{1} << 63));
  out->lower = low;
  return true;
}

template <typename T>
Fault PutInteger(std::string_view text, void* data, size_t row) {
  T value = 0;
  const Fault fault = ParseInteger(text, &value);
  if (fault == Fault::kNone && data != nullptr)
    std::memcpy(static_cast<char*>(data) + row * sizeof(T), &value, sizeof(T));
  return fault;
}

template <typename T>
void Put(T value, void* data, size_t row) {
  if (data != nullptr) static_cast<T*>(data)[row] = value;
}

template <typename T, typename Parse>
Fault PutParsed(std::string_view text, void* data, size_t row, Parse parse) {
  T value{};
  const Fault fault = parse(text, &value);
  if (fault == Fault::kNone) Put(value, data, row);
  return fault;
}

Fault PutTimestamp(std::string_view text, TimeUnit unit, void* data, size_t row) {
  int64_t value = 0;
  const Fault fault = ParseTimestamp(text, unit, &value);
  if (fault == Fault::kNone) Put(value, data, row);
  return fault;
}

Fault PutDecimalText(const Type& type, std::string_view text, void* data, size_t row) {
  Int128 value = 0;
  const Fault fault = ParseDecimal(text, type.width, type.scale, &value);
  if (fault == Fault::kNone) PutDecimal(type, value, data, row);
  return fault;
}

bool SameWord(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return a == b || (b >= 'a' && (a | 0x20) == b); });
}

}  // namespace

Fault ParseBoolean(std::string_view text, bool* out) {
  text = Trim(text);
  for (const std::string_view word : {"true", "t", "yes", "y", "on", "1"}) {
    if (SameWord(text, word)) return *out = true, Fault::kNone;
  }
  for (const std::string_view word : {"false", "f", "no", "n", "off", "0"}) {
    if (SameWord(text, word)) return *out = false, Fault::kNone;
  }
  return Fault::kForm;
}

bool ParseUuid36(const char* p, duck::HugeInt* out) {
  if (p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-') return false;
  return UuidFromHex(Load8(p), Load4(p + 9) | Load4(p + 14) << 32, Load4(p + 19) | Load4(p + 24) << 32,
                     Load8(p + 28), out);
}

Fault ParseUuid(std::string_view text, duck::HugeInt* out) {
  text = Trim(text);
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
  if (text.size() == 36) return ParseUuid36(text.data(), out) ? Fault::kNone : Fault::kForm;
  if (text.size() != 32) return Fault::kForm;
  const char* p = text.data();
  return UuidFromHex(Load8(p), Load8(p + 8), Load8(p + 16), Load8(p + 24), out) ? Fault::kNone : Fault::kForm;
}

bool IsReadable(TypeId id) {
  switch (id) {
    case TypeId::kBlob:
    case TypeId::kBit:
    case TypeId::kEnum:
    case TypeId::kInterval:
    case TypeId::kTimeTz:
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kArray:
    case TypeId::kMap:
    case TypeId::kNull:
    case TypeId::kOther:
      return false;
    default:
      return true;
  }
}

Status RefuseType(const std::string& column, const Type& type, std::string_view format) {
  const std::string instead = type.id == TypeId::kArray ? type.children[0].type.ToSql() + "[]" : "VARCHAR";
  return Invalid("QN-2020", "Column '" + column + "' of type " + type.ToSql() + " cannot be read from " +
                                std::string(format) + ".")
      .With("Declare it " + instead + " and convert it in the dataset's SQL, for example: CAST(" +
            QuoteName(column) + " AS " + type.ToSql() + ").");
}

Fault PutText(const Type& type, std::string_view text, void* data, size_t row) {
  switch (type.id) {
    case TypeId::kBoolean:
      return PutParsed<bool>(text, data, row, ParseBoolean);
    case TypeId::kTinyInt:
      return PutInteger<int8_t>(text, data, row);
    case TypeId::kSmallInt:
      return PutInteger<int16_t>(text, data, row);
    case TypeId::kInteger:
      return PutInteger<int32_t>(text, data, row);
    case TypeId::kBigInt:
      return PutInteger<int64_t>(text, data, row);
    case TypeId::kHugeInt:
      return PutInteger<Int128>(text, data, row);
    case TypeId::kUTinyInt:
      return PutInteger<uint8_t>(text, data, row);
    case TypeId::kUSmallInt:
      return PutInteger<uint16_t>(text, data, row);
    case TypeId::kUInteger:
      return PutInteger<uint32_t>(text, data, row);
    case TypeId::kUBigInt:
      return PutInteger<uint64_t>(text, data, row);
    case TypeId::kUHugeInt:
      return PutInteger<UInt128>(text, data, row);
    case TypeId::kFloat:
      return PutParsed<float>(text, data, row, ParseFloat);
    case TypeId::kDouble:
      return PutParsed<double>(text, data, row, ParseDouble);
    case TypeId::kDecimal:
      return PutDecimalText(type, text, data, row);
    case TypeId::kUuid:
      return PutParsed<duck::HugeInt>(text, data, row, ParseUuid);
    case TypeId::kDate:
      return PutParsed<int32_t>(text, data, row, ParseDate);
    case TypeId::kTime:
      return PutParsed<int64_t>(text, data, row, ParseTime);
    case TypeId::kTimestampS:
      return PutTimestamp(text, TimeUnit::kSecond, data, row);
    case TypeId::kTimestampMs:
      return PutTimestamp(text, TimeUnit::kMilli, data, row);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return PutTimestamp(text, TimeUnit::kMicro, data, row);
    case TypeId::kTimestampNs:
      return PutTimestamp(text, TimeUnit::kNano, data, row);
    case TypeId::kJson:
      if (!IsJson(text)) return Fault::kForm;
      [[fallthrough]];
    case TypeId::kVarchar:
      Put(MakeString(text.data(), text.size()), data, row);
      return Fault::kNone;
    default:
      break;
  }
  QN_CHECK(IsReadable(type.id));
  return Fault::kForm;
}

void PutDecimal(const Type& type, Int128 unscaled, void* data, size_t row) {
  if (type.width <= 4) {
    Put(static_cast<int16_t>(unscaled), data, row);
  } else if (type.width <= 9) {
    Put(static_cast<int32_t>(unscaled), data, row);
  } else if (type.width <= 18) {
    Put(static_cast<int64_t>(unscaled), data, row);
  } else {
    Put(duck::HugeInt{static_cast<uint64_t>(unscaled), static_cast<int64_t>(unscaled >> 64)}, data, row);
  }
}

duck::String MakeString(const char* bytes, size_t size) {
  duck::String out{};
  out.size = static_cast<uint32_t>(size);
  if (size <= 12) {
    std::memcpy(out.prefix, bytes, std::min<size_t>(size, 4));
    if (size > 4) std::memcpy(out.rest, bytes + 4, size - 4);
  } else {
    std::memcpy(out.prefix, bytes, 4);
    out.pointer = bytes;
  }
  return out;
}

std::string Excerpt(std::string_view text) {
  constexpr size_t kExcerptBytesMax = 60;
  std::string out;
  size_t size = std::min(text.size(), kExcerptBytesMax);
  // Not through the middle of a UTF-8 character.
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  const bool is_utf8 = internal::IsUtf8(text.data(), text.data() + size);
  for (const char c : text.substr(0, size)) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_utf8)) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  if (size < text.size()) out += "…";
  return out;
}

std::string_view FaultNote(Fault fault) {
  switch (fault) {
    case Fault::kRange:
      return " (out of range)";
    case Fault::kFraction:
      return " (its fraction would be lost)";
    default:
      return "";
  }
}

}  // namespace qn::text
