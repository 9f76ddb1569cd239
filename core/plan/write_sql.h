// Writes a tree back as one SELECT. Refuses (QN-1208) operators and expressions that it does not know.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/node.h"

namespace qn::plan {

struct SqlOptions {
  // SQL of the relation that stands for an input.
  std::function<std::string(const std::string& input)> relation;
  // Which inputs carry the hidden columns; none: nothing hidden comes out.
  std::function<bool(const std::string& input)> has_hidden;
};

// `names` are the names of root's columns in the result. MarkNeeded must have seen the tree.
Result<std::string> WriteSql(const Node& root, const std::vector<std::string>& names,
                             const SqlOptions& options);

}  // namespace qn::plan
