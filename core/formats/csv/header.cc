// Reads a file's header record and matches it with the declared columns.
#include "formats/csv/header.h"

#include <algorithm>
#include <cctype>

#include "formats/csv/record.h"
#include "formats/text/lines.h"
#include "formats/text/number.h"
#include "formats/text/projection.h"
#include "formats/text/value.h"

namespace qn::csv {
namespace {

constexpr size_t kHeaderFieldsMax = kFileHeadBytes;

std::string NameOf(const Dialect& dialect, const CsvField& field) {
  std::string name(field.raw());
  size_t size = name.size();
  if (field.has_escapes && Unescape(dialect, field.raw(), name.data(), &size)) name.resize(size);
  return std::string(text::Trim(name));
}

bool SameButCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

// The fields called `name`: those spelled the same, if any.
std::vector<size_t> FieldsCalled(const std::vector<std::string>& names, std::string_view name) {
  std::vector<size_t> exact;
  std::vector<size_t> folded;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) exact.push_back(i);
    if (SameButCase(names[i], name)) folded.push_back(i);
  }
  return exact.empty() ? folded : exact;
}

void Match(const Schema& schema, const std::vector<std::string>& names, Header* out) {
  for (const Field& column : schema) {
    const std::vector<size_t> found = FieldsCalled(names, column.name);
    if (found.size() == 1) {
      out->field_of.push_back(found[0]);
      continue;
    }
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    out->fault = "the file's header " + std::string(found.empty() ? "lacks" : "has twice") + " the column '" +
                 column.name + "'; it has: " + text::Excerpt(list);
    return;
  }
}

}  // namespace

Header HeaderByPosition(const Schema& schema) {
  Header out;
  out.fields = schema.size();
  for (size_t i = 0; i < schema.size(); ++i) out.field_of.push_back(i);
  return out;
}

size_t PreambleBytes(const Dialect& dialect, std::string_view head) {
  size_t at = head.starts_with(text::kByteOrderMark) ? text::kByteOrderMark.size() : 0;
  for (size_t i = 0; i < dialect.skip_lines && at < head.size(); ++i) {
    const size_t line = head.find('\n', at);
    at = line == std::string_view::npos ? head.size() : line + 1;
  }
  return at;
}

Header ReadHeader(const Dialect& dialect, const Schema& schema, std::string_view head) {
  Header out;
  head = head.substr(0, kFileHeadBytes);
  const size_t at = PreambleBytes(dialect, head);
  out.lines_before = text::CountLineBreaks(head.data(), head.data() + at);
  // The record reader wants a line break at the end and readable bytes behind; this happens once a file.
  std::string rest(head.substr(at));
  const bool is_cut = head.size() >= kFileHeadBytes;
  if (!is_cut || rest.empty()) rest += '\n';
  const size_t usable = rest.rfind('\n') == std::string::npos ? 0 : rest.rfind('\n') + 1;
  rest.append(64, '\n');
  Record record(dialect);
  if (usable == 0) {
    out.fault = "the file's header is longer than 64 KiB";
    out.bytes = at;  // the header itself is read as a row, and refused like the others
    out.lines = out.lines_before;
    return out;
  }
  const char* next = record.Read(rest.data(), rest.data() + usable, kHeaderFieldsMax);
  out.bytes = std::min(head.size(), at + static_cast<size_t>(next - rest.data()));
  out.lines = text::CountLineBreaks(head.data(), head.data() + out.bytes);
  out.raw = record.raw();
  out.fields = record.count();
  if (record.fault() != nullptr) {
    out.fault = std::string("the file's header has ") + record.fault();
    return out;
  }
  std::vector<std::string> names;
  for (const CsvField& field : record.fields()) names.push_back(NameOf(dialect, field));
  Match(schema, names, &out);
  return out;
}

}  // namespace qn::csv
