// Line breaks in bulk: every byte of input is counted once, so 16 at a time where the machine can.
#include "formats/text/lines.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace qn::text {

#if defined(__SSE2__)
namespace {

// -1 in each byte that is a line break.
__m128i BreaksAt(const char* p) {
  return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi8('\n'));
}

}  // namespace
#endif

uint64_t CountLineBreaks(const char* begin, const char* end) {
  uint64_t count = 0;
#if defined(__SSE2__)
  constexpr int kStepsMax = 255;  // before a byte counter could overflow
  while (end - begin >= 16) {
    const int64_t steps = std::min<int64_t>(kStepsMax, (end - begin) / 16);
    __m128i counters = _mm_setzero_si128();
    int64_t i = 0;
    for (; i + 4 <= steps; i += 4, begin += 64) {
      const __m128i first = _mm_add_epi8(BreaksAt(begin), BreaksAt(begin + 16));
      const __m128i second = _mm_add_epi8(BreaksAt(begin + 32), BreaksAt(begin + 48));
      counters = _mm_sub_epi8(counters, _mm_add_epi8(first, second));
    }
    for (; i < steps; ++i, begin += 16) counters = _mm_sub_epi8(counters, BreaksAt(begin));
    const __m128i sums = _mm_sad_epu8(counters, _mm_setzero_si128());
    count += static_cast<uint64_t>(_mm_cvtsi128_si64(sums)) +
             static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums)));
  }
#endif
  return count + static_cast<uint64_t>(std::count(begin, end, '\n'));
}

const char* LastLineBreak(const char* begin, const char* end) {
#if defined(__GLIBC__)
  return begin == end ? nullptr
                      : static_cast<const char*>(memrchr(begin, '\n', static_cast<size_t>(end - begin)));
#else
  while (end != begin) {
    if (*--end == '\n') return end;
  }
  return nullptr;
#endif
}

}  // namespace qn::text
