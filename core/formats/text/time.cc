// Text to dates and times: one fixed spelling read without branches, the others piece by piece.
#include "formats/text/time.h"

#include <cstring>

#include "formats/text/number.h"

namespace qn::text {
namespace {

using internal::IsDigit;

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int kFractionDigitsMax = 9;
constexpr int kOffsetHoursMax = 15;  // as in DuckDB; the farthest zone in use is +14

constexpr uint32_t kDaysInMonth[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool IsLeap(uint32_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant's algorithm), years 1–9999.
int32_t DaysOf(uint32_t year, uint32_t month, uint32_t day) {
  year -= month <= 2 ? 1 : 0;
  const uint32_t era = year / 400;
  const uint32_t year_of_era = year - era * 400;
  const uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int32_t>(era * 146'097 + day_of_era) - 719'468;
}

Fault DaysChecked(uint32_t year, uint32_t month, uint32_t day, int32_t* days) {
  if (year < 1 || month < 1 || month > 12 || day < 1) return Fault::kRange;
  const uint32_t last = month == 2 && IsLeap(year) ? 29 : kDaysInMonth[month];
  if (day > last) return Fault::kRange;
  *days = DaysOf(year, month, day);
  return Fault::kNone;
}

// A text being eaten from the left.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool AtEnd() const { return at_ == end_; }
  char Peek() const { return at_ == end_ ? '\0' : *at_; }
  bool Take(char c) {
    if (Peek() != c || AtEnd()) return false;
    ++at_;
    return true;
  }
  // `least` to `most` digits as a number.
  bool Digits(int least, int most, uint32_t* value) {
    int count = 0;
    *value = 0;
    while (count < most && at_ != end_ && IsDigit(*at_)) {
      *value = *value * 10 + static_cast<uint32_t>(*at_++ - '0');
      ++count;
    }
    return count >= least;
  }

 private:
  const char* at_;
  const char* end_;
};

struct Clock {
  uint32_t hour = 0;
  uint32_t minute = 0;
  uint32_t second = 0;
  uint32_t nanos = 0;

  int64_t Seconds() const { return hour * 3600 + minute * 60 + second; }
};

Fault TakeDate(Pieces& text, int32_t* days) {
  uint32_t year = 0;
  uint32_t month = 0;
  uint32_t day = 0;
  if (!text.Digits(4, 4, &year)) return Fault::kForm;
  const char separator = text.Peek();
  if (separator != '-' && separator != '/') return Fault::kForm;
  text.Take(separator);
  if (!text.Digits(1, 2, &month) || !text.Take(separator) || !text.Digits(1, 2, &day)) return Fault::kForm;
  return DaysChecked(year, month, day, days);
}

Fault TakeFraction(Pieces& text, uint32_t* nanos) {
  uint32_t digit = 0;
  uint32_t unit = 100'000'000;
  int count = 0;
  while (text.Digits(1, 1, &digit)) {
    if (++count > kFractionDigitsMax) return Fault::kForm;
    *nanos += digit * unit;
    unit /= 10;
  }
  return count > 0 ? Fault::kNone : Fault::kForm;
}

Fault TakeClock(Pieces& text, Clock* clock) {
  if (!text.Digits(1, 2, &clock->hour) || !text.Take(':') || !text.Digits(2, 2, &clock->minute)) {
    return Fault::kForm;
  }
  if (text.Take(':')) {
    if (!text.Digits(2, 2, &clock->second)) return Fault::kForm;
    if (text.Take('.')) {
      const Fault fault = TakeFraction(text, &clock->nanos);
      if (fault != Fault::kNone) return fault;
    }
  }
  if (clock->hour > 23 || clock->minute > 59 || clock->second > 59) return Fault::kRange;
  return Fault::kNone;
}

// Nothing, "Z", "+02", "+02:00", "+0200", each perhaps after a blank.
Fault TakeOffset(Pieces& text, int64_t* seconds) {
  text.Take(' ');
  if (text.AtEnd() || text.Take('Z') || text.Take('z')) return Fault::kNone;
  const char sign = text.Peek();
  if (sign != '+' && sign != '-') return Fault::kForm;
  text.Take(sign);
  uint32_t hours = 0;
  uint32_t minutes = 0;
  if (!text.Digits(2, 2, &hours)) return Fault::kForm;
  const bool has_colon = text.Take(':');
  if ((has_colon || !text.AtEnd()) && !text.Digits(2, 2, &minutes)) return Fault::kForm;
  if (hours > kOffsetHoursMax || minutes > 59) return Fault::kRange;
  const int64_t offset = hours * 3600 + minutes * 60;
  *seconds = sign == '-' ? -offset : offset;
  return Fault::kNone;
}

Fault ToUnit(int64_t seconds, uint32_t nanos, TimeUnit unit, int64_t* out) {
  switch (unit) {
    case TimeUnit::kSecond:
      *out = seconds;
      return Fault::kNone;
    case TimeUnit::kMilli:
      *out = seconds * 1000 + nanos / 1'000'000;
      return Fault::kNone;
    case TimeUnit::kMicro:
      *out = seconds * kMicrosPerSecond + nanos / 1000;
      return Fault::kNone;
    case TimeUnit::kNano:
      break;
  }
  int64_t scaled = 0;
  if (__builtin_mul_overflow(seconds, int64_t{1'000'000'000}, &scaled)) return Fault::kRange;
  if (__builtin_add_overflow(scaled, static_cast<int64_t>(nanos), out)) return Fault::kRange;
  return Fault::kNone;
}

uint64_t Load8(const char* p) {
  uint64_t value = 0;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

// True when each of the eight bytes, its digit subtracted, is below 10, where `digits` marks digits with 0xff
// and the other bytes equal `rest`.
bool Matches(uint64_t bytes, uint64_t digits, uint64_t rest) {
  if ((bytes & ~digits) != rest) return false;
  const uint64_t value = bytes & digits;
  const uint64_t zeros = 0x3030303030303030ULL & digits;
  const uint64_t low = value - zeros;  // borrows run across bytes only when a byte is no digit
  const uint64_t high = value + (0x4646464646464646ULL & digits);
  return ((value | low | high) & 0x8080808080808080ULL) == 0;
}

uint32_t Two(const char* p) {
  return static_cast<uint32_t>(p[0] - '0') * 10 + static_cast<uint32_t>(p[1] - '0');
}

// "YYYY-MM-DD?hh:mm:ss", 19 bytes: what machines write. False: take it piece by piece.
bool TakeFixed(const char* p, int32_t* days, int64_t* seconds) {
  const uint64_t first = Load8(p);       // YYYY-MM-
  const uint64_t middle = Load8(p + 8);  // DD?hh:mm
  const uint64_t last = Load8(p + 11);   // hh:mm:ss
  if (!Matches(first, 0x00ffff00ffffffffULL, 0x2d00002d00000000ULL)) return false;
  const char separator = p[10];
  if (separator != 'T' && separator != ' ') return false;
  const uint64_t rest = 0x00003a0000000000ULL | static_cast<uint64_t>(static_cast<unsigned char>(separator))
                                                    << 16;
  if (!Matches(middle, 0xffff00ffff00ffffULL, rest)) return false;
  if (!Matches(last, 0xffff00ffff00ffffULL, 0x00003a00003a0000ULL)) return false;
  const uint32_t hour = Two(p + 11);
  const uint32_t minute = Two(p + 14);
  const uint32_t second = Two(p + 17);
  if (hour > 23 || minute > 59 || second > 59) return false;
  *seconds = hour * 3600 + minute * 60 + second;
  return DaysChecked(Two(p) * 100 + Two(p + 2), Two(p + 5), Two(p + 8), days) == Fault::kNone;
}

// ".mmmZ"
bool TakeMillisZ(const char* p, uint32_t* nanos) {
  if (p[0] != '.' || p[4] != 'Z' || !IsDigit(p[1]) || !IsDigit(p[2]) || !IsDigit(p[3])) return false;
  *nanos = (Two(p + 1) * 10 + static_cast<uint32_t>(p[3] - '0')) * 1'000'000;
  return true;
}

}  // namespace

Fault ParseDate(std::string_view text, int32_t* days) {
  Pieces pieces(Trim(text));
  const Fault fault = TakeDate(pieces, days);
  if (fault != Fault::kNone) return fault;
  return pieces.AtEnd() ? Fault::kNone : Fault::kForm;
}

Fault ParseTime(std::string_view text, int64_t* micros) {
  Pieces pieces(Trim(text));
  Clock clock;
  const Fault fault = TakeClock(pieces, &clock);
  if (fault != Fault::kNone) return fault;
  if (!pieces.AtEnd()) return Fault::kForm;
  *micros = clock.Seconds() * kMicrosPerSecond + clock.nanos / 1000;
  return Fault::kNone;
}

Fault ParseTimestamp(std::string_view text, TimeUnit unit, int64_t* out) {
  int32_t days = 0;
  int64_t seconds = 0;
  int64_t offset = 0;
  Clock clock;
  constexpr size_t kFixed = 19;
  if (text.size() >= kFixed && TakeFixed(text.data(), &days, &seconds)) {
    const int64_t at = days * kSecondsPerDay + seconds;
    if (text.size() == 24 && TakeMillisZ(text.data() + kFixed, &clock.nanos)) {
      return ToUnit(at, clock.nanos, unit, out);
    }
    Pieces pieces(text.substr(kFixed));
    if (pieces.Take('.')) {
      const Fault fault = TakeFraction(pieces, &clock.nanos);
      if (fault != Fault::kNone) return fault;
    }
    if (const Fault fault = TakeOffset(pieces, &offset); fault != Fault::kNone) return fault;
    if (pieces.AtEnd()) return ToUnit(at - offset, clock.nanos, unit, out);
    clock.nanos = 0;
  }
  Pieces pieces(Trim(text));
  if (const Fault fault = TakeDate(pieces, &days); fault != Fault::kNone) return fault;
  if (pieces.Take('T') || pieces.Take('t') || pieces.Take(' ')) {
    if (const Fault fault = TakeClock(pieces, &clock); fault != Fault::kNone) return fault;
    if (const Fault fault = TakeOffset(pieces, &offset); fault != Fault::kNone) return fault;
  }
  if (!pieces.AtEnd()) return Fault::kForm;
  return ToUnit(days * kSecondsPerDay + clock.Seconds() - offset, clock.nanos, unit, out);
}

}  // namespace qn::text
