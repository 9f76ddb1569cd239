// A DATE may lie beyond what microseconds can tell.
#include "ops/event_windows.h"

#include <cstring>

namespace qn::ops {
namespace {

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;

}  // namespace

int64_t WindowOptions::ClosedBegin(int64_t watermark_us) const {
  const int64_t wait = size_us + lateness_us;
  return watermark_us < kNoTime + wait ? kNoTime : watermark_us - wait;
}

int64_t WindowBegins::Of(std::string_view row) const {
  const std::string_view cell = codec_.Cell(row, column_);
  if (cell.data() == nullptr) return std::numeric_limits<int64_t>::max();
  int64_t begin = 0;
  if (codec_.types()[column_].id != TypeId::kDate) {
    std::memcpy(&begin, cell.data(), sizeof begin);
    return begin;
  }
  int32_t days = 0;
  std::memcpy(&days, cell.data(), sizeof days);
  if (!__builtin_mul_overflow(int64_t{days}, kDayUs, &begin)) return begin;
  return days > 0 ? std::numeric_limits<int64_t>::max() : kNoTime + 1;
}

}  // namespace qn::ops
