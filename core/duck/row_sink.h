// A volatile scalar function of ours that takes rows out of DuckDB's pipeline, a vector at a time, on its
// threads: SELECT count(*) FROM (…) WHERE sink(a, b, …). It keeps no row, so nothing is buffered behind it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "duck/database.h"
#include "duck/vector.h"

namespace qn::duck {

// One DuckDB thread's part of one execution.
class RowSinkThread {
 public:
  virtual ~RowSinkThread() = default;
  // The columns are flat and live until the call returns.
  virtual Status Take(std::span<const ColumnIn> columns, size_t rows) = 0;
};

class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual Result<std::unique_ptr<RowSinkThread>> OpenThread() = 0;  // from DuckDB's threads, at the same time
};

// After this, SQL may say: … WHERE name(a, b, …), with exactly these argument types. The sink is borrowed.
Status RegisterRowSink(Connection& connection, const std::string& name, const std::vector<Type>& arguments,
                       RowSink& sink);

}  // namespace qn::duck
