// Constants of the bound plan as SQL that gives exactly the same typed value again.
#pragma once

#include <string>

#include "base/status.h"
#include "data/json.h"
#include "data/type.h"

namespace qn::plan {

// `value` is DuckDB's JSON of a Value: {"is_null": …, "value": …}. Refuses (QN-1208) types whose form it does
// not know.
Result<std::string> Literal(const Json& value, const Type& type);

// "CAST(text AS type)".
std::string CastSql(const std::string& text, const Type& type);

// Whether `type` can be written as SQL: not for DuckDB's inner types such as TUPLE, LAMBDA, POINTER.
bool IsSqlType(const Type& type);

}  // namespace qn::plan
