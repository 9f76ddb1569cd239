// The short ways into a column, inline: a record takes a dozen of them. Where one returns false nothing was
// written and text::PutText decides.
#pragma once

#include <cstring>

#include "data/type.h"
#include "duck/vector.h"
#include "formats/text/number.h"
#include "formats/text/value.h"

namespace qn::text {

// As ColumnOut::SetString, for bytes with 16 readable ones from `bytes` on: no call, no loop. `data` may be
// null.
inline void PutString(const char* bytes, size_t size, void* data, size_t row) {
  if (data == nullptr) return;
  uint64_t low = 0;
  uint32_t high = 0;
  std::memcpy(&low, bytes, sizeof(low));
  std::memcpy(&high, bytes + 8, sizeof(high));
  duck::String& out = static_cast<duck::String*>(data)[row];
  out.size = static_cast<uint32_t>(size);
  if (size > 12) {
    std::memcpy(out.prefix, &low, 4);
    out.pointer = bytes;
    return;
  }
  const uint64_t low_mask = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (size * 8)) - 1;
  const uint64_t high_mask = size <= 8 ? 0 : ~uint64_t{0} >> (64 - (size - 8) * 8);
  low &= low_mask;
  const uint64_t rest = low >> 32 | (high & high_mask) << 32;
  std::memcpy(out.prefix, &low, 4);
  std::memcpy(out.rest, &rest, sizeof(rest));
}

template <typename T>
bool PutIntegerNumber(const Number& number, void* data, size_t row) {
  if (!number.is_integral || !number.is_exact) return false;
  constexpr bool kSigned = static_cast<T>(-1) < T{0};
  constexpr int kBits = static_cast<int>(sizeof(T)) * 8;
  constexpr uint64_t kLargest = ~uint64_t{0} >> (64 - kBits + (kSigned ? 1 : 0));
  if (number.mantissa > kLargest || (!kSigned && number.is_negative))
    return false;  // -2^63 and -0: the long way
  if (data != nullptr) {
    static_cast<T*>(data)[row] = static_cast<T>(number.is_negative ? ~number.mantissa + 1 : number.mantissa);
  }
  return true;
}

inline bool PutDoubleNumber(const Number& number, void* data, size_t row) {
  double value = 0;
  if (!DoubleFromNumber(number, &value)) return false;
  if (data != nullptr) static_cast<double*>(data)[row] = value;
  return true;
}

inline bool PutDecimalNumber(const Type& type, const Number& number, void* data, size_t row) {
  int64_t value = 0;
  if (!DecimalFromNumber(number, type.width, type.scale, &value)) return false;
  PutDecimal(type, value, data, row);
  return true;
}

inline bool IsNumeric(TypeId id) { return id <= TypeId::kDecimal && id != TypeId::kBoolean; }

inline bool PutNumber(const Type& type, const Number& number, void* data, size_t row) {
  switch (type.id) {
    case TypeId::kTinyInt:
      return PutIntegerNumber<int8_t>(number, data, row);
    case TypeId::kSmallInt:
      return PutIntegerNumber<int16_t>(number, data, row);
    case TypeId::kInteger:
      return PutIntegerNumber<int32_t>(number, data, row);
    case TypeId::kBigInt:
      return PutIntegerNumber<int64_t>(number, data, row);
    case TypeId::kUTinyInt:
      return PutIntegerNumber<uint8_t>(number, data, row);
    case TypeId::kUSmallInt:
      return PutIntegerNumber<uint16_t>(number, data, row);
    case TypeId::kUInteger:
      return PutIntegerNumber<uint32_t>(number, data, row);
    case TypeId::kUBigInt:
      return PutIntegerNumber<uint64_t>(number, data, row);
    case TypeId::kDouble:
      return PutDoubleNumber(number, data, row);
    case TypeId::kDecimal:
      return PutDecimalNumber(type, number, data, row);
    default:
      return false;
  }
}

}  // namespace qn::text
