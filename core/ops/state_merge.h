// Partial states of aggregates, merged in their encoded form. Orders and NULLs as in DuckDB.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "data/type.h"
#include "duck/row_codec.h"
#include "plan/circuit.h"

namespace qn::ops {

class StateMerge {
 public:
  // kAdd: integers, DECIMAL, FLOAT, DOUBLE. kMin, kMax: every scalar type. kAnd, kOr: BOOLEAN. Bits:
  // integers, BIT. kFirst: everything. Column 0 is kAdd on BIGINT, the number of rows.
  static bool CanMerge(plan::Merge merge, const Type& type);

  StateMerge(std::vector<plan::Merge> merges, std::vector<Type> types);  // each pair can be merged

  // Both together, stored in `arena`. NULL and x is x. Of equal states `a` stays. Failure: QN-3510, QN-3512.
  Status Merge(std::string_view a, std::string_view b, Arena& arena, std::string_view* out) const;

  // The number of rows; NULL is 0.
  int64_t Count(std::string_view state) const;
  // Whether every sum of whole numbers is 0 or NULL, as it is over no rows.
  bool IsEmpty(std::string_view state) const;
  // Count 0, everything else NULL.
  std::string_view Nothing(Arena& arena) const;
};

}  // namespace qn::ops
