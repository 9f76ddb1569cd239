// Shell patterns as text: expansion of {a,b} and the match of one path segment. Touches no disk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace qn {

inline constexpr size_t kGlobExpansionsMax = 1024;

// "x{a,b{c,d}}" → xa, xbc, xbd. A brace without a comma or a partner is itself. QN-3107 above the limit.
Result<std::vector<std::string>> ExpandBraces(std::string_view pattern);

// Whether `name` (no slashes) matches `pattern` with *, ?, [abc], [a-z], [!a] and \ before a literal
// character. A leading dot is matched only by a leading dot.
bool MatchSegment(std::string_view pattern, std::string_view name);

// Whether the segment has no wildcard; then `*literal` is the name without its backslashes.
bool IsLiteralSegment(std::string_view pattern, std::string* literal);

}  // namespace qn
