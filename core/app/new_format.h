// From a pipeline's "format" object to the format. Inline, because only those who link every format may pick.
#pragma once

#include <memory>
#include <string>

#include "formats/csv/format.h"
#include "formats/json/format.h"

namespace qn {

// {"kind": "json"} or {"kind": "csv", …}; each kind's header lists its options. QN-2010 for any other kind;
// Parquet is not decoded here, DuckDB reads it.
inline Result<std::unique_ptr<Format>> NewFormat(const Json& options) {
  const std::string kind = options["kind"].StrOr("");
  if (kind == "json") return json::NewFormat(options);
  if (kind == "csv") return csv::NewFormat(options);
  Status status =
      Invalid("QN-2010", "There is no format '" + kind + "'.").With("Formats: json, csv, parquet");
  const std::string near = NearestName(kind, {"json", "csv", "parquet"});
  if (!near.empty()) status.With("Did you mean '" + near + "'?");
  return status;
}

}  // namespace qn
