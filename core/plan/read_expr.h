// Reads one bound expression of DuckDB's plan. See read_plan.h.
#pragma once

#include <functional>
#include <vector>

#include "data/json.h"
#include "plan/node.h"

namespace qn::plan {

// Where an unresolved column (BOUND_COLUMN_REF, left over below table functions) lies; kRowId: nowhere.
using FindColumn = std::function<size_t(uint64_t table, uint64_t column)>;

Type ReadType(const Json& json);
Expr ReadExpr(const Json& json, const FindColumn& find);
std::vector<Expr> ReadExprs(const Json& list, const FindColumn& find);
std::vector<OrderKey> ReadOrders(const Json& list, const FindColumn& find);

// "COMPARE_EQUAL" → "="; "" when it is no comparison.
std::string CompareSql(const std::string& type);

}  // namespace qn::plan
