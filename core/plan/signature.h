// Compares how two plans call functions.
#pragma once

#include <string>

#include "data/json.h"

namespace qn::plan {

// A call in `after` (an answer of json_serialize_plan) that `before` does not have with the same argument
// types, result type and bound data: "name(types)". Empty: every call is known. Casts and
// comparisons do not count.
std::string FirstNewCall(const Json& before, const Json& after);

}  // namespace qn::plan
