// Rows of closed windows do not come here; a window with a NULL begin never closes.
#include "ops/window.h"

#include <algorithm>

namespace qn::ops {

WindowAggregate::WindowAggregate(const WindowOptions& options, WindowBegins begins,
                                 std::unique_ptr<Aggregate> inner)
    : options_(options), begins_(std::move(begins)), inner_(std::move(inner)) {}

void WindowAggregate::Index(std::string_view key) { open_[begins_.Of(key)].emplace_back(key); }

void WindowAggregate::IndexAll() {
  if (is_indexed_) return;
  open_.clear();
  inner_->trace().ForEach([this](std::string_view key, std::string_view) { Index(key); });
  is_indexed_ = true;
}

bool WindowAggregate::HasToCloseAt(int64_t watermark_us) {
  const int64_t closed = options_.ClosedBegin(watermark_us);
  if (closed == kNoTime) return false;
  IndexAll();
  return !open_.empty() && open_.begin()->first <= closed;
}

Status WindowAggregate::Step(std::span<KeyedDelta> inputs, Delta& out) {
  IndexAll();
  const std::vector<KeyedRow>& rows = inputs[0].rows;
  for (const KeyedRow& row : rows) {
    // A key may come in several partial states.
    if (inner_->trace().Find(row.key).data() != nullptr) continue;
    const auto begin = open_.find(begins_.Of(row.key));
    const bool is_known = begin != open_.end() && !begin->second.empty() && begin->second.back() == row.key;
    if (!is_known) Index(row.key);
  }
  Delta changes;
  QN_TRY(inner_->Step(inputs, options_.emits_on_close ? changes : out));
  return Close(out);
}

Status WindowAggregate::Close(Delta& out) {
  const int64_t closed = options_.ClosedBegin(now_us_);
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
                                                             const WindowOptions& options, size_t group,
                                                             trace::Budget& budget) {
  const plan::Fragment& input = plan.inputs[0];
  QN_CHECK(plan.has_groups && group < input.key_count);
  QN_TRY(duck::RowCodec::Check(input.columns));
  std::vector<Type> keys;
  std::vector<Type> states;
  for (size_t i = 0; i < input.columns.size(); ++i) {
    (i < input.key_count ? keys : states).push_back(input.columns[i].type);
  }
  auto inner = std::make_unique<Aggregate>(plan.merges, std::move(states), true, budget);
  WindowBegins begins(std::move(keys), duck::Encoding::kKey, group);
  return std::make_unique<WindowAggregate>(options, std::move(begins), std::move(inner));
}

}  // namespace qn::ops
