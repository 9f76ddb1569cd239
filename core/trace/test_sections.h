// For tests and benchmarks only: what a trace writes, as texts.
#pragma once

#include <string>
#include <vector>

#include "base/check.h"
#include "trace/trace.h"

namespace qn::trace {

using Sections = std::vector<std::string>;

inline Sections TakeSections(Trace& trace) {
  Sections all;
  const Status status = trace.TakeChanges([&](std::string_view section) {
    all.emplace_back(section);
    return Ok();
  });
  QN_CHECK(status.ok());
  return all;
}
inline Sections DumpSections(const Trace& trace) {
  Sections all;
  const Status status = trace.Dump([&](std::string_view section) {
    all.emplace_back(section);
    return Ok();
  });
  QN_CHECK(status.ok());
  return all;
}
inline Status Apply(const Sections& sections, Trace& trace) {
  for (const std::string& section : sections) QN_TRY(trace.Apply(section));
  return Ok();
}

// The same where one section is all; none: "".
inline std::string OnlySection(const Sections& sections) {
  QN_CHECK(sections.size() <= 1);
  return sections.empty() ? "" : sections[0];
}
inline std::string TakeSection(Trace& trace) { return OnlySection(TakeSections(trace)); }
inline std::string DumpSection(const Trace& trace) { return OnlySection(DumpSections(trace)); }

}  // namespace qn::trace
