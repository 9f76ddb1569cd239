// Threads take ranges of rows; a range is decoded column by column into DuckDB's vectors.
#include "ops/delta_scan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace qn::ops {
namespace {

constexpr int kThreadsMax = 64;
constexpr size_t kGatherRows = 16 * duck::kChunkRows;  // looked up at a time

// Some rows, and what keeps the list of them alive.
struct Range {
  std::span<const DeltaRow> rows;
  std::shared_ptr<const std::vector<DeltaRow>> owner;
};

// Where the threads of one execution get their rows.
class Source {
 public:
  virtual ~Source() = default;
  virtual Range Next() = 0;  // from any thread; at most kChunkRows rows, none: over
  virtual size_t rows() const = 0;
};

class DeltaSource final : public Source {
 public:
  explicit DeltaSource(const Delta* delta) {
    if (delta != nullptr) rows_ = delta->rows;
  }
  Range Next() override {
    const size_t from = std::min(next_.fetch_add(duck::kChunkRows), rows_.size());
    return {rows_.subspan(from, std::min(duck::kChunkRows, rows_.size() - from)), nullptr};
  }
  size_t rows() const override { return rows_.size(); }

 private:
  std::span<const DeltaRow> rows_;
  std::atomic<size_t> next_{0};
};

// Looks up some keys at a time; the rows of one key are shared by threads as well.
class GatherSource final : public Source {
 public:
  explicit GatherSource(const GatheredInput* rows) : rows_(rows) {}

  Range Next() override {
    const std::lock_guard lock(mutex_);
    if (batch_ == nullptr || next_ == batch_->size()) LookUp();
    const size_t from = next_;
    next_ = std::min(from + duck::kChunkRows, batch_->size());
    return {std::span(*batch_).subspan(from, next_ - from), batch_};
  }

  size_t rows() const override {
    if (rows_ == nullptr) return 0;
    size_t count = rows_->added.size();
    for (const trace::KeyRef key : rows_->keys) count += rows_->trace->Rows(key);
    return count;
  }

 private:
  void LookUp() {
    auto batch = std::make_shared<std::vector<DeltaRow>>();
    next_ = 0;
    if (rows_ != nullptr) {
      for (; next_key_ < rows_->keys.size() && batch->size() < kGatherRows; ++next_key_) {
        rows_->trace->ForEach(rows_->keys[next_key_], [&](std::string_view row, int64_t weight) {
          batch->push_back({row, {}, weight});
        });
      }
      for (; next_added_ < rows_->added.size() && batch->size() < kGatherRows; ++next_added_) {
        const KeyedRow& row = rows_->added[next_added_];
        batch->push_back({row.row, {}, row.weight});
      }
    }
    batch_ = std::move(batch);
  }

  const GatheredInput* rows_;
  std::mutex mutex_;
  std::shared_ptr<const std::vector<DeltaRow>> batch_;
  size_t next_ = 0;  // in batch_
  size_t next_key_ = 0;
  size_t next_added_ = 0;
};

// What all threads of one execution see.
struct Shown {
  const duck::RowCodec* first;
  const duck::RowCodec* second;
  bool is_weighted;
  std::vector<int> columns;
  std::unique_ptr<Source> source;
};

class ScanThread final : public duck::ScanThread {
 public:
  explicit ScanThread(const Shown& shown) : shown_(shown) {}

  Result<size_t> Fill(duck::ChunkOut& out) override {
    if (next_ == range_.rows.size()) {
      range_ = shown_.source->Next();
      next_ = 0;
      repeated_ = 0;
    }
    const size_t count = shown_.is_weighted ? TakeOnce() : TakeRepeated();
    for (size_t i = 0; i < out.columns.size(); ++i) {
      FillColumn(static_cast<size_t>(shown_.columns[i]), out.columns[i], count);
    }
    return count;
  }

 private:
  size_t TakeOnce() {
    size_t count = 0;
    for (; next_ < range_.rows.size(); ++next_) taken_[count++] = &range_.rows[next_];
    return count;
  }

  size_t TakeRepeated() {
    size_t count = 0;
    while (next_ < range_.rows.size() && count < duck::kChunkRows) {
      const DeltaRow& row = range_.rows[next_];
      QN_CHECK(row.weight >= 1);
      taken_[count++] = &row;
      if (++repeated_ == row.weight) {
        repeated_ = 0;
        ++next_;
      }
    }
    return count;
  }

