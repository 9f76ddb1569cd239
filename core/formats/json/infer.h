// A schema out of sample records, for people to look at and mend: `qanat init` prints it. Not for reading
// data: a declared schema is.
#pragma once

#include <string_view>

#include "base/status.h"
#include "data/type.h"

namespace qn::json {

// Columns in the order in which their keys first appear. BIGINT (HUGEINT or DOUBLE when the numbers ask for
// it), BOOLEAN, DATE, TIMESTAMP, UUID (where every string is one), VARCHAR, STRUCT, LIST; JSON for what has
// several shapes, is always empty or null, or has more keys than kInferFieldsMax; scalars of several kinds
// are VARCHAR. A last line without its line break is left out (it may be cut), and so are lines that are no
// objects. QN-2030 when no line is an object.
Result<Schema> InferJsonSchema(std::string_view sample);

inline constexpr size_t kInferFieldsMax = 500;

}  // namespace qn::json
