// Rows as bytes and back, for everything that is remembered across steps. One layout for all types: NULL
// bits, a fixed part with a slot a column, then what has no fixed size (a slot then holds offset and size;
// nested values are encoded in the same way, recursively). NULL slots are zero.
//
// As a key, values that DuckDB calls equal are equal bytes: -0.0 is 0.0, every NaN is the same, an INTERVAL
// is normalized. As a row, values come back exactly as they were.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "data/type.h"
#include "duck/vector.h"

namespace qn::duck {

enum class Encoding : uint8_t { kRow, kKey };

class RowCodec {
 public:
  // QN-1803 names the column whose type cannot be remembered (TypeId::kOther, kNull).
  static Status Check(const Schema& columns);

  RowCodec(std::vector<Type> types, Encoding encoding);

  // Row `row` of flat columns, stored in `arena`. `has_null`: some column is NULL; may be nullptr.
  std::string_view Encode(std::span<const ColumnIn> columns, size_t row, Arena& arena, bool* has_null) const;

  // Column `column` of `bytes` into row `at` of `out`. Strings are not copied: `bytes` must stay. LIST and
  // MAP append to the child, whose size so far is `ListSizes`' (see below). bytes.data() == nullptr: NULL.
  void Decode(std::string_view bytes, size_t column, ColumnOut& out, size_t at) const;

  // Checks what came from disk before it is decoded: lengths and offsets stay inside. False: damaged.
  bool IsSound(std::string_view bytes) const;

  size_t columns() const { return types_.size(); }
  const std::vector<Type>& types() const { return types_; }

 private:
  std::vector<Type> types_;
  Encoding encoding_;
};

}  // namespace qn::duck
