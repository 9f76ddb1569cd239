// GROUP BY over a stream: merged states where every aggregate has them, otherwise the groups that change are
// computed anew.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/circuit_build.h"

namespace qn::plan {

// Columns: the groups, then the aggregates (NULL where `needed`, which counts groups too, says so).
struct Grouping {
  Part part;
  std::vector<Expr> groups;
  std::vector<Expr> aggregates;
  Mask needed;
  Schema columns;
  // What is made of them, where an answer has a type that cannot be remembered: expressions over `columns`,
  // and what comes out instead of those. None: they come out as they are.
  std::vector<Expr> finish;
  Schema finish_columns;
};

Result<Part> PlanGrouping(CircuitBuilder& builder, Grouping grouping);

// The same by merged states alone; nothing where some aggregate has none. DISTINCT is no such one.
Result<std::optional<Part>> PlanMerged(CircuitBuilder& builder, Grouping grouping);
// By making the values of DISTINCT aggregates distinct first (circuit_distinct.cc).
Result<std::optional<Part>> PlanDistinct(CircuitBuilder& builder, const Grouping& grouping);

// Whether DISTINCT makes a difference for the aggregate.
bool IsDistinct(const Expr& aggregate);
std::string GroupingLabel(const Grouping& grouping);

}  // namespace qn::plan
