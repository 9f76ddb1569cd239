// Rules first, then the encoder; both on DuckDB's threads.
#include "app/table_sink.h"

#include <algorithm>

namespace qn::app {

class TableSink::Thread final : public duck::RowSinkThread {
 public:
  explicit Thread(TableSink& sink) : sink_(sink) {}

  Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
    const Status status = Write(columns, rows);
    return status.ok() ? status : sink_.failure_.Keep(status);
  }

 private:
  Status Write(std::span<const duck::ColumnIn> columns, size_t rows) {
    size_t first = 0;
    if (sink_.keep_ != nullptr) {
      first = sink_.keep_->argument_count();
      QN_TRY(sink_.keep_->Apply(columns, rows, keep_));
    } else {
      std::fill(keep_, keep_ + rows, true);
    }
    chosen_.clear();
    for (uint32_t row = 0; row < rows; ++row) {
      if (keep_[row]) chosen_.push_back(row);
    }
    sink_.rows_.fetch_add(static_cast<int64_t>(chosen_.size()), std::memory_order_relaxed);
    return sink_.writer_->ThisThread().Append(columns.subspan(first), chosen_);
  }

  TableSink& sink_;
  bool keep_[duck::kChunkRows] = {};
  std::vector<uint32_t> chosen_;
};

std::vector<Type> TableSink::Arguments(const Schema& columns) const {
  std::vector<Type> types;
  if (keep_ != nullptr) types = keep_->Arguments();
  for (const Field& field : columns) types.push_back(field.type);
  return types;
}

Result<std::unique_ptr<duck::RowSinkThread>> TableSink::OpenThread() {
  QN_CHECK(writer_ != nullptr);
  return std::unique_ptr<duck::RowSinkThread>(new Thread(*this));
}

void TableSink::SetWriter(parquet::PartitionedWriter* writer) {
  writer_ = writer;
  rows_ = 0;
  failure_.Clear();
}

}  // namespace qn::app
