// Partial states of aggregates, merged in their encoded form. Orders and NULLs as in DuckDB.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "data/type.h"
#include "duck/row_codec.h"
#include "plan/circuit.h"

namespace qn::ops {

// Single-threaded.
class StateMerge {
 public:
  // kAdd: integers, DECIMAL, FLOAT, DOUBLE. kMin, kMax: every scalar type. kAnd, kOr: BOOLEAN. The bits:
  // integers, BIT. kFirst, the first that is not NULL: everything.
  static bool CanMerge(plan::Merge merge, const Type& type);

  // One merge and type a column; each pair can be merged. Column 0 is kAdd on BIGINT: the number of rows.
  StateMerge(std::vector<plan::Merge> merges, std::vector<Type> types);

  // Both together, stored in `arena`; `out` may be where `a` or `b` is read from. NULL and x is x; of equal
  // values that of `a` stays. Failure: QN-3510, a sum overflows; QN-3512, bit strings of different length.
  Status Combine(std::string_view a, std::string_view b, Arena& arena, std::string_view* out);

  // The number of rows; NULL is 0.
  int64_t Count(std::string_view state) const;
  // Whether every sum of whole numbers is 0 or NULL, as it is over no rows.
  bool IsEmpty(std::string_view state) const;
  // Count 0, everything else NULL.
  std::string_view Nothing(Arena& arena) const;

 private:
  struct Column;
  // Takes `from` into the slot `into`; false: overflow.
  using Fold = bool (*)(const Column& column, char* into, const char* from);
  struct Column {
    plan::Merge merge = plan::Merge::kFirst;
    Fold fold = nullptr;  // fixed size
    bool has_tail = false;
    bool is_bit = false;
    size_t slot = 0;
    size_t slot_size = 0;
    uint8_t decimal_width = 0;
    bool is_whole_sum = false;
  };
  friend struct Folds;

  Status MergeCells(std::string_view a, std::string_view b, Arena& arena, std::string_view* out);
  Status MergeTail(const Column& column, std::string_view b, std::string_view* a, std::string& made) const;
  Status Overflow(size_t column) const;

  duck::RowCodec codec_;
  std::vector<Column> columns_;
  bool has_tails_ = false;
  // Of one Combine:
  std::vector<std::string_view> cells_;
  std::vector<std::string> made_;  // cells that are neither a's nor b's
};

}  // namespace qn::ops
