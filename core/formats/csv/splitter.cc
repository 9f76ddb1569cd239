// Finds where CSV records end. Jumps from quote to quote; a text without quotes costs one search.
#include "formats/csv/splitter.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "formats/text/lines.h"

namespace qn::csv {
namespace {

const char* Find(const char* p, const char* end, char c) {
  return p == end ? nullptr : static_cast<const char*>(std::memchr(p, c, static_cast<size_t>(end - p)));
}

bool OpensField(const Dialect& dialect, const char* data, const char* quote) {
  if (quote == data || quote[-1] == dialect.delimiter || quote[-1] == '\n') return true;
  return quote - data == 3 && std::string_view(data, 3) == "\xef\xbb\xbf";
}

// What a record that comes in pieces is in the middle of.
enum State : uint64_t {
  kRecordBegin,
  kFieldBegin,
  kUnquoted,
  kQuoted,
  kQuotedAfterEscape,
  kQuotedAfterQuote
};

State Next(const Dialect& dialect, State state, char c) {
  switch (state) {
    case kQuoted:
      if (c == dialect.quote && dialect.escape == dialect.quote) return kQuotedAfterQuote;
      if (c == dialect.escape) return kQuotedAfterEscape;
      return c == dialect.quote ? kUnquoted : kQuoted;
    case kQuotedAfterEscape:
      return kQuoted;
    case kQuotedAfterQuote:
      if (c == dialect.quote) return kQuoted;
      break;
    case kRecordBegin:
    case kFieldBegin:
      if (c == dialect.quote && dialect.quote != '\0') return kQuoted;
      break;
    case kUnquoted:
      break;
  }
  return c == dialect.delimiter ? kFieldBegin : kUnquoted;
}

}  // namespace

const char* QuotedEnd(const Dialect& dialect, const char* p, const char* end) {
  if (dialect.escape == dialect.quote) {
    while ((p = Find(p, end, dialect.quote)) != nullptr) {
      if (p + 1 == end) return nullptr;
      if (p[1] != dialect.quote) return p + 1;
      p += 2;
    }
    return nullptr;
  }
  for (; p < end; ++p) {
    if (*p == dialect.escape) {
      ++p;
    } else if (*p == dialect.quote) {
      return p + 1;
    }
  }
  return nullptr;
}

size_t Splitter::Whole(const char* data, size_t size, uint64_t* lines) const {
  const char* end = data + size;
  const char* p = data;
  const char* whole = data;
  while (p != nullptr && p != end) {
    const char* quote = dialect_.quote == '\0' ? nullptr : Find(p, end, dialect_.quote);
    const char* plain_end = quote == nullptr ? end : quote;
    if (const char* line = text::LastLineBreak(p, plain_end); line != nullptr) whole = line + 1;
    if (quote == nullptr) break;
    p = OpensField(dialect_, data, quote) ? QuotedEnd(dialect_, quote + 1, end) : quote + 1;
  }
  *lines = text::CountLineBreaks(data, whole);
  return static_cast<size_t>(whole - data);
}

size_t Splitter::RecordEnd(const char* data, size_t size, uint64_t* state, uint64_t* lines) const {
  auto at = static_cast<State>(*state);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      ++*lines;
      if (at != kQuoted && at != kQuotedAfterEscape) return i + 1;
    }
    at = Next(dialect_, at, data[i]);
  }
  *state = at;
  return 0;
}

}  // namespace qn::csv
