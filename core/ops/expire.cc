// What goes is logged as any other change, so that the next checkpoint has it.
#include "ops/expire.h"

#include <vector>

namespace qn::ops {

Status Expire(trace::RowTrace& trace, const IsOver& is_over) {
  std::vector<KeyedRow> gone;
  trace.ForEachKey([&](trace::KeyRef ref) {
    const std::string_view key = trace.Key(ref);
    if (!is_over(key)) return;
    trace.ForEach(ref, [&](std::string_view row, int64_t weight) { gone.push_back({key, row, -weight}); });
  });
  return trace.Add(gone, nullptr);
}

Status Expire(trace::StateTrace& trace, const IsOver& is_over) {
  std::vector<std::string_view> gone;
  trace.ForEach([&](std::string_view key, std::string_view) {
    if (is_over(key)) gone.push_back(key);
  });
  for (const std::string_view key : gone) trace.Remove(key);
  return Ok();
}

}  // namespace qn::ops
