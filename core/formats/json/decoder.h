// JSON lines to columns: one object a line. Refuses, line by line, what is not strict JSON in UTF-8, what is
// no object, and what does not fit the declared types.
#pragma once

#include <memory>
#include <span>

#include "data/type.h"
#include "formats/decoder.h"

namespace qn::json {

// `schema` is copied. What a value may be, for each type of column:
//   every type        null, or no such key: NULL; refused when the column is NOT NULL
//   scalars           a number, string, true or false whose text is a value of the type (formats/text);
//   strings
//                     for numbers ("12.50") and numbers for VARCHAR (its text is kept) are common and fine
//   STRUCT            an object; unknown keys are checked and left out
//   LIST              an array
//   MAP(VARCHAR, …)   an object; of equal keys the last one counts
//   JSON              anything; the text of the value is kept
// Of equal keys in an object the last one counts, but all must have the right type. A key names the column
// that is spelled the same, otherwise the one that differs in case only; where a line has both, the former
// counts.
std::unique_ptr<Decoder> NewDecoder(const Schema& schema, std::span<const int> columns);

}  // namespace qn::json
