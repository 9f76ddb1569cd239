// Memory across steps: one row a key, replaced as a whole (an aggregate's state). Like RowTrace otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "trace/budget.h"
#include "trace/trace.h"

namespace qn::trace {

class StateTrace final : public Trace {
 public:
  explicit StateTrace(Budget& budget);
  ~StateTrace() override;

  // out[i]: the state of rows[i].key; data() == nullptr when there is none. Valid until EndStep.
  void Find(std::span<const KeyedRow> rows, std::vector<std::string_view>& out) const;
  std::string_view Find(std::string_view key) const;
  // Replaces; the old bytes stay readable until EndStep. Failure: QN-3601.
  Status Put(std::string_view key, std::string_view state);
  void Remove(std::string_view key);

  void ForEach(const std::function<void(std::string_view key, std::string_view state)>& f) const;
  size_t keys() const;

  // Trace:
  size_t bytes() const override;
  void EndStep() override;
  void TakeChanges(std::string& out) override;
  void Dump(std::string& out) const override;
  Status Apply(std::string_view section) override;
  void Clear() override;
};

}  // namespace qn::trace
