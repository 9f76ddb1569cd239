// Late rows are told by their key before the aggregate sees them; a window with a NULL begin never closes.
#include "ops/window.h"

#include <algorithm>
#include <cstring>

namespace qn::ops {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;

}  // namespace

WindowAggregate::WindowAggregate(const WindowOptions& options, std::vector<Type> keys,
                                 std::unique_ptr<Aggregate> inner)
    : options_(options), codec_(std::move(keys), duck::Encoding::kKey), inner_(std::move(inner)) {}

int64_t WindowAggregate::BeginOf(std::string_view key) const {
  const std::string_view cell = codec_.Cell(key, options_.group);
  if (cell.data() == nullptr) return std::numeric_limits<int64_t>::max();
  if (codec_.types()[options_.group].id == TypeId::kDate) {
    int32_t days = 0;
    std::memcpy(&days, cell.data(), sizeof days);
    return days * kDayUs;
  }
  int64_t begin = 0;
  std::memcpy(&begin, cell.data(), sizeof begin);
  return begin;
}

int64_t WindowAggregate::ClosedBegin(int64_t watermark_us) const {
  const int64_t wait = options_.size_us + options_.lateness_us;
  return watermark_us < kNoTime + wait ? kNoTime : watermark_us - wait;
}

void WindowAggregate::Index(std::string_view key) { open_[BeginOf(key)].emplace_back(key); }

void WindowAggregate::IndexAll() {
  if (is_indexed_) return;
  open_.clear();
  inner_->trace().ForEach([this](std::string_view key, std::string_view) { Index(key); });
  is_indexed_ = true;
}

bool WindowAggregate::HasToCloseAt(int64_t watermark_us) {
  const int64_t closed = ClosedBegin(watermark_us);
  if (closed == kNoTime) return false;
  IndexAll();
  return !open_.empty() && open_.begin()->first <= closed;
}

Status WindowAggregate::Step(std::span<KeyedDelta> inputs, Delta& out) {
  IndexAll();
  late_rows_ = 0;
  std::vector<KeyedRow>& rows = inputs[0].rows;
  const int64_t closed = ClosedBegin(before_us_);
  if (closed != kNoTime) {
    const auto is_late = [&](const KeyedRow& row) {
      if (BeginOf(row.key) > closed) return false;
      late_rows_ += inner_->Count(row.row);
      return true;
    };
    rows.erase(std::remove_if(rows.begin(), rows.end(), is_late), rows.end());
  }
  for (const KeyedRow& row : rows) {
    // A key may come in several partial states.
    if (inner_->trace().Find(row.key).data() != nullptr) continue;
    const auto begin = open_.find(BeginOf(row.key));
    const bool is_known = begin != open_.end() && !begin->second.empty() && begin->second.back() == row.key;
    if (!is_known) Index(row.key);
  }
  Delta changes;
  QN_TRY(inner_->Step(inputs, options_.emits_on_close ? changes : out));
  return Close(out);
}

Status WindowAggregate::Close(Delta& out) {
  const int64_t closed = ClosedBegin(now_us_);
  if (closed == kNoTime) return Ok();
  while (!open_.empty() && open_.begin()->first <= closed) {
    std::vector<std::string>& keys = open_.begin()->second;
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const std::string& key : keys) {
      const std::string_view state = inner_->trace().Find(key);
      if (state.data() == nullptr) continue;
      if (options_.emits_on_close && inner_->Count(state) > 0) {
        out.rows.push_back({out.bytes.Store(key), out.bytes.Store(state), 1});
      }
      inner_->trace().Remove(key);
    }
    open_.erase(open_.begin());
  }
  return Ok();
}

Result<std::unique_ptr<WindowAggregate>> MakeWindowAggregate(const plan::CircuitOp& plan,
                                                             const WindowOptions& options,
                                                             trace::Budget& budget) {
  const plan::Fragment& input = plan.inputs[0];
  QN_CHECK(plan.has_groups && options.group < input.key_count);
  QN_TRY(duck::RowCodec::Check(input.columns));
  std::vector<Type> keys;
  std::vector<Type> states;
  for (size_t i = 0; i < input.columns.size(); ++i) {
    (i < input.key_count ? keys : states).push_back(input.columns[i].type);
  }
  auto inner = std::make_unique<Aggregate>(plan.merges, std::move(states), true, budget);
  return std::make_unique<WindowAggregate>(options, std::move(keys), std::move(inner));
}

}  // namespace qn::ops
