// Rows are encoded only where somebody must know them: to be taken back, or to be put into a bucket.
#include "app/survivors.h"

#include <bit>

#include "trace/hash.h"

namespace qn::app {

TakenBack::TakenBack(std::span<const Row> rows)
    : entries_(std::make_unique<Entry[]>(rows.size())),
      size_(rows.size()),
      slots_(std::bit_ceil(rows.size() * 2 + 1), 0) {
  QN_CHECK(rows.size() < UINT32_MAX);
  int64_t left = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    size_t slot = trace::Hash(rows[i].bytes) & (slots_.size() - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<uint32_t>(i + 1);
    entries_[i].bytes = rows[i].bytes;
    entries_[i].left = rows[i].count;
    left += rows[i].count;
  }
  left_ = left;
}

// Its index, or size_.
size_t TakenBack::Find(std::string_view row) const {
  size_t slot = trace::Hash(row) & (slots_.size() - 1);
  for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (entries_[slots_[slot] - 1].bytes == row) return slots_[slot] - 1;
  }
  return size_;
}

bool TakenBack::Take(std::string_view row) {
  const size_t found = Find(row);
  if (found == size_) return false;
  std::atomic<int64_t>& left = entries_[found].left;
  int64_t now = left.load(std::memory_order_relaxed);
  while (now > 0) {
    if (!left.compare_exchange_weak(now, now - 1, std::memory_order_relaxed)) continue;
    left_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

bool TakenBack::Wants(std::string_view row) const {
  const size_t found = Find(row);
  return found != size_ && entries_[found].left.load(std::memory_order_relaxed) > 0;
}

int64_t TakenBack::LeftOf(size_t from, size_t to) const {
  int64_t left = 0;
  for (size_t i = from; i < to; ++i) left += entries_[i].left.load(std::memory_order_relaxed);
  return left;
}

std::string_view TakenBack::Remaining() const {
  for (size_t i = 0; i < size_; ++i) {
    if (entries_[i].left.load(std::memory_order_relaxed) > 0) return entries_[i].bytes;
  }
  return {};
}

class Survivors::Thread final : public duck::RowSinkThread {
 public:
  explicit Thread(Survivors& sink) : sink_(sink), chosen_(sink.pass_.writers.size()) {}

  Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
    if (sink_.pass_.only_looks) return Look(columns, rows);
    for (std::vector<uint32_t>& chosen : chosen_) chosen.clear();
    const bool knows_rows = sink_.pass_.bits > 0 || sink_.pass_.region.depth > 0 ||
                            (sink_.pass_.taken != nullptr && sink_.pass_.taken->left() > 0);
    for (uint32_t row = 0; row < rows; ++row) {
      if (knows_rows) {
        Choose(columns, row);
      } else {
        chosen_[0].push_back(row);
      }
    }
    bytes_.Clear();
    for (size_t i = 0; i < chosen_.size(); ++i) {
      if (chosen_[i].empty()) continue;
      sink_.kept_.fetch_add(static_cast<int64_t>(chosen_[i].size()), std::memory_order_relaxed);
      const Status status = sink_.pass_.writers[i]->ThisThread().Append(columns, chosen_[i]);
      if (!status.ok()) return sink_.failure_.Keep(status);
    }
    return Ok();
  }

 private:
  void Choose(std::span<const duck::ColumnIn> columns, uint32_t row) {
    const Pass& pass = sink_.pass_;
    const std::string_view bytes = sink_.codec_.Encode(columns, row, bytes_, nullptr);
    size_t child = 0;
    if (pass.bits > 0 || pass.region.depth > 0) {
      const uint64_t hash = sink_.buckets_.HashOf(bytes);
      if (!pass.region.Has(hash)) return;
      if (pass.bits > 0) child = hash << pass.region.depth >> (64 - pass.bits);
    }
    if (pass.taken != nullptr && pass.taken->Take(bytes)) {
      sink_.taken_.fetch_add(1, std::memory_order_relaxed);
    } else {
      chosen_[child].push_back(row);
    }
  }

  Status Look(std::span<const duck::ColumnIn> columns, size_t rows) {
    if (sink_.taken_.load(std::memory_order_relaxed) > 0) return Ok();  // known already
    for (uint32_t row = 0; row < rows; ++row) {
      if (!sink_.pass_.taken->Wants(sink_.codec_.Encode(columns, row, bytes_, nullptr))) continue;
      sink_.taken_.fetch_add(1, std::memory_order_relaxed);
      break;
    }
    bytes_.Clear();
    return Ok();
  }

  Survivors& sink_;
  Arena bytes_;
  std::vector<std::vector<uint32_t>> chosen_;
};

Result<std::unique_ptr<duck::RowSinkThread>> Survivors::OpenThread() {
  return std::unique_ptr<duck::RowSinkThread>(new Thread(*this));
}

void Survivors::Begin(Pass pass) {
  QN_CHECK(pass.only_looks || pass.writers.size() == size_t{1} << pass.bits);
  pass_ = std::move(pass);
  kept_ = 0;
  taken_ = 0;
  failure_.Clear();
}

}  // namespace qn::app
