// A deep copy of a tree.
#include "plan/node.h"

namespace qn::plan {

std::unique_ptr<Node> Clone(const Node& node) {
  auto out = std::make_unique<Node>();
  static_cast<NodeParts&>(*out) = node;
  for (const auto& child : node.children) out->children.push_back(Clone(*child));
  return out;
}

}  // namespace qn::plan
