// Text to dates and times: ISO 8601 and what is near it. As DuckDB's CAST with these differences. An offset
// in a TIMESTAMP's text counts (CAST to TIMESTAMP drops it, CAST to TIMESTAMPTZ does not): the same moment
// gets the same value. Refused although CAST takes it: years outside 0001–9999, "BC", "epoch", "infinity", a
// date with a time of day for a DATE, time zone names, blanks around '-' and ':', a fraction of more than 9
// digits. Blanks around the whole are dropped, which CAST does for some types only.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/text/fault.h"

namespace qn::text {

// "2024-02-29", "2024-2-9", "2024/02/29" → days since 1970-01-01.
Fault ParseDate(std::string_view text, int32_t* days);

// "09:05", "09:05:59", "09:05:59.123456789" → microseconds since midnight; further digits are cut off.
Fault ParseTime(std::string_view text, int64_t* micros);

enum class TimeUnit : uint8_t { kSecond, kMilli, kMicro, kNano };

// "2024-02-29T09:05:59.123Z", a blank for the T, any precision down to the date alone, "Z", "+02", "+02:00"
// or "+0200" → `unit`s since 1970-01-01 00:00:00 UTC. Without an offset the text is taken as UTC. A number is
// no timestamp: nobody can tell seconds from milliseconds.
Fault ParseTimestamp(std::string_view text, TimeUnit unit, int64_t* out);

}  // namespace qn::text
