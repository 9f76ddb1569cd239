// The grammar of JSON (RFC 8259), read in place and validated to the last byte: strings, escapes, UTF-8,
// numbers, whole values. Refuses everything that the RFC refuses, and nesting deeper than kJsonDepthMax.
//
// Text must end with '\n', which no token can contain, followed by kJsonPadding readable bytes: so no
// function here needs to know where the buffer ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace qn::text {

inline constexpr int kJsonDepthMax = 1024;
inline constexpr size_t kJsonPadding = 64;

// What is wrong, and where.
struct JsonFault {
  const char* at = nullptr;
  const char* what = nullptr;  // "expected ':' after a key"
};

inline bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }  // '\n' ends the text

inline const char* SkipJsonSpace(const char* p) {
  while (IsJsonSpace(*p)) ++p;
  return p;
}

// A string, its quotes left out. `end` is at the closing quote; nullptr: see the fault.
struct JsonString {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool has_escapes = false;

  std::string_view raw() const { return {begin, static_cast<size_t>(end - begin)}; }
};

// `p` is behind the opening quote.
inline JsonString ScanJsonString(const char* p, JsonFault* fault);

// Writes the string without its escapes; `out` has room for raw().size() bytes. Returns the size.
size_t UnescapeJson(const JsonString& string, char* out);

// Behind the value that begins at `p`, or nullptr. `depth` is how many arrays and objects are open around it.
const char* SkipJsonValue(const char* p, int depth, JsonFault* fault);

// Any text, whole: copied to be read as above.
bool IsJson(std::string_view text);

// "object", "array", "string", "number", "true", "false", "null" by its first byte; "" for none of these.
std::string_view JsonKindName(char first);

// The character (one to four bytes of UTF-8, or one byte that is none) at `p`, for messages.
std::string_view CharacterAt(const char* p);

namespace internal {

bool IsUtf8(const char* begin, const char* end);
const char* FirstBadByte(const char* p);  // of a text that is not UTF-8

// The rest of a string from a byte on that ends the plain part: a backslash, a control or a non-ASCII byte.
const char* ScanUnusual(const char* begin, const char* p, bool* has_escapes, JsonFault* fault);

#if defined(__SSE2__)
inline constexpr int kScanStep = 16;
// Bits of quotes, backslashes, control and non-ASCII bytes among the next kScanStep.
inline uint32_t NotPlain(const char* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i others = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));  // signed: non-ASCII bytes are negative
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), others)));
}
#else
inline constexpr int kScanStep = 8;
inline uint32_t NotPlain(const char* p) {
  uint32_t found = 0;
  for (int i = 0; i < kScanStep; ++i) {
    const auto c = static_cast<signed char>(p[i]);
    found |= static_cast<uint32_t>(c == '"' || c == '\\' || c < 0x20) << i;
  }
  return found;
}
#endif

}  // namespace internal

inline JsonString ScanJsonString(const char* p, JsonFault* fault) {
  JsonString out;
  out.begin = p;
  uint32_t found = internal::NotPlain(p);
  while (found == 0) {
    p += internal::kScanStep;
    found = internal::NotPlain(p);
  }
  p += __builtin_ctz(found);
  out.end = *p == '"' ? p : internal::ScanUnusual(out.begin, p, &out.has_escapes, fault);
  return out;
}

}  // namespace qn::text
