// Values of a result as Json, for control data. Only for core/duck.
#pragma once

#include <vector>

#include "data/json.h"
#include "data/type.h"
#include "duck/api.h"

namespace qn::duck {

// Appends one vector of values per row of the chunk. Scalars without a JSON form become null: cast them to
// VARCHAR in the query.
void AppendCells(const Api& api, Handle chunk, const std::vector<Type>& types,
                 std::vector<std::vector<Json>>& rows);

}  // namespace qn::duck
