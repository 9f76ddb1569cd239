// Windows of event time as parts of keys: where the window of a key begins, and which windows are over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "duck/row_codec.h"

namespace qn::ops {

inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

struct WindowOptions {
  int64_t size_us = 0;      // of a window
  int64_t lateness_us = 0;  // for how long a window takes rows after its end
  // A window comes out once, when it closes; otherwise with every change.
  bool emits_on_close = false;

  // A window is closed when it begins at this time or before; kNoTime: none is.
  int64_t ClosedBegin(int64_t watermark_us) const;
};

// Cells of an encoded row that are the begin of its window: TIMESTAMP, TIMESTAMPTZ or DATE.
class WindowBegins {
 public:
  WindowBegins(std::vector<Type> types, duck::Encoding encoding, size_t column)
      : codec_(std::move(types), encoding), column_(column) {}

  // In microseconds. NULL, and what is later than can be told: the largest number, which is never reached.
  int64_t Of(std::string_view row) const;

 private:
  duck::RowCodec codec_;
  size_t column_;
};

}  // namespace qn::ops