  void FillColumn(size_t column, duck::ColumnOut& out, size_t count) const {
    const size_t in_first = shown_.first->columns();
    if (column < in_first) {
      for (size_t i = 0; i < count; ++i) shown_.first->Decode(taken_[i]->row, column, out, i);
    } else if (column < in_first + shown_.second->columns()) {
      for (size_t i = 0; i < count; ++i) shown_.second->Decode(taken_[i]->right, column - in_first, out, i);
    } else {
      for (size_t i = 0; i < count; ++i) out.data<int64_t>()[i] = taken_[i]->weight;
    }
  }

  const Shown& shown_;
  Range range_;
  size_t next_ = 0;       // in range_
  int64_t repeated_ = 0;  // how often the next row came already
  std::array<const DeltaRow*, duck::kChunkRows> taken_{};
};

class ScanRun final : public duck::ScanRun {
 public:
  explicit ScanRun(Shown shown) : shown_(std::move(shown)) {}
  Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
    return std::unique_ptr<duck::ScanThread>(new ScanThread(shown_));
  }
  int ThreadsMax() const override {
    const size_t ranges = shown_.source->rows() / duck::kChunkRows + 1;
    return static_cast<int>(std::min<size_t>(ranges, kThreadsMax));
  }

 private:
  Shown shown_;
};

}  // namespace

DeltaScan::DeltaScan(Schema columns, duck::RowCodec first, duck::RowCodec second, bool is_weighted)
    : columns_(std::move(columns)),
      first_(std::move(first)),
      second_(std::move(second)),
      is_weighted_(is_weighted) {
  QN_CHECK(columns_.size() == first_.columns() + second_.columns());
  // The bytes are what they are, whatever the plan calls them.
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].type = i < first_.columns() ? first_.types()[i] : second_.types()[i - first_.columns()];
  }
  if (is_weighted_) columns_.push_back({plan::kWeightColumn, Type::Of(TypeId::kBigInt), false, ""});
}

Result<std::unique_ptr<DeltaScan>> DeltaScan::Make(const plan::CircuitOp& plan) {
  using duck::Encoding;
  QN_TRY(duck::RowCodec::Check(plan.columns));
  duck::RowCodec first({}, Encoding::kRow);
  duck::RowCodec second({}, Encoding::kRow);
  const plan::Fragment* input = plan.inputs.empty() ? nullptr : plan.inputs.data();
  switch (plan.kind) {
    case plan::CircuitOp::Kind::kAggregate:
      first = {TypesOf(input->columns, 0, input->key_count), Encoding::kKey};
      second = {TypesOf(input->columns, input->key_count), Encoding::kRow};
      break;
    case plan::CircuitOp::Kind::kJoin:
      first = {TypesOf(input->columns, input->key_count), Encoding::kRow};
      if (plan.columns.size() == first.columns()) break;  // SEMI, ANTI
      second = {TypesOf(input[1].columns, input[1].key_count), Encoding::kRow};
      break;
    case plan::CircuitOp::Kind::kDistinct:
    case plan::CircuitOp::Kind::kBag:
      first = {TypesOf(input->columns, 0, input->key_count), Encoding::kKey};
      break;
    case plan::CircuitOp::Kind::kRecompute:
      first = {TypesOf(plan.columns), Encoding::kRow};
      break;
  }
  return std::make_unique<DeltaScan>(plan.columns, std::move(first), std::move(second), plan.is_weighted);
}

Result<std::unique_ptr<duck::ScanRun>> DeltaScan::Begin(std::span<const int> columns) {
  return std::unique_ptr<duck::ScanRun>(new ScanRun({&first_,
                                                     &second_,
                                                     is_weighted_,
                                                     {columns.begin(), columns.end()},
                                                     std::make_unique<DeltaSource>(delta_)}));
}

GatherScan::GatherScan(const std::vector<Type>& row)
    : row_(row, duck::Encoding::kRow), nothing_({}, duck::Encoding::kRow) {
  for (size_t i = 0; i < row.size(); ++i) columns_.push_back({"c" + std::to_string(i), row[i], true, ""});
}

Result<std::unique_ptr<duck::ScanRun>> GatherScan::Begin(std::span<const int> columns) {
  return std::unique_ptr<duck::ScanRun>(new ScanRun(
      {&row_, &nothing_, false, {columns.begin(), columns.end()}, std::make_unique<GatherSource>(rows_)}));
}

}  // namespace qn::ops
