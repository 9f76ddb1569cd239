// How a CSV file is spelled. RFC 4180 unless told otherwise.
#pragma once

#include <string>

namespace qn::csv {

struct Dialect {
  bool has_header = true;
  char delimiter = ',';
  char quote = '"';       // '\0': no quoting
  char escape = '"';      // before a quote or itself inside quotes; the quote itself: doubled quotes
  std::string null_text;  // an unquoted field that is this is NULL
  size_t skip_lines = 0;  // before the header; quotes in them must be balanced
};

}  // namespace qn::csv
