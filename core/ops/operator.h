// An operator that remembers. Takes what changed in its inputs, answers what changed in its output; the sum
// of all its answers is always the operator's result over the sum of all its inputs. Knows nothing of SQL,
// files or steps' numbers.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "ops/expire.h"
#include "trace/trace.h"

namespace qn::ops {

class Operator {
 public:
  virtual ~Operator() = default;
  // One delta an input. `out` is empty and gets the change of the output; views in it may point into the
  // operator's traces and into the inputs' bytes: both stay until EndStep. An input's rows may be added up or
  // taken out; those of equal key need not be adjacent, and equal rows need not be one. After a failure the
  // operator must be cleared and restored.
  virtual Status Step(std::span<KeyedDelta> inputs, Delta& out) = 0;
  // Whether Step must be called in a step without changes (the very first one of some operators).
  virtual bool IsDue() const { return false; }
  // Forgets everything under the keys for which `is_over` says so; the output stays as it is, and no input
  // may have rows of them any more. Only operators that windows can be made of know how.
  virtual Status Expire(const IsOver& is_over);
  // For the next Step: keys that come in it for the last time, so that they need not be remembered.
  virtual void SetLastTime(const IsOver& is_over) { (void)is_over; }
  // Its memory, always in the same order, for the checkpoint.
  virtual std::vector<trace::Trace*> Traces() = 0;
};

}  // namespace qn::ops
