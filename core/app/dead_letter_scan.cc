// A plain loop: dead letters are few.
#include "app/dead_letter_scan.h"

#include <algorithm>

namespace qn::app {

const Schema& DeadLetterColumns() {
  static const Schema kColumns = {
      {"reason", Type::Of(TypeId::kVarchar), true, "decode, expectation, udf, sink or late"},
      {"rule", Type::Of(TypeId::kVarchar), true, "names of the broken expectations, comma-separated"},
      {"detail", Type::Of(TypeId::kVarchar), true, "what was found and what was expected"},
      {"raw", Type::Of(TypeId::kBlob), true, "the bytes as they came; the row as JSON where there were none"},
      {"source", Type::Of(TypeId::kVarchar), true, "the source or dataset that the row came from"},
      {"file", Type::Of(TypeId::kVarchar), true, "the file that it stood in"},
      {"line", Type::Of(TypeId::kBigInt), true, "its line, from 1"},
      {"epoch", Type::Of(TypeId::kBigInt), true, "the step that found it"},
      {"time", Type::Of(TypeId::kTimestampTz), true, "when it was found"},
  };
  return kColumns;
}

class DeadLetterScan::Thread final : public duck::ScanThread {
 public:
  Thread(const DeadLetterScan& scan, std::vector<int> columns) : scan_(scan), columns_(std::move(columns)) {}

  Result<size_t> Fill(duck::ChunkOut& out) override {
    const size_t rows = std::min(duck::kChunkRows, scan_.letters_.size() - next_);
    for (size_t i = 0; i < columns_.size(); ++i) {
      for (size_t row = 0; row < rows; ++row)
        Put(out.columns[i], columns_[i], scan_.letters_[next_ + row], row);
    }
    next_ += rows;
    return rows;
  }

 private:
  static void PutText(duck::ColumnOut& out, const std::string& text, size_t row) {
    if (text.empty()) return out.SetNull(row);
    out.SetString(row, text.data(), text.size());
  }

  void Put(duck::ColumnOut& out, int column, const DeadLetter& letter, size_t row) const {
    switch (column) {
      case 0:
        return PutText(out, letter.reason, row);
      case 1:
        return PutText(out, letter.rules, row);
      case 2:
        return PutText(out, letter.detail, row);
      case 3:
        return out.SetString(row, letter.raw.data(), letter.raw.size());
      case 4:
        return PutText(out, letter.source, row);
      case 5:
        return PutText(out, letter.file, row);
      case 6:
        out.data<int64_t>()[row] = letter.line;
        return letter.line == 0 ? out.SetNull(row) : void();
      case 7:
        out.data<int64_t>()[row] = scan_.epoch_;
        return;
      case 8:
        out.data<int64_t>()[row] = scan_.time_us_;
        return;
      default:
        QN_CHECK(false);
    }
  }

  const DeadLetterScan& scan_;
  std::vector<int> columns_;
  size_t next_ = 0;
};

class DeadLetterScan::Run final : public duck::ScanRun {
 public:
  Run(const DeadLetterScan& scan, std::span<const int> columns)
      : scan_(scan), columns_(columns.begin(), columns.end()) {}
  Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
    return std::unique_ptr<duck::ScanThread>(new Thread(scan_, columns_));
  }
  int ThreadsMax() const override { return 1; }

 private:
  const DeadLetterScan& scan_;
  std::vector<int> columns_;
};

DeadLetterScan::DeadLetterScan() : columns_(DeadLetterColumns()) {}

Result<std::unique_ptr<duck::ScanRun>> DeadLetterScan::Begin(std::span<const int> columns) {
  return std::unique_ptr<duck::ScanRun>(new Run(*this, columns));
}

void DeadLetterScan::Set(std::vector<DeadLetter> letters, Epoch epoch, int64_t time_ms) {
  letters_ = std::move(letters);
  epoch_ = epoch;
  time_us_ = time_ms * 1000;
}

}  // namespace qn::app
