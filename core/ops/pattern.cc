// Greedy and without memory of alternatives: NeverGoesBack proves beforehand that none would be needed.
#include "ops/pattern.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

namespace qn::ops {
namespace {

using Bytes = std::bitset<256>;

Bytes Range(int first, int last) {
  Bytes bytes;
  for (int byte = first; byte <= last; ++byte) bytes.set(static_cast<size_t>(byte));
  return bytes;
}

Bytes Digits() { return Range('0', '9'); }
Bytes Words() { return Digits() | Range('a', 'z') | Range('A', 'Z') | Range('_', '_'); }
Bytes Spaces() { return Range('\t', '\n') | Range('\f', '\r') | Range(' ', ' '); }

}  // namespace

// Recursive descent over the little that we take; `ok_` falls at the first thing that we do not.
class Pattern::Parser {
 public:
  Parser(std::string_view text, int group) : text_(text), wanted_(group) {}

  std::optional<Pattern> Parse() {
    pattern_.group_ = wanted_;
    if (Take('^')) pattern_.from_start_ = true;
    while (ok_ && at_ < text_.size()) {
      if (text_[at_] == '$' && at_ + 1 == text_.size()) {
        pattern_.to_end_ = true;
        ++at_;
      } else {
        ParseOne();
      }
    }
    if (!ok_ || !open_.empty() || wanted_ > groups_ || wanted_ < 0) return std::nullopt;
    pattern_.group_ends_last_ = pending_end_;
    return pattern_;
  }

 private:
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void ParseOne() {
    const char c = text_[at_];
    if (c == '(') return OpenGroup();
    if (c == ')') return CloseGroup();
    if (std::strchr("|^$*+?{}", c) != nullptr) {
      ok_ = false;
      return;
    }
    Item item;
    if (!ParseAtom(item)) {
      ok_ = false;
      return;
    }
    ParseQuantifier(item);
    item.group_begins = std::exchange(pending_begin_, false);
    item.group_ends = std::exchange(pending_end_, false);
    pattern_.items_.push_back(std::move(item));
  }

  void OpenGroup() {
    ++at_;
    bool is_wanted = false;
    if (Take('?')) {
      if (!Take(':')) ok_ = false;
    } else {
      is_wanted = ++groups_ == wanted_;
    }
    // A group that is empty, or that begins where it ends, would need a place between items.
    if (at_ < text_.size() && text_[at_] == ')') ok_ = false;
    open_.push_back(is_wanted);
    if (is_wanted) pending_begin_ = true;
  }

  void CloseGroup() {
    ++at_;
    if (open_.empty()) {
      ok_ = false;
      return;
    }
    if (open_.back()) pending_end_ = true;
    open_.pop_back();
    if (at_ < text_.size() && std::strchr("*+?{", text_[at_]) != nullptr) ok_ = false;
  }

  bool ParseAtom(Item& item) {
    const char c = text_[at_++];
    if (c == '.') return SetOf(item, ~Range('\n', '\n'));
    if (c == '[') return ParseClass(item);
    if (c == '\\') return ParseEscape(item);
    item.literal = c;
    return true;
  }

  static bool SetOf(Item& item, const Bytes& bytes) {
    for (size_t byte = 0; byte < 256; ++byte) item.set[byte] = bytes[byte];
    item.is_wide = bytes[0x80];
    return true;
  }

  // The class of \d, \w, … or nothing.
  static std::optional<Bytes> Shorthand(char c) {
    switch (c) {
      case 'd':
        return Digits();
      case 'D':
        return ~Digits();
      case 'w':
        return Words();
      case 'W':
        return ~Words();
      case 's':
        return Spaces();
      case 'S':
        return ~Spaces();
      default:
        return std::nullopt;
    }
  }

  bool ParseEscape(Item& item) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (const std::optional<Bytes> bytes = Shorthand(c)) return SetOf(item, *bytes);
    if (std::ispunct(static_cast<unsigned char>(c)) == 0) return false;
    item.literal = c;
    return true;
  }

  bool ParseClass(Item& item) {
    const bool is_negated = Take('^');
    Bytes bytes;
    for (bool is_first = true; at_ < text_.size() && (text_[at_] != ']' || is_first); is_first = false) {
      if (!ParseMember(bytes)) return false;
    }
    if (!Take(']')) return false;
    return SetOf(item, is_negated ? ~bytes : bytes);
  }

