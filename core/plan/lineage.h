// Where a column comes from, unchanged: through projections, filters and joins down to an input.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "plan/node.h"

namespace qn::plan {

struct Origin {
  std::string input;
  size_t column = 0;  // of the input

  bool operator==(const Origin&) const = default;
};

// Nothing when the column is computed, or comes from what remembers.
std::optional<Origin> OriginOf(const Node& root, size_t column);

}  // namespace qn::plan
