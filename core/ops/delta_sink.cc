// Each of DuckDB's threads fills an arena and a list of its own; they meet when the statement is over.
#include "ops/delta_sink.h"

#include <utility>

#include "base/check.h"

namespace qn::ops {

class DeltaSink::Thread final : public duck::RowSinkThread {
 public:
  Thread(DeltaSink& sink, std::shared_ptr<Part> part) : sink_(sink), part_(std::move(part)) {}

  Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
    const size_t keys = sink_.key_.columns();
    const std::span<const duck::ColumnIn> key = columns.subspan(0, keys);
    const std::span<const duck::ColumnIn> row = columns.subspan(keys, sink_.row_.columns());
    const int64_t* weights = sink_.is_weighted_ ? columns.back().as<int64_t>() : nullptr;
    QN_CHECK(weights == nullptr || columns.back().validity == nullptr || AllValid(columns.back(), rows));
    QN_TRY(sink_.Keep(trace::MakeRoom(part_->rows, rows, part_->rows_room)));
    for (size_t i = 0; i < rows; ++i) {
      if (weights != nullptr && weights[i] == 0) continue;
      KeyedRow out;
      out.key = sink_.key_.Encode(key, i, *part_->bytes, nullptr);
      out.row = sink_.row_.Encode(row, i, *part_->bytes, nullptr);
      out.weight = weights != nullptr ? weights[i] : 1;
      for (size_t k = 0; k < sink_.strict_keys_; ++k) out.has_null_key |= key[k].IsNull(i);
      part_->rows.push_back(out);
    }
    return sink_.Keep(part_->bytes_room.Hold(part_->bytes->bytes()));
  }

 private:
  static bool AllValid(const duck::ColumnIn& column, size_t rows) {
    for (size_t i = 0; i < rows; ++i) {
      if (column.IsNull(i)) return false;
    }
    return true;
  }

  DeltaSink& sink_;
  std::shared_ptr<Part> part_;
};

DeltaSink::DeltaSink(std::vector<Type> key, std::vector<Type> row, size_t strict_keys, bool is_weighted,
                     trace::Budget& budget)
    : key_(std::move(key), duck::Encoding::kKey),
      row_(std::move(row), duck::Encoding::kRow),
      strict_keys_(strict_keys),
      is_weighted_(is_weighted),
      budget_(budget) {
  QN_CHECK(strict_keys_ <= key_.columns());
}

std::vector<Type> DeltaSink::Arguments() const {
  std::vector<Type> types = key_.types();
  types.insert(types.end(), row_.types().begin(), row_.types().end());
  if (is_weighted_) types.push_back(Type::Of(TypeId::kBigInt));
  return types;
}

Result<std::unique_ptr<duck::RowSinkThread>> DeltaSink::OpenThread() {
  auto part = std::make_shared<Part>(budget_);
  const std::lock_guard lock(mutex_);
  parts_.push_back(part);
  return std::unique_ptr<duck::RowSinkThread>(new Thread(*this, std::move(part)));
}

Status DeltaSink::Keep(const Status& status) {
  if (status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = status;
  return status;
}

Status DeltaSink::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void DeltaSink::MoveTo(KeyedDelta& out) {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Part>& part : parts_) {
    // Now, not with the part: DuckDB may keep its thread, which has it too.
    part->rows_room.Clear();
    part->bytes_room.Clear();
    if (part->rows.empty()) continue;
    if (out.rows.empty()) {
      out.rows = std::move(part->rows);
    } else {
      out.rows.insert(out.rows.end(), part->rows.begin(), part->rows.end());
    }
    out.bytes.push_back(std::move(part->bytes));
  }
  parts_.clear();
  failure_ = Ok();
}

}  // namespace qn::ops
