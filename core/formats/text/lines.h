// Line breaks in bulk.
#pragma once

#include <cstdint>

namespace qn::text {

uint64_t CountLineBreaks(const char* begin, const char* end);
const char* LastLineBreak(const char* begin, const char* end);  // nullptr when there is none

}  // namespace qn::text
