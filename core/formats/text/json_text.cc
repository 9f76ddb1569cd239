// The grammar of JSON: escapes, and whole values without recursion.
#include "formats/text/json_text.h"

#include <simdjson.h>
#include <cstring>
#include <string>

#include "formats/text/number.h"

namespace qn::text {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

// The four digits of \uXXXX, or -1.
int32_t HexUnit(const char* p) {
  int32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(p[i]);
    if (digit < 0) return -1;  // before the next byte is touched: it may lie behind the end
    unit = unit * 16 + digit;
  }
  return unit;
}

bool IsHighSurrogate(int32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool IsLowSurrogate(int32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

char Unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

char* AppendUtf8(int32_t code, char* out) {
  const auto put = [&out](int32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
  return out;
}

// Which of the open containers are objects: one bit a level.
class Levels {
 public:
  explicit Levels(int depth) : outside_(depth) {}
  bool Push(bool is_object) {
    if (outside_ + size_ >= kJsonDepthMax) return false;
    const uint64_t bit = uint64_t{1} << (size_ % 64);
    bits_[size_ / 64] = is_object ? bits_[size_ / 64] | bit : bits_[size_ / 64] & ~bit;
    ++size_;
    return true;
  }
  void Pop() { --size_; }
  bool IsEmpty() const { return size_ == 0; }
  bool IsObject() const { return (bits_[(size_ - 1) / 64] >> ((size_ - 1) % 64) & 1) != 0; }

 private:
  int outside_;
  int size_ = 0;
  uint64_t bits_[kJsonDepthMax / 64] = {};
};

const char* SkipWord(const char* p, std::string_view word) {
  for (const char c : word) {
    if (*p++ != c) return nullptr;
  }
  return p;
}

const char* SkipString(const char* p, JsonFault* fault) {
  const JsonString string = ScanJsonString(p, fault);
  return string.end == nullptr ? nullptr : string.end + 1;
}

const char* SkipScalar(const char* p, JsonFault* fault) {
  const char* end = nullptr;
  switch (*p) {
    case '"':
      return SkipString(p + 1, fault);
    case 't':
      end = SkipWord(p, "true");
      break;
    case 'f':
      end = SkipWord(p, "false");
      break;
    case 'n':
      end = SkipWord(p, "null");
      break;
    default:
      end = ScanNumber(p).end;
      break;
  }
  if (end == nullptr) *fault = {p, "expected a value"};
  return end;
}

// `p` is behind '{' or ',' of an object: over the key and its colon.
const char* SkipKey(const char* p, JsonFault* fault) {
  p = SkipJsonSpace(p);
  if (*p != '"') return *fault = {p, "expected a key in double quotes"}, nullptr;
  p = SkipString(p + 1, fault);
  if (p == nullptr) return nullptr;
  p = SkipJsonSpace(p);
  if (*p != ':') return *fault = {p, "expected ':' after a key"}, nullptr;
  return p + 1;
}

// `p` is at '{' or '['. Behind it, or behind the whole container when that is empty (`opened` false).
const char* OpenContainer(const char* p, Levels* levels, bool* opened, JsonFault* fault) {
  const bool is_object = *p == '{';
  if (!levels->Push(is_object)) return *fault = {p, "nested deeper than 1024 levels"}, nullptr;
  const char* inside = SkipJsonSpace(p + 1);
  *opened = *inside != (is_object ? '}' : ']');
  if (!*opened) {
    levels->Pop();
    return inside + 1;
  }
  return is_object ? SkipKey(inside, fault) : inside;
}

// Behind a value: to the next value in the same container, or out of as many containers as end here.
const char* AfterValue(const char* p, Levels* levels, JsonFault* fault) {
  while (!levels->IsEmpty()) {
    p = SkipJsonSpace(p);
    const bool is_object = levels->IsObject();
    if (*p == ',') return is_object ? SkipKey(p + 1, fault) : p + 1;
    if (*p != (is_object ? '}' : ']')) {
      return *fault = {p, is_object ? "expected ',' or '}'" : "expected ',' or ']'"}, nullptr;
    }
    levels->Pop();
    ++p;
  }
  return p;
}

// `p` is at a backslash, or at what may not be in a string: behind the escape.
const char* CheckEscape(const char* p, JsonFault* fault) {
  if (*p == '\n') return *fault = {p, "a string without its closing quote"}, nullptr;
  if (*p != '\\') return *fault = {p, "a control character inside a string"}, nullptr;
  if (p[1] != 'u') {
    if (p[1] != '\0' && std::strchr("\"\\/bfnrt", p[1]) != nullptr) return p + 2;
    return *fault = {p, "an unknown escape in a string"}, nullptr;
  }
  const int32_t unit = HexUnit(p + 2);
  if (unit < 0) return *fault = {p, "\\u without four hexadecimal digits"}, nullptr;
  if (IsLowSurrogate(unit)) return *fault = {p, "half of a surrogate pair"}, nullptr;
  if (!IsHighSurrogate(unit)) return p + 6;
  if (p[6] != '\\' || p[7] != 'u' || !IsLowSurrogate(HexUnit(p + 8))) {
    return *fault = {p, "half of a surrogate pair"}, nullptr;
  }
  return p + 12;
}

#if defined(__SSE2__)
// Bits of quotes, backslashes and control bytes among the next kScanStep; `high` likewise of non-ASCII bytes.
uint32_t Specials(const char* p, uint32_t* high) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  *high = static_cast<uint32_t>(_mm_movemask_epi8(bytes));
  return internal::NotPlain(p) & ~*high;
}
#else
uint32_t Specials(const char* p, uint32_t* high) {
  *high = 0;
  for (int i = 0; i < internal::kScanStep; ++i)
    *high |= static_cast<uint32_t>(static_cast<unsigned char>(p[i]) >> 7) << i;
  return internal::NotPlain(p) & ~*high;
}
#endif

}  // namespace

namespace internal {

const char* ScanUnusual(const char* begin, const char* p, bool* has_escapes, JsonFault* fault) {
  uint32_t any_high = 0;
  while (true) {
    uint32_t high = 0;
    const uint32_t specials = Specials(p, &high);
    if (specials == 0) {
      any_high |= high;
      p += kScanStep;
      continue;
    }
    const int first = __builtin_ctz(specials);
    any_high |= high & ((1U << first) - 1);
    p += first;
    if (*p == '"') break;
    p = CheckEscape(p, fault);
    if (p == nullptr) return nullptr;
    *has_escapes = true;
  }
  if (any_high != 0 && !IsUtf8(begin, p))
    return *fault = {FirstBadByte(begin), "a string that is not UTF-8"}, nullptr;
  return p;
}

bool IsUtf8(const char* begin, const char* end) {
  return simdjson::validate_utf8(begin, static_cast<size_t>(end - begin));
}

const char* FirstBadByte(const char* p) {
  while (true) {
    const size_t size = CharacterAt(p).size();
    if (size == 1 && static_cast<unsigned char>(*p) >= 0x80) return p;
    p += size;
  }
}

}  // namespace internal

size_t UnescapeJson(const JsonString& string, char* out) {
  const char* p = string.begin;
  char* to = out;
  while (p != string.end) {
    const auto* slash = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(string.end - p)));
    const size_t plain = static_cast<size_t>((slash == nullptr ? string.end : slash) - p);
    std::memcpy(to, p, plain);
    to += plain;
    if (slash == nullptr) break;
    if (slash[1] != 'u') {
      *to++ = Unescaped(slash[1]);
      p = slash + 2;
      continue;
    }
    int32_t code = HexUnit(slash + 2);
    p = slash + 6;
    if (IsHighSurrogate(code)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (HexUnit(p + 2) - 0xdc00);
      p += 6;
    }
    to = AppendUtf8(code, to);
  }
  return static_cast<size_t>(to - out);
}

