// Which field of a file's records belongs to which declared column.
#pragma once

#include <string>
#include <vector>

#include "contract/source.h"
#include "data/type.h"
#include "formats/csv/dialect.h"

namespace qn::csv {

struct Header {
  std::vector<size_t> field_of;  // of each column of the schema
  size_t fields = 0;             // in every record
  std::string fault;             // not empty: why the file's rows cannot be read
  size_t bytes = 0;              // skipped lines and header, as they stand at the file's beginning
  uint64_t lines = 0;
  uint64_t lines_before = 0;  // of these, skipped ones
  std::string raw;            // the header record, for its dead letter
};

// By position, for files without a header.
Header HeaderByPosition(const Schema& schema);

// How many bytes of a file's beginning are byte order mark and skipped lines.
size_t PreambleBytes(const Dialect& dialect, std::string_view head);

// `head` is the beginning of the file. Names are matched exactly, else but for case; order is free, other
// fields are ignored; a declared column that is missing or comes twice is a fault, because rows that silently
// lack a column are worse than rows refused.
Header ReadHeader(const Dialect& dialect, const Schema& schema, std::string_view head);

}  // namespace qn::csv
