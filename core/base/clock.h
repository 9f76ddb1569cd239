// Time as it is handed in: production gives the system's, the simulator its own.
#pragma once

#include <cstdint>

namespace qn {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallMs() const = 0;       // since 1970; for records people read, never for correctness
  virtual int64_t MonotonicNs() const = 0;  // never goes back; for durations and waits
};

class SystemClock final : public Clock {
 public:
  int64_t WallMs() const override;
  int64_t MonotonicNs() const override;
};

}  // namespace qn