const char* SkipJsonValue(const char* p, int depth, JsonFault* fault) {
  Levels levels(depth);
  while (true) {
    p = SkipJsonSpace(p);
    if (*p == '{' || *p == '[') {
      bool opened = false;
      p = OpenContainer(p, &levels, &opened, fault);
      if (p == nullptr) return nullptr;
      if (opened) continue;
    } else {
      p = SkipScalar(p, fault);
      if (p == nullptr) return nullptr;
    }
    p = AfterValue(p, &levels, fault);
    if (p == nullptr || levels.IsEmpty()) return p;
  }
}

bool IsJson(std::string_view text) {
  std::string line(text);
  // Between tokens a line break is a blank; inside a string it stays, and is refused there.
  bool in_string = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (in_string && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      in_string = !in_string;
    } else if (line[i] == '\n' && !in_string) {
      line[i] = ' ';
    }
  }
  line += '\n';
  line.append(kJsonPadding, '\0');
  JsonFault fault;
  const char* end = SkipJsonValue(line.data(), 0, &fault);
  return end != nullptr && SkipJsonSpace(end) == line.data() + text.size();
}

std::string_view JsonKindName(char first) {
  switch (first) {
    case '{':
      return "object";
    case '[':
      return "array";
    case '"':
      return "string";
    case 't':
      return "true";
    case 'f':
      return "false";
    case 'n':
      return "null";
    default:
      break;
  }
  return first == '-' || internal::IsDigit(first) ? "number" : "";
}

std::string_view CharacterAt(const char* p) {
  const auto first = static_cast<unsigned char>(*p);
  const size_t size = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return internal::IsUtf8(p, p + size) ? std::string_view(p, size) : std::string_view(p, 1);
}

}  // namespace qn::text
