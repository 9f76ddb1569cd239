// Text to a value of a declared type.
#include "formats/text/value.h"

#include <algorithm>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "formats/text/json_text.h"
#include "formats/text/time.h"

namespace qn::text {
namespace {

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

#if defined(__SSE2__)
// Sixteen hexadecimal digits to 64 bits, the first the most significant.
bool Hex16(uint64_t first, uint64_t second, uint64_t* out) {
  const __m128i text = _mm_set_epi64x(static_cast<int64_t>(second), static_cast<int64_t>(first));
  const auto all = [](char c) { return _mm_set1_epi8(c); };
  const __m128i digit = _mm_sub_epi8(text, all('0'));
  const __m128i letter = _mm_sub_epi8(_mm_or_si128(text, all(0x20)), all('a'));
  const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, all(9)), digit);
  const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, all(5)), letter);
  if (_mm_movemask_epi8(_mm_or_si128(is_digit, is_letter)) != 0xffff) return false;
  const __m128i nibbles =
      _mm_or_si128(_mm_and_si128(is_digit, digit), _mm_andnot_si128(is_digit, _mm_add_epi8(letter, all(10))));
  const __m128i high = _mm_slli_epi16(_mm_and_si128(nibbles, _mm_set1_epi16(0x00ff)), 4);
  const __m128i bytes = _mm_or_si128(high, _mm_srli_epi16(nibbles, 8));
  *out = __builtin_bswap64(static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_packus_epi16(bytes, bytes))));
  return true;
}
#else
bool Hex16(uint64_t first, uint64_t second, uint64_t* out) {
  char text[16];
  std::memcpy(text, &first, 8);
  std::memcpy(text + 8, &second, 8);
  *out = 0;
  for (const char c : text) {
    const auto digit = static_cast<unsigned char>(c - '0');
    const auto letter = static_cast<unsigned char>((c | 0x20) - 'a');
    if (digit > 9 && letter > 5) return false;
    *out = *out << 4 | (digit <= 9 ? digit : letter + 10U);
  }
  return true;
}
#endif

bool UuidFromHex(uint64_t a, uint64_t b, uint64_t c, uint64_t d, duck::HugeInt* out) {
  uint64_t high = 0;
  if (!Hex16(a, b, &high) || !Hex16(c, d, &out->lower)) return false;
  out->upper = static_cast<int64_t>(high ^ (uint64_t{1} << 63));
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
  for (const std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (SameWord(text, word)) return *out = true, Fault::kNone;
  }
  for (const std::string_view word : {"false", "f", "no", "n", "0"}) {
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
