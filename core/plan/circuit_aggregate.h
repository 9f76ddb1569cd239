// GROUP BY over a stream: merged states where every aggregate has them, otherwise the groups that change are
// computed anew.
#pragma once

#include "plan/circuit_build.h"

namespace qn::plan {

// Columns: the groups, then the aggregates (NULL where `needed`, which counts groups too, says so).
struct Grouping {
  Part part;
  std::vector<Expr> groups;
  std::vector<Expr> aggregates;
  Mask needed;
  Schema columns;
};

Result<Part> PlanGrouping(CircuitBuilder& builder, Grouping grouping);

}  // namespace qn::plan
