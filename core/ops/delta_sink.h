// Where a fragment's rows go: encodes them, key and rest, for the operator behind it.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "data/delta.h"
#include "duck/row_codec.h"
#include "duck/row_sink.h"
#include "trace/budget.h"

namespace qn::ops {

// Arguments: the key's columns, the row's columns, and the weight (BIGINT) where `is_weighted`.
class DeltaSink final : public duck::RowSink {
 public:
  // A NULL in one of the first `strict_keys` columns makes has_null_key. What comes is charged to `budget`
  // until MoveTo.
  DeltaSink(std::vector<Type> key, std::vector<Type> row, size_t strict_keys, bool is_weighted,
            trace::Budget& budget);

  std::vector<Type> Arguments() const;
  // From DuckDB's threads at the same time; rows of weight 0 are left out.
  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override;

  // After the statement: adds its rows to `out`, in no particular order, and is empty again. Also throws away
  // what a failed statement left.
  void MoveTo(KeyedDelta& out);
  // What a statement failed with on our account, since the last MoveTo: QN-3601. DuckDB tells no codes.
  Status failure() const;

 private:
  class Thread;
  struct Part {  // of one thread
    explicit Part(trace::Budget& budget) : rows_room(budget), bytes_room(budget) {}
    trace::Charge rows_room;
    trace::Charge bytes_room;
    std::unique_ptr<Arena> bytes = std::make_unique<Arena>();
    std::vector<KeyedRow> rows;
  };

  Status Keep(const Status& status);  // from any thread; gives it back

  duck::RowCodec key_;
  duck::RowCodec row_;
  size_t strict_keys_;
  bool is_weighted_;
  trace::Budget& budget_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Part>> parts_;
  Status failure_;
};

}  // namespace qn::ops
