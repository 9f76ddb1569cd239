// The kinds of sections that a row trace writes.
#pragma once

namespace qn::trace {

inline constexpr char kRowChanges = 'r';  // adds to what is there
inline constexpr char kRowAll = 'R';      // the same bytes; of a whole content

}  // namespace qn::trace
