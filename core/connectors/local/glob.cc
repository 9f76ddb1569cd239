// Pattern work without recursion over names: a hostile pattern costs at most pattern × name steps.
#include "connectors/local/glob.h"

namespace qn {
namespace {

// Position of the brace that closes the one at `open`, or npos. `comma` tells whether it has a comma of its
// own.
size_t FindClose(std::string_view text, size_t open, bool* comma) {
  size_t depth = 0;
  *comma = false;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == ',' && depth == 1) {
      *comma = true;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::vector<std::string_view> SplitChoices(std::string_view inside) {
  std::vector<std::string_view> choices;
  size_t depth = 0;
  size_t start = 0;
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\') {
      ++i;
    } else if (inside[i] == '{') {
      ++depth;
    } else if (inside[i] == '}' && depth > 0) {
      --depth;
    } else if (inside[i] == ',' && depth == 0) {
      choices.push_back(inside.substr(start, i - start));
      start = i + 1;
    }
  }
  choices.push_back(inside.substr(start));
  return choices;
}

// First brace from `from` on that is a choice; npos when none is.
size_t FindChoice(std::string_view text, size_t from, size_t* close) {
  for (size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] != '{') continue;
    bool comma = false;
    *close = FindClose(text, i, &comma);
    if (*close != std::string_view::npos && comma) return i;
  }
  return std::string_view::npos;
}

// One character class; returns the index after its ']', or npos when it never closes (then '[' is itself).
size_t MatchClass(std::string_view pattern, size_t at, char c, bool* matched) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  bool first = true;
  const auto byte = static_cast<unsigned char>(c);
  while (i < pattern.size() && (pattern[i] != ']' || first)) {
    first = false;
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    found = found || (low <= byte && byte <= high);
    ++i;
  }
  if (i >= pattern.size()) return std::string_view::npos;
  *matched = found != negated;
  return i + 1;
}

// Matches one character at pattern[p]; returns the index behind what it took of the pattern, or 0.
size_t MatchOne(std::string_view pattern, size_t p, char c) {
  if (pattern[p] == '?') return p + 1;
  if (pattern[p] == '[') {
    bool matched = false;
    const size_t next = MatchClass(pattern, p, c, &matched);
    if (next != std::string_view::npos) return matched ? next : 0;
  }
  if (pattern[p] == '\\' && p + 1 < pattern.size()) ++p;
  return pattern[p] == c ? p + 1 : 0;
}

}  // namespace

Result<std::vector<std::string>> ExpandBraces(std::string_view pattern) {
  std::vector<std::string> open{std::string(pattern)};
  std::vector<std::string> done;
  while (!open.empty()) {
    const std::string text = std::move(open.back());
    open.pop_back();
    size_t close = 0;
    const size_t at = FindChoice(text, 0, &close);
    if (at == std::string::npos) {
      done.push_back(text);
    } else {
      const auto choices = SplitChoices(std::string_view(text).substr(at + 1, close - at - 1));
      for (size_t i = choices.size(); i-- > 0;) {
        open.push_back(text.substr(0, at) + std::string(choices[i]) + text.substr(close + 1));
      }
    }
    if (open.size() + done.size() > kGlobExpansionsMax) {
      return Invalid("QN-3107", "The pattern '" + std::string(pattern.substr(0, 120)) +
                                    "' stands for more than " + std::to_string(kGlobExpansionsMax) +
                                    " patterns.")
          .With("Write fewer {choices}, or use * instead.");
    }
  }
  return done;
}

bool MatchSegment(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\.")) return false;
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_n = n;
      continue;
    }
    const size_t next = p < pattern.size() ? MatchOne(pattern, p, name[n]) : 0;
    if (next != 0) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_n;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool IsLiteralSegment(std::string_view pattern, std::string* literal) {
  literal->clear();
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[') return false;
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    *literal += pattern[i];
  }
  return true;
}

}  // namespace qn
