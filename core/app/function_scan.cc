// One thread: Python's interpreter runs one function at a time anyway.
#include "app/function_scan.h"

namespace qn::app {

class FunctionScan::Thread final : public duck::ScanThread {
 public:
  Thread(FunctionScan& scan, std::unique_ptr<duck::ArrowQuery> query, std::vector<int> columns)
      : scan_(scan), query_(std::move(query)), columns_(std::move(columns)) {}

  Result<size_t> Fill(duck::ChunkOut& out) override {
    Result<size_t> rows = FillNext(out);
    if (!rows.ok()) return scan_.failure_.Keep(rows.status());
    return rows;
  }

 private:
  Result<size_t> FillNext(duck::ChunkOut& out) {
    while (true) {
      if (next_ == answers_.size()) {
        QN_GET(const bool more, CallNext());
        if (!more) return size_t{0};
        continue;  // the function may have answered nothing
      }
      QN_GET(shown_, duck::ArrowChunk::From(scan_.input_, std::move(answers_[next_])));
      ++next_;
      if (shown_->rows() == 0) continue;
      shown_->ShowIn(out, columns_);
      return shown_->rows();
    }
  }

  Result<bool> CallNext() {
    duck::ArrowBatch batch;
    QN_GET(const bool more, query_->Next(&batch));
    if (!more) return false;
    QN_GET(auto wanted, duck::ToArrowSchema(scan_.input_, scan_.columns_));
    answers_.clear();
    next_ = 0;
    std::vector<FunctionFailure> failures;
    QN_TRY(scan_.functions_.Call(scan_.function_, std::move(batch), wanted.get(), &answers_, &failures));
    scan_.failures_ += static_cast<int64_t>(failures.size());
    for (FunctionFailure& failure : failures) {
      scan_.dead_letters_.Add(
          {"udf", "", std::move(failure.error), std::move(failure.row_json), scan_.dataset_, "", 0});
    }
    return true;
  }

  FunctionScan& scan_;
  std::unique_ptr<duck::ArrowQuery> query_;
  std::vector<int> columns_;
  std::vector<duck::ArrowBatch> answers_;
  size_t next_ = 0;
  std::unique_ptr<duck::ArrowChunk> shown_;
};

class FunctionScan::Run final : public duck::ScanRun {
 public:
  Run(FunctionScan& scan, std::unique_ptr<duck::ArrowQuery> query, std::span<const int> columns)
      : scan_(scan), query_(std::move(query)), columns_(columns.begin(), columns.end()) {}
  Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
    QN_CHECK(query_ != nullptr);  // ThreadsMax is one
    return std::unique_ptr<duck::ScanThread>(new Thread(scan_, std::move(query_), columns_));
  }
  int ThreadsMax() const override { return 1; }

 private:
  FunctionScan& scan_;
  std::unique_ptr<duck::ArrowQuery> query_;
  std::vector<int> columns_;
};

FunctionScan::FunctionScan(std::string dataset, int function, Schema columns, duck::Connection& input,
                           BatchFunctions& functions, DeadLetters& dead_letters)
    : dataset_(std::move(dataset)),
      function_(function),
      columns_(std::move(columns)),
      input_(input),
      functions_(functions),
      dead_letters_(dead_letters) {}

Result<std::unique_ptr<duck::ScanRun>> FunctionScan::Begin(std::span<const int> columns) {
  Result<std::unique_ptr<duck::ArrowQuery>> query = duck::ArrowQuery::Open(input_, sql_);
  if (!query.ok()) return failure_.Keep(query.status());
  return std::unique_ptr<duck::ScanRun>(new Run(*this, std::move(query).value(), columns));
}

}  // namespace qn::app
