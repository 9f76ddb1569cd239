// One CSV record to its fields. Ends a record where the splitter does, also one that is not well-formed.
#include "formats/csv/record.h"

#include <cstring>

#include "formats/csv/splitter.h"
#include "formats/text/json_text.h"

namespace qn::csv {
namespace {

#if defined(__SSE2__)
// The next delimiter or line break; there is one.
const char* FindFieldEnd(const char* p, char delimiter) {
  const __m128i delimiters = _mm_set1_epi8(delimiter);
  const __m128i breaks = _mm_set1_epi8('\n');
  while (true) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, breaks));
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
    p += 16;
  }
}
#else
const char* FindFieldEnd(const char* p, char delimiter) {
  while (*p != delimiter && *p != '\n') ++p;
  return p;
}
#endif

bool IsAscii(std::string_view text) {
  uint64_t any = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, sizeof(bytes));
    any |= bytes;
  }
  for (; i < text.size(); ++i) any |= static_cast<unsigned char>(text[i]);
  return (any & 0x8080808080808080ULL) == 0;
}

}  // namespace

const char* Record::ReadQuoted(const char* p, const char* end, CsvField* field) {
  field->is_quoted = true;
  field->begin = ++p;
  const char* behind = QuotedEnd(dialect_, p, end);
  if (behind == nullptr) {
    fault_ = "a quote that is never closed";
    return nullptr;
  }
  field->size = static_cast<size_t>(behind - 1 - p);
  field->has_escapes = std::memchr(p, dialect_.escape, field->size) != nullptr;
  const char* next = FindFieldEnd(behind, dialect_.delimiter);
  const bool is_closed = next == behind || (*next == '\n' && next == behind + 1 && *behind == '\r');
  if (!is_closed) fault_ = "text after a closing quote";
  return next;
}

const char* Record::Read(const char* p, const char* end, size_t fields_max) {
  fields_.clear();
  count_ = 0;
  fault_ = nullptr;
  const char* begin = p;
  const char* field_end = nullptr;
  while (true) {
    CsvField field;
    if (*p == dialect_.quote && dialect_.quote != '\0') {
      field_end = ReadQuoted(p, end, &field);
      if (field_end == nullptr) {
        field_end = end - 1;
        break;
      }
    } else {
      field_end = FindFieldEnd(p, dialect_.delimiter);
      field.begin = p;
      field.size = static_cast<size_t>(field_end - p);
      if (*field_end == '\n' && field.size > 0 && field_end[-1] == '\r') --field.size;
    }
    if (count_++ < fields_max) fields_.push_back(field);
    if (*field_end == '\n') break;
    p = field_end + 1;
  }
  const char* raw_end = field_end > begin && field_end[-1] == '\r' ? field_end - 1 : field_end;
  raw_ = {begin, static_cast<size_t>(raw_end - begin)};
  if (fault_ == nullptr && !IsAscii(raw_) && !text::internal::IsUtf8(begin, raw_end))
    fault_ = "text that is not UTF-8";
  return field_end + 1;
}

bool Unescape(const Dialect& dialect, std::string_view raw, char* out, size_t* size) {
  char* to = out;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == dialect.escape) {
      ++i;
      if (i == raw.size() || (raw[i] != dialect.quote && raw[i] != dialect.escape)) return false;
    }
    *to++ = raw[i];
  }
  *size = static_cast<size_t>(to - out);
  return true;
}

}  // namespace qn::csv
