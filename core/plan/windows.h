// Which operators of a circuit may forget what they remember of a window of event time when it is over.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "plan/circuit.h"

namespace qn::plan {

// The begin of windows, in every operator between the inputs and a column of the output.
struct WindowPath {
  struct Key {
    size_t op = 0;
    size_t column = 0;  // of its key
  };
  std::vector<Key> keys;  // the last operator first
  // The fragments that make the begin: they read inputs alone.
  struct Leaf {
    size_t op = 0;
    size_t input = 0;
    size_t column = 0;  // of the fragment
  };
  std::vector<Leaf> leaves;
  size_t output_column = 0;  // of the last operator
};

// Nothing: the column is not a key of everything that is remembered below it, or of something that cannot
// forget.
std::optional<WindowPath> WindowPathOf(const Circuit& circuit, size_t column);

}  // namespace qn::plan