  // A member is a character, a range, or a shorthand; ASCII only.
  bool ParseMember(Bytes& bytes) {
    if (text_[at_] == '[') return false;  // [:alpha:] and the like
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      if (const std::optional<Bytes> shorthand = Shorthand(text_[at_ + 1])) {
        at_ += 2;
        bytes |= *shorthand;
        return true;
      }
    }
    int first = 0;
    if (!ParseCharacter(first)) return false;
    int last = first;
    if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
      ++at_;
      if (!ParseCharacter(last) || last < first) return false;
    }
    bytes |= Range(first, last);
    return true;
  }

  bool ParseCharacter(int& out) {
    char c = text_[at_++];
    if (c == '\\') {
      if (at_ >= text_.size()) return false;
      c = text_[at_++];
      if (std::ispunct(static_cast<unsigned char>(c)) == 0) return false;
    }
    out = static_cast<unsigned char>(c);
    return out < 0x80;
  }

  void ParseQuantifier(Item& item) {
    if (at_ >= text_.size()) return;
    const char c = text_[at_];
    if (c != '?' && c != '*' && c != '+') {
      if (c == '{') ok_ = false;
      return;
    }
    ++at_;
    item.may_be_absent = c != '+';
    item.may_repeat = c != '?';
    // Lazy and possessive forms are not ours; a byte of a longer character cannot be repeated alone.
    if (at_ < text_.size() && std::strchr("?*+{", text_[at_]) != nullptr) ok_ = false;
    if (!item.literal.empty() && static_cast<unsigned char>(item.literal[0]) >= 0x80) ok_ = false;
  }

  std::string_view text_;
  int wanted_;
  Pattern pattern_;
  size_t at_ = 0;
  int groups_ = 0;
  std::vector<bool> open_;  // whether each open group is the wanted one
  bool pending_begin_ = false;
  bool pending_end_ = false;
  bool ok_ = true;
};

std::optional<Pattern> Pattern::Compile(std::string_view expression, Where where, int group) {
  std::optional<Pattern> pattern = Parser(expression, group).Parse();
  if (!pattern.has_value()) return pattern;
  if (where == Where::kWhole) pattern->from_start_ = pattern->to_end_ = true;
  if (!pattern->NeverGoesBack()) return std::nullopt;
  pattern->MergeLiterals();
  return pattern;
}

// An item that may take more or less takes all it can. That is right when nothing after it could begin with
// what it takes, or when all that is after it may be absent and the match may end anywhere.
bool Pattern::NeverGoesBack() const {
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (!item.may_be_absent && !item.may_repeat) continue;
    Set taken;
    for (size_t byte = 0; byte < 256; ++byte) taken[byte] = item.literal.empty() ? item.set[byte] : false;
    if (!item.literal.empty()) taken.set(static_cast<unsigned char>(item.literal[0]));
    bool may_all_be_absent = true;
    bool overlaps = false;
    for (size_t j = i + 1; j < items_.size() && may_all_be_absent; ++j) {
      const Item& next = items_[j];
      if (!next.literal.empty()) {
        overlaps = overlaps || taken[static_cast<unsigned char>(next.literal[0])];
      } else {
        for (size_t byte = 0; byte < 256; ++byte) overlaps = overlaps || (taken[byte] && next.set[byte]);
      }
      may_all_be_absent = next.may_be_absent;
    }
    if (overlaps && !(may_all_be_absent && !to_end_)) return false;
  }
  return true;
}

void Pattern::MergeLiterals() {
  std::vector<Item> merged;
  for (Item& item : items_) {
    const bool is_plain = !item.literal.empty() && !item.may_be_absent && !item.may_repeat;
    const bool joins = is_plain && !item.group_begins && !item.group_ends && !merged.empty() &&
                       !merged.back().literal.empty() && !merged.back().may_be_absent &&
                       !merged.back().may_repeat;
    if (joins) {
      merged.back().literal += item.literal;
    } else {
      merged.push_back(std::move(item));
    }
  }
  items_ = std::move(merged);
}

bool Pattern::MatchAt(std::string_view text, size_t at, Span* group, size_t* end) const {
  const auto in_set = [](const Item& item, char c) { return item.set[static_cast<unsigned char>(c)]; };
  for (const Item& item : items_) {
    if (item.group_ends) group->end = at;
    if (item.group_begins) group->begin = at;
    if (!item.literal.empty()) {
      const std::string& literal = item.literal;
      size_t times = 0;
      while (text.size() - at >= literal.size() &&
             std::memcmp(text.data() + at, literal.data(), literal.size()) == 0) {
        at += literal.size();
        ++times;
        if (!item.may_repeat) break;
      }
      if (times == 0 && !item.may_be_absent) return false;
      continue;
    }
    const size_t before = at;
    if (item.may_repeat) {
      while (at < text.size() && in_set(item, text[at])) ++at;
    } else if (at < text.size() && in_set(item, text[at])) {
      ++at;
      // The rest of a character beyond ASCII.
      while (item.is_wide && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    }
    if (at == before && !item.may_be_absent) return false;
  }
  if (group_ends_last_) group->end = at;
  *end = at;
  return !to_end_ || at == text.size();
}

bool Pattern::Find(std::string_view text, Span* group) const {
  size_t end = 0;
  const size_t last = from_start_ ? 0 : text.size();
  for (size_t at = 0; at <= last; ++at) {
    // A match begins where a character begins.
    if (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (!MatchAt(text, at, group, &end)) continue;
    if (group_ == 0) *group = {at, end};
    return true;
  }
  return false;
}

bool Pattern::Matches(std::string_view text) const {
  Span group;
  return Find(text, &group);
}

std::string_view Pattern::Extract(std::string_view text) const {
  Span group;
  if (!Find(text, &group)) return {};
  return text.substr(group.begin, group.end - group.begin);
}

}  // namespace qn::ops
