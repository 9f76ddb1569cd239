// The end of a view's circuit: applies the rules to the change in flight and keeps what stays, as encoded
// rows of the table's types with weights.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "app/keep.h"
#include "app/line_scan.h"
#include "data/delta.h"
#include "duck/row_codec.h"
#include "duck/row_sink.h"
#include "trace/budget.h"

namespace qn::app {

// Arguments: those of `keep`, if there are rules, then the table's columns in order, then the weight.
class ViewSink final : public duck::RowSink {
 public:
  // `keep` may be null; borrowed. What comes is charged to `budget` until the next Begin.
  ViewSink(Keep* keep, const Schema& stored, trace::Budget& budget);

  std::vector<Type> Arguments() const;
  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override;

  // Before a statement: what came in until now is forgotten.
  void Begin();
  // The change, after the statement. Its rows point into this sink until the next Begin.
  void MoveTo(Delta& delta);

  int64_t rows() const { return rows_.load(); }  // that came and stayed, since Begin or ClearCounts
  void ClearCounts() { rows_ = 0; }
  Status failure() const { return failure_.Get(); }

 private:
  class Thread;
  struct Part {  // of one thread
    explicit Part(trace::Budget& budget) : rows_room(budget), bytes_room(budget) {}
    trace::Charge rows_room;
    trace::Charge bytes_room;
    Arena bytes;
    std::vector<DeltaRow> rows;
  };
  Keep* keep_;
  duck::RowCodec codec_;
  trace::Budget& budget_;
  trace::Charge moved_;  // for the rows that MoveTo gave away
  std::mutex mutex_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::atomic<int64_t> rows_{0};
  FirstFailure failure_;
};

}  // namespace qn::app
