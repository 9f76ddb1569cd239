// Reads the JSON of DuckDB's json_serialize_plan into our tree. The only place that knows the plan's form,
// which DuckDB may change between versions (docs/decisions/002-bound-plan.md).
#pragma once

#include <memory>

#include "base/status.h"
#include "data/json.h"
#include "plan/node.h"

namespace qn::plan {

// `plan` is one item of "plans". Never fails on a form that it does not know: that becomes Op::kOther or
// Expr::kUnknown with a name, and whoever writes it as SQL refuses.
Result<std::unique_ptr<Node>> ReadPlan(const Json& plan);

}  // namespace qn::plan
