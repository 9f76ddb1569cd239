// How far event time has come, for one reader. See docs/guide/order-and-watermark.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "app/pipeline.h"
#include "contract/source.h"
#include "data/json.h"

namespace qn::app {

class Watermark {
 public:
  explicit Watermark(int64_t delay_us = 0) : delay_us_(delay_us) {}

  // After a step: to the largest time seen less the delay, never beyond what the reader still holds back, and
  // never backwards.
  void Advance(int64_t seen_max_us, int64_t bound_us);

  bool has_time() const { return time_us_ != kNone; }
  int64_t time_us() const { return time_us_; }
  static std::string Text(int64_t time_us);
  std::string ToText() const;  // "2013-01-31T23:59:00Z"; empty when there is none

  Json ToJson() const;
  void Restore(const Json& json);

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  int64_t delay_us_;
  int64_t seen_us_ = kNone;
  int64_t time_us_ = kNone;
};

// How far event time has come in several inputs: the least of those that move. Those that stand still count
// when nothing moves.
class LeastTime {
 public:
  void Add(int64_t time_us, bool stands_still) {
    int64_t& least = stands_still ? still_us_ : moving_us_;
    least = std::min(least, time_us);
  }
  bool has_any() const { return std::min(moving_us_, still_us_) != kAll; }
  bool moves() const { return moving_us_ != kAll; }
  int64_t time_us() const { return moves() ? moving_us_ : still_us_; }  // of has_any()

 private:
  static constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  int64_t moving_us_ = kAll;
  int64_t still_us_ = kAll;
};

// The event time of the first row of a block that can be decoded and has one.
Result<std::optional<int64_t>> FirstEventTime(const Source& source, const Block& block);

}  // namespace qn::app
