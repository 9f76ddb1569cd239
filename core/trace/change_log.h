// What a trace has changed since a checkpoint took it, in steps that are over; and the memory of the trace's
// lists, told to the budget. The lists themselves are the trace's.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "trace/budget.h"
#include "trace/section.h"
#include "trace/trace.h"

namespace qn::trace {

class ChangeLog {
 public:
  // `kind` of its sections.
  ChangeLog(Budget& budget, char kind) : charge_(budget), kept_(kind) {}

  // Where the entries of a step that ends go.
  SectionWriter& kept() { return kept_; }
  uint64_t bytes() const { return kept_.entry_bytes(); }
  // Hands out what is there as a section, if there is anything. Afterwards there is nothing.
  Status HandOut(const SectionOut& out) {
    if (kept_.is_empty()) return Ok();
    QN_TRY(out(kept_.Section()));
    kept_.Restart();
    return Ok();
  }
  void Clear(size_t bytes_kept) { kept_.Clear(bytes_kept); }

  // The trace's lists hold so much now. QN-3601: what is counted stays what it was.
  Status Charge(size_t lists) { return charge_.Hold(lists + kept_.held()); }
  // For what is there already: bytes that are not counted would let all others take too much.
  void ChargeAnyway(size_t lists) { charge_.HoldAnyway(lists + kept_.held()); }
  size_t charged() const { return charge_.bytes(); }

 private:
  trace::Charge charge_;
  SectionWriter kept_;
};

}  // namespace qn::trace
