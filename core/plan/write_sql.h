// Writes a tree back as one SELECT. Refuses (QN-1208) operators and expressions that it does not know.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/node.h"

namespace qn::plan {

// A column that comes with a row without being one of the plan's.
struct HiddenColumn {
  std::string name;
  std::string absent;  // SQL of its value for rows of a UNION ALL that come without it
};

struct SqlOptions {
  // SQL of the relation that stands for an input.
  std::function<std::string(const std::string& input)> relation;
  std::vector<HiddenColumn> hidden;
  // Which inputs carry the hidden columns; none: nothing hidden comes out.
  std::function<bool(const std::string& input)> has_hidden;
};

// __qn_raw, __qn_file and __qn_line: where a row comes from.
std::vector<HiddenColumn> OriginColumns();

// `names` are the names of root's columns in the result. MarkNeeded must have seen the tree.
Result<std::string> WriteSql(const Node& root, const std::vector<std::string>& names,
                             const SqlOptions& options);

}  // namespace qn::plan
