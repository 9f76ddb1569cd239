// A scanner that knows just enough of SQL's lexical rules: quotes, dollar quotes and comments.
#include "plan/sql_text.h"

#include <algorithm>
#include <cctype>

namespace qn::plan {
namespace {

constexpr size_t kLineWidthMax = 100;

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

size_t EndOfQuote(std::string_view sql, size_t at) {
  const char quote = sql[at];
  const bool has_escapes = at > 0 && quote == '\'' && (sql[at - 1] == 'e' || sql[at - 1] == 'E');
  for (size_t i = at + 1; i < sql.size(); ++i) {
    if (has_escapes && sql[i] == '\\') {
      ++i;
    } else if (sql[i] == quote) {
      return i + 1;  // a doubled quote begins another quoted piece at once
    }
  }
  return sql.size();
}

size_t EndOfBlockComment(std::string_view sql, size_t at) {
  int depth = 0;
  for (size_t i = at; i + 1 < sql.size(); ++i) {
    if (sql.substr(i, 2) == "/*") {
      ++depth;
      ++i;
    } else if (sql.substr(i, 2) == "*/") {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return sql.size();
}

// "$tag$ … $tag$", or just the dollar.
size_t EndOfDollar(std::string_view sql, size_t at) {
  size_t end = at + 1;
  while (end < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[end])) != 0 || sql[end] == '_'))
    ++end;
  if (end >= sql.size() || sql[end] != '$') return at + 1;
  const std::string_view tag = sql.substr(at, end + 1 - at);
  const size_t close = sql.find(tag, end + 1);
  return close == std::string_view::npos ? sql.size() : close + tag.size();
}

}  // namespace

std::string TrimSql(std::string_view sql) {
  size_t end = 0;  // behind the last byte that says something
  for (size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (sql.substr(i, 2) == "--") {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i, 2) == "/*") {
      i = EndOfBlockComment(sql, i);
    } else if (IsSpace(c) || c == ';') {
      ++i;
    } else {
      i = c == '\'' || c == '"' ? EndOfQuote(sql, i) : c == '$' ? EndOfDollar(sql, i) : i + 1;
      end = i;
    }
  }
  return std::string(sql.substr(0, end));
}

SqlLine LineAt(std::string_view sql, size_t position) {
  position = std::min(position, sql.size());
  SqlLine out;
  const size_t before = position == 0 ? std::string_view::npos : sql.rfind('\n', position - 1);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const size_t end = std::min(sql.find('\n', position), sql.size());
  out.number = 1 + static_cast<size_t>(
                       std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
  out.count = 1 + static_cast<size_t>(std::count(sql.begin(), sql.end(), '\n'));
  std::string_view line = sql.substr(begin, end - begin);
  size_t column = position - begin;
  while (!line.empty() && IsSpace(line.front()) && column > 0) {
    line.remove_prefix(1);
    --column;
  }
  if (line.size() > kLineWidthMax && column > kLineWidthMax / 2) {
    const size_t cut = std::min(column - kLineWidthMax / 2, line.size() - 1);
    line.remove_prefix(cut);
    column -= cut;
  }
  out.text = std::string(line.substr(0, kLineWidthMax));
  while (!out.text.empty() && IsSpace(out.text.back())) out.text.pop_back();
  // Bytes that continue a UTF-8 character take no place on the screen.
  for (size_t i = 0; i < std::min(column, line.size()); ++i) out.column += (line[i] & 0xC0) != 0x80 ? 1 : 0;
  return out;
}

}  // namespace qn::plan
