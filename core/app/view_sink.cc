// Each DuckDB thread encodes into an arena of its own.
#include "app/view_sink.h"

#include <algorithm>

namespace qn::app {
class ViewSink::Thread final : public duck::RowSinkThread {
 public:
  Thread(ViewSink& sink, Part& part) : sink_(sink), part_(part) {}

  Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
    const auto* weights = columns.back().as<int64_t>();
    size_t first = 0;
    if (sink_.keep_ != nullptr) {
      first = sink_.keep_->argument_count();
      const Status status = sink_.keep_->Apply(columns, rows, keep_, weights);
      if (!status.ok()) return sink_.failure_.Keep(status);
    } else {
      std::fill(keep_, keep_ + rows, true);
    }
    const auto values = columns.subspan(first, columns.size() - first - 1);
    const Status room = trace::MakeRoom(part_.rows, rows, part_.rows_room);
    if (!room.ok()) return sink_.failure_.Keep(room);
    int64_t came = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (!keep_[row] || weights[row] == 0) continue;
      part_.rows.push_back({sink_.codec_.Encode(values, row, part_.bytes, nullptr), {}, weights[row]});
      came += std::max<int64_t>(weights[row], 0);
    }
    sink_.rows_.fetch_add(came, std::memory_order_relaxed);
    const Status held = part_.bytes_room.Hold(part_.bytes.bytes());
    return held.ok() ? held : sink_.failure_.Keep(held);
  }

 private:
  ViewSink& sink_;
  Part& part_;
  bool keep_[duck::kChunkRows] = {};
};

ViewSink::ViewSink(Keep* keep, const Schema& stored, trace::Budget& budget)
    : keep_(keep), codec_(TypesOf(stored), duck::Encoding::kRow), budget_(budget), moved_(budget) {}

std::vector<Type> ViewSink::Arguments() const {
  std::vector<Type> types;
  if (keep_ != nullptr) types = keep_->Arguments();
  types.insert(types.end(), codec_.types().begin(), codec_.types().end());
  types.push_back(Type::Of(TypeId::kBigInt));
  return types;
}

Result<std::unique_ptr<duck::RowSinkThread>> ViewSink::OpenThread() {
  const std::lock_guard lock(mutex_);
  parts_.push_back(std::make_unique<Part>(budget_));
  return std::unique_ptr<duck::RowSinkThread>(new Thread(*this, *parts_.back()));
}

void ViewSink::Begin() {
  const std::lock_guard lock(mutex_);
  parts_.clear();
  moved_.Clear();
  rows_ = 0;
  failure_.Clear();
}

void ViewSink::MoveTo(Delta& delta) {
  const std::lock_guard lock(mutex_);
  for (const auto& part : parts_) {
    if (delta.rows.empty()) {
      delta.rows = std::move(part->rows);
    } else {
      delta.rows.insert(delta.rows.end(), part->rows.begin(), part->rows.end());
    }
    part->rows = {};
    part->rows_room.Clear();
  }
  moved_.HoldAnyway(delta.rows.capacity() * sizeof(DeltaRow));
}

}  // namespace qn::app
