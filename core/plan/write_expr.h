// Writes an expression back as SQL that binds to the same functions and types. Refuses (QN-1208) what it does
// not know.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "plan/node.h"

namespace qn::plan {

// `columns[i]` is the SQL of column i; empty: a column that cannot be read (rowid of a stream).
Result<std::string> WriteExpr(const Expr& expr, const std::vector<std::string>& columns);

// "name(DISTINCT a, b ORDER BY c) FILTER (WHERE d)".
Result<std::string> WriteAggregate(const Expr& expr, const std::vector<std::string>& columns);
// The same with "OVER (…)".
Result<std::string> WriteWindow(const Expr& expr, const std::vector<std::string>& columns);
// "a DESC NULLS LAST, b ASC NULLS FIRST".
Result<std::string> WriteOrders(const std::vector<OrderKey>& orders, const std::vector<std::string>& columns);

}  // namespace qn::plan
