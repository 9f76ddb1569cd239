// What DuckDB's parser alone can tell about a statement (json_serialize_sql), before anything is bound.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "data/json.h"

namespace qn::plan {

// The tables that a statement names, once each, in order; names given by its own WITH clauses are left out.
std::vector<std::string> TablesOf(const Json& parsed);

// Functions whose answer is not decided by their arguments: random(), now(), current_setting() …
const std::set<std::string>& VolatileFunctions();

// The first call of one of `functions`, or of current_timestamp and its like, which are no calls for the
// parser. Needed beside the plan, because the binder already computes now() where it stands in a constant
// expression.
std::string FirstCall(const Json& parsed, const std::set<std::string>& functions);

// Whether the statement is one expression without FROM and WHERE: "SELECT a > 0".
bool IsOneExpression(const Json& parsed);

}  // namespace qn::plan
