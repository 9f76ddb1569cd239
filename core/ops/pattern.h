// Regular expressions that can be matched in one pass without going back: literals, classes, ?, *, +, groups.
// Gives what RE2 gives, about twenty times faster; refuses every other expression, which then stays DuckDB's.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qn::ops {

class Pattern {
 public:
  enum class Where : uint8_t {
    kAnywhere,  // regexp_matches, regexp_extract: the leftmost match
    kWhole,     // regexp_full_match
  };

  // None when the expression, or its need to go back, is beyond us. `group` is what Extract gives; 0: all.
  static std::optional<Pattern> Compile(std::string_view expression, Where where, int group);

  // Valid UTF-8 in.
  bool Matches(std::string_view text) const;
  // The group's text within `text`; empty when nothing matches.
  std::string_view Extract(std::string_view text) const;

 private:
  using Set = std::bitset<256>;
  struct Item {
    std::string literal;  // these bytes, or, when empty, one of `set`
    std::array<bool, 256> set{};
    bool is_wide = false;  // the set has what lies beyond ASCII: one character may be several bytes
    bool may_be_absent = false;
    bool may_repeat = false;
    bool group_begins = false;  // the wanted group begins before this item
    bool group_ends = false;    // … or ends before it
  };
  struct Span {
    size_t begin = 0;
    size_t end = 0;
  };
  class Parser;

  bool MatchAt(std::string_view text, size_t at, Span* group, size_t* end) const;
  bool Find(std::string_view text, Span* group) const;
  bool NeverGoesBack() const;
  void MergeLiterals();

  std::vector<Item> items_;
  bool from_start_ = false;
  bool to_end_ = false;
  bool group_ends_last_ = false;
  int group_ = 0;
};

}  // namespace qn::ops
