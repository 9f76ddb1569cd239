// The end of a flow: applies the rules to rows in flight and hands those that stay to the table's encoder.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "app/keep.h"
#include "duck/row_sink.h"
#include "formats/parquet/writer.h"

namespace qn::app {

// Registered once a flow; a new writer is set before each statement. Arguments: those of `keep`, if there are
// rules, then the table's columns in order.
class TableSink final : public duck::RowSink {
 public:
  // `keep` may be null; borrowed.
  explicit TableSink(Keep* keep) : keep_(keep) {}

  std::vector<Type> Arguments(const Schema& columns) const;
  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override;

  void SetWriter(parquet::PartitionedWriter* writer);

  int64_t rows() const { return rows_.load(); }  // written since SetWriter or ClearCounts
  void ClearCounts() { rows_ = 0; }
  Status failure() const { return failure_.Get(); }

 private:
  class Thread;
  Keep* keep_;
  parquet::PartitionedWriter* writer_ = nullptr;
  std::atomic<int64_t> rows_{0};
  FirstFailure failure_;
};

}  // namespace qn::app
