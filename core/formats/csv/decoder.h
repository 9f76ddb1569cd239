// CSV to columns. Refuses, record by record, what is not well-formed, has another number of fields than the
// header, is not UTF-8, or does not fit the declared types.
#pragma once

#include <memory>
#include <span>

#include "data/type.h"
#include "formats/csv/dialect.h"
#include "formats/decoder.h"

namespace qn::csv {

// An unquoted field that is the null text is NULL, and so is an empty quoted one where the type is not
// VARCHAR and the null text is empty. Any other field is text of the column's type (formats/text). Blank
// lines are skipped unless records have one field only. Where the header does not fit the schema, the header
// is a dead letter, and so is every row of that file.
std::unique_ptr<Decoder> NewDecoder(const Dialect& dialect, const Schema& schema,
                                    std::span<const int> columns);

}  // namespace qn::csv
