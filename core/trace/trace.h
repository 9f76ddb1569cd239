// What every kind of memory can do for the checkpoint: tell what a step changed, tell everything, take both
// back. A section is bytes; who stores it also stores its CRC.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace qn::trace {

class Trace {
 public:
  virtual ~Trace() = default;
  virtual size_t bytes() const = 0;  // of memory held
  // The step is over: views handed out may die, memory of removed rows is free again.
  virtual void EndStep() = 0;
  // Appends to `out` what changed since the last call, as a section that Apply takes; nothing: `out` as it
  // was.
  virtual void TakeChanges(std::string& out) = 0;
  // Appends the whole content as a section.
  virtual void Dump(std::string& out) const = 0;
  // Applies a section on top of what is there. Sections are applied in the order in which they were written.
  // QN-3407: the bytes make no sense; the trace must then be cleared.
  virtual Status Apply(std::string_view section) = 0;
  // Forgets everything, also changes not yet taken.
  virtual void Clear() = 0;
};

}  // namespace qn::trace
