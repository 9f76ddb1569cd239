// One CSV record to its fields, in place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/dialect.h"

namespace qn::csv {

struct CsvField {
  const char* begin = nullptr;
  size_t size = 0;
  bool is_quoted = false;
  bool has_escapes = false;

  std::string_view raw() const { return {begin, size}; }
};

class Record {
 public:
  explicit Record(const Dialect& dialect) : dialect_(dialect) {}

  // Splits the record that begins at `p`; `end[-1]` is '\n', and 16 bytes behind `end` are readable. Keeps
  // the first `fields_max` fields, counts the others. Returns where the next record begins.
  const char* Read(const char* p, const char* end, size_t fields_max);

  const std::vector<CsvField>& fields() const { return fields_; }
  size_t count() const { return count_; }       // with those not kept
  const char* fault() const { return fault_; }  // nullptr: well-formed
  // The record without its line end.
  std::string_view raw() const { return raw_; }
  bool IsBlank() const { return raw_.empty(); }

 private:
  const char* ReadQuoted(const char* p, const char* end, CsvField* field);

  const Dialect& dialect_;
  std::vector<CsvField> fields_;
  size_t count_ = 0;
  const char* fault_ = nullptr;
  std::string_view raw_;
};

// A field's text without its escapes; `out` has room for raw().size() bytes. False: an escape before
// something that needs none.
bool Unescape(const Dialect& dialect, std::string_view raw, char* out, size_t* size);

}  // namespace qn::csv
