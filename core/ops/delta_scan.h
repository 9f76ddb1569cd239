// Encoded rows as a relation: an operator's change for the fragments behind it, and the rows that a recompute
// gathered. Copies no bytes; strings point into what was given.
#pragma once

#include <memory>
#include <vector>

#include "data/delta.h"
#include "data/type.h"
#include "duck/row_codec.h"
#include "duck/scan.h"
#include "plan/circuit.h"
#include "trace/row_trace.h"

namespace qn::ops {

// All rows under some keys of a trace, and some more beside them. Weights are 1 or more.
struct GatheredInput {
  const trace::RowTrace* trace = nullptr;  // may be absent
  std::vector<trace::KeyRef> keys;         // each once; no kNoKey
  std::vector<KeyedRow> added;
};
using GatheredRows = std::vector<GatheredInput>;  // one an input

// Registered once; what it shows changes from statement to statement. DuckDB's threads share the rows in
// ranges of kChunkRows.
class DeltaScan final : public duck::Scan {
 public:
  // `columns` are those of `first`, then those of `second`; with `is_weighted` plan::kWeightColumn comes
  // last. Otherwise a row of weight w ≥ 1 comes w times.
  DeltaScan(Schema columns, duck::RowCodec first, duck::RowCodec second, bool is_weighted);
  // For the output of an operator. QN-1810: a column's type cannot be remembered.
  static Result<std::unique_ptr<DeltaScan>> Make(const plan::CircuitOp& plan);

  // What statements read from now on; borrowed. nullptr: no rows.
  void Set(const Delta* delta) { delta_ = delta; }

  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override;

 private:
  Schema columns_;
  duck::RowCodec first_;
  duck::RowCodec second_;
  bool is_weighted_;
  const Delta* delta_ = nullptr;
};

// The same for the gathered rows of one input. Columns are named c0, c1, … A row of weight w comes w times.
class GatherScan final : public duck::Scan {
 public:
  explicit GatherScan(const std::vector<Type>& row);

  // What statements read from now on: input `input` of `rows`; borrowed. nullptr: no rows. While a statement
  // runs, DuckDB's threads read the trace.
  void Set(const GatheredRows* rows, size_t input) { rows_ = rows == nullptr ? nullptr : &(*rows)[input]; }

  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override;

 private:
  Schema columns_;
  duck::RowCodec row_;
  duck::RowCodec nothing_;
  const GatheredInput* rows_ = nullptr;
};

}  // namespace qn::ops
