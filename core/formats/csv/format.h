// The format "csv".
#pragma once

#include <memory>

#include "base/status.h"
#include "data/json.h"
#include "formats/decoder.h"

namespace qn::csv {

// {"kind": "csv"} and, each optional: "header" (true), "delimiter" (","), "quote" ("\""; "" for none),
// "escape" (the quote), "null" (""), "skip_lines" (0). QN-2011 for another option, QN-2012 for a value that
// cannot be.
Result<std::unique_ptr<Format>> NewFormat(const Json& options);

}  // namespace qn::csv
