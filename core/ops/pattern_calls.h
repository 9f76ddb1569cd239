// Finds the regular expressions of a plan that Pattern can match, and puts a call of our own in their place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/text_function.h"
#include "ops/pattern.h"
#include "plan/node.h"

namespace qn::ops {

// One replaced call: SQL calls it as name(text).
struct PatternCall {
  std::string name;  // unique in the process: another run of the same flow gets another one
  std::string text;  // of the call that it stands for, without its argument
  std::shared_ptr<const Pattern> pattern;
  bool is_test = true;  // BOOLEAN; otherwise the text of a group

  // Registers the function; the call must outlive the connection.
  Status Register(duck::Connection& connection);

 private:
  std::shared_ptr<const duck::TextTest> test_;
  std::shared_ptr<const duck::TextPart> part_;
};

// Replaces regexp_matches, regexp_full_match and regexp_extract with a constant expression and no options.
// What they are replaced by is added to `calls`; equal ones are there once. The tree then no longer says what
// it asks for: whoever compares trees does it before.
void ReplacePatterns(plan::Node& tree, std::vector<PatternCall>& calls);

}  // namespace qn::ops
