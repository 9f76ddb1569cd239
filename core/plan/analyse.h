// What a tree asks for: which columns matter, whether rows of later steps could change what earlier ones gave
// (memory), and which functions answer differently every time.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "plan/node.h"

namespace qn::plan {

// Sets Node::needed everywhere; all columns of `root` count as needed.
void MarkNeeded(Node& root);

// A window that only computes columns nobody looks at, as DuckDB's decorrelation leaves behind.
bool IsDeadWindow(const Node& node);

// row_number() by which DuckDB itself tells equal outer rows of a correlated subquery apart. It need only be
// the same wherever the rows of one step are read.
bool IsRowTag(const Node& node);

// The scans of a tree, once each, in order.
std::vector<std::string> InputsOf(const Node& root);

using IsStream = std::function<bool(const std::string& input)>;

// Why a tree over streams needs memory across steps. Empty: it does not.
struct MemoryNeed {
  std::string what;  // "an aggregate", "DISTINCT", "a join of two streams"
  std::string node;  // the operator as Print shows it
  std::vector<std::string> streams;
};
inline constexpr const char* kBoundedBesideStream = "rows of a bounded input beside a stream";
std::vector<MemoryNeed> FindMemoryNeeds(const Node& root, const IsStream& is_stream);

// Calls of functions in `names` anywhere in the tree.
std::vector<std::string> FindCalls(const Node& root, const std::set<std::string>& names);

}  // namespace qn::plan
