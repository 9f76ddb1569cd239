// A row that could not go where it was meant to go, with all that is needed to mend and resend it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qn {

struct DeadLetter {
  std::string reason;  // decode, expectation, udf, sink, late
  std::string rules;   // names of the broken rules, comma-separated; empty unless reason is expectation
  std::string detail;  // what was found and expected, for people
  std::string raw;     // the bytes as they came; the row as JSON where there were none
  std::string source;  // name of the source or dataset that the row came from
  std::string file;    // empty when not from a file
  int64_t line = 0;    // 1-based line (JSON lines, CSV) or row (Parquet) in the file; 0 when unknown
};

}  // namespace qn
