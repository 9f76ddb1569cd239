// Memory across steps: rows by key, each with a weight. Probing is batched and prefetches; what changed is
// logged, so that a checkpoint writes what a step changed and no more (decision 008).
//
// Single-threaded. Rows are bytes; views stay valid until EndStep, also when the row is removed in between.
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

// A key's place; stays valid as long as the key has rows, and until EndStep after that.
using KeyRef = uint32_t;
inline constexpr KeyRef kNoKey = UINT32_MAX;

class RowTrace final : public Trace {
 public:
  // `is_append_only`: weights are never negative, and equal rows under a key need not be found again: they
  // are kept apart, which saves an index.
  RowTrace(Budget& budget, bool is_append_only);
  ~RowTrace() override;

  // out[i] is the key's place, kNoKey when it has no rows.
  void Find(std::span<const KeyedRow> rows, std::vector<KeyRef>& out) const;
  KeyRef Find(std::string_view key) const;

  // Adds the weights; rows whose weight becomes 0 are forgotten. Weights below 0 are kept (an input that
  // deletes before it inserts, across steps). Failure: QN-3601, the budget.
  // `out`, when given, gets each row's key place.
  Status Add(std::span<const KeyedRow> rows, std::vector<KeyRef>* out);

  // The rows under a key, in no particular order. The callback must not change the trace.
  template <typename F>
  void ForEach(KeyRef key, F&& f) const;  // f(std::string_view row, int64_t weight)
  int64_t Weight(KeyRef key) const;       // sum under the key; 0 for kNoKey
  size_t Rows(KeyRef key) const;          // different rows under the key
  std::string_view Key(KeyRef key) const;
  // Everything.
  void ForEachKey(const std::function<void(KeyRef)>& f) const;

  size_t keys() const;
  size_t rows() const;

  // Trace:
  size_t bytes() const override;
  void EndStep() override;
  void TakeChanges(std::string& out) override;
  void Dump(std::string& out) const override;
  Status Apply(std::string_view section) override;
  void Clear() override;
};

}  // namespace qn::trace
