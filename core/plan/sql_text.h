// Looks at SQL text without parsing it: where it ends, and where a position in it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qn::plan {

// Without the spaces, comments and semicolons at its end, so that it can stand in parentheses.
std::string TrimSql(std::string_view sql);

// The line around a byte position, cut to what fits on a screen.
struct SqlLine {
  size_t number = 1;  // from 1
  size_t count = 1;   // lines in the whole text
  std::string text;
  size_t column = 0;  // characters before the position in `text`
};
SqlLine LineAt(std::string_view sql, size_t position);

}  // namespace qn::plan
