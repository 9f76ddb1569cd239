// A volatile scalar function of ours that returns BOOLEAN: sees every row once, in the same pass as the
// projection, and decides what stays. Expectations are built on it.
#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "duck/database.h"
#include "duck/vector.h"

namespace qn::duck {

class RowFilter {
 public:
  virtual ~RowFilter() = default;
  // `keep[row]` is written for each of `rows` rows. Called from DuckDB's threads at the same time.
  virtual Status Apply(std::span<const ColumnIn> columns, size_t rows, bool* keep) = 0;
};

// After this, SQL may say: … WHERE name(a, b, …), with exactly these argument types. The filter is borrowed.
Status RegisterRowFilter(Connection& connection, const std::string& name, const std::vector<Type>& arguments,
                         RowFilter& filter);

}  // namespace qn::duck
