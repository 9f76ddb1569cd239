// What every kind of memory can do for the checkpoint: tell what a step changed, tell everything, take both
// back. A section is bytes; who stores it also stores its CRC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/status.h"

namespace qn::trace {

// Takes sections, one after the other; after a failure no more come. The bytes live until it returns.
using SectionOut = std::function<Status(std::string_view section)>;

class Trace {
 public:
  virtual ~Trace() = default;
  virtual size_t keys() const = 0;
  virtual size_t bytes() const = 0;  // of memory held
  // The step is over: views handed out may die, memory of removed rows is free again.
  virtual void EndStep() = 0;
  // About how much TakeChanges will write; 0: nothing.
  virtual uint64_t change_bytes() const = 0;
  // What changed since the last call, or since DropChanges, as sections that Apply takes. Failure: that of
  // `out`; the trace must then be cleared.
  virtual Status TakeChanges(const SectionOut& out) = 0;
  virtual void DropChanges() = 0;
  // The whole content as sections; of an empty trace there are none.
  virtual Status Dump(const SectionOut& out) const = 0;
  // Room for so many keys, which Apply will bring: it need not grow then. QN-3601.
  virtual Status Expect(uint64_t keys) = 0;
  // Applies a section on top of what is there. Sections are applied in the order in which they were written.
  // QN-3407: the bytes make no sense; the trace must then be cleared.
  virtual Status Apply(std::string_view section) = 0;
  // Forgets everything, also changes not yet taken.
  virtual void Clear() = 0;
};

}  // namespace qn::trace
