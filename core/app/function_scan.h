// Rows that a Python function made: pulls Arrow batches from a query, calls the function, shows what came
// back.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/line_scan.h"
#include "duck/arrow.h"
#include "duck/scan.h"

namespace qn::app {

// A row that the function failed on, alone.
struct FunctionFailure {
  std::string row_json;
  std::string error;
};

// The functions that the pipeline's file declared, called in this process (bind/ gives the one for Python).
class BatchFunctions {
 public:
  virtual ~BatchFunctions() = default;
  // `wanted` is the declared schema of the answer, whose batches have at most kChunkRows rows each.
  virtual Status Call(int id, duck::ArrowBatch batch, ArrowSchema* wanted, std::vector<duck::ArrowBatch>* out,
                      std::vector<FunctionFailure>* failures) = 0;
};

class FunctionScan final : public duck::Scan {
 public:
  // `input` is a connection of its own: it is busy while the outer statement runs.
  FunctionScan(std::string dataset, int function, Schema columns, duck::Connection& input,
               BatchFunctions& functions, DeadLetters& dead_letters);

  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override;

  void SetQuery(std::string sql) { sql_ = std::move(sql); }
  int64_t failures() const { return failures_.load(); }
  Status failure() const { return failure_.Get(); }
  void BeginStep() {
    failures_ = 0;
    failure_.Clear();
  }

 private:
  class Run;
  class Thread;
  std::string dataset_;
  int function_;
  Schema columns_;
  duck::Connection& input_;
  BatchFunctions& functions_;
  DeadLetters& dead_letters_;
  std::string sql_;
  std::atomic<int64_t> failures_{0};
  FirstFailure failure_;
};

}  // namespace qn::app
