// Finds where CSV records end: at a line break outside quotes. A quote opens only at the beginning of a
// field; elsewhere in an unquoted field it is an ordinary character.
#pragma once

#include "contract/source.h"
#include "formats/csv/dialect.h"

namespace qn::csv {

class Splitter final : public RecordSplitter {
 public:
  explicit Splitter(Dialect dialect) : dialect_(std::move(dialect)) {}
  size_t Whole(const char* data, size_t size, uint64_t* lines) const override;
  bool WantsHead() const override { return dialect_.has_header; }
  size_t RecordEnd(const char* data, size_t size, uint64_t* state, uint64_t* lines) const override;

 private:
  Dialect dialect_;
};

// Behind the quote that closes a quoted field whose text begins at `p`; nullptr when the field goes on at
// `end`, or its last byte could be half of an escape.
const char* QuotedEnd(const Dialect& dialect, const char* p, const char* end);

}  // namespace qn::csv
