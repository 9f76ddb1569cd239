// Follows column numbers down the tree.
#include "plan/lineage.h"

namespace qn::plan {
namespace {

size_t Kept(const std::vector<size_t>& map, size_t index) { return map.empty() ? index : map.at(index); }

std::optional<Origin> OriginInJoin(const Node& node, size_t column) {
  const size_t left = node.keep_left.empty() ? node.children[0]->columns.size() : node.keep_left.size();
  if (column < left) return OriginOf(*node.children[0], Kept(node.keep_left, column));
  if (node.join == "MARK" || node.join == "SEMI" || node.join == "ANTI") return std::nullopt;
  return OriginOf(*node.children[1], Kept(node.keep_right, column - left));
}

}  // namespace

std::optional<Origin> OriginOf(const Node& root, size_t column) {
  switch (root.op) {
    case Op::kScan: {
      const size_t at = Kept(root.keep, column);
      return at == kRowId ? std::nullopt : std::optional<Origin>({root.input, at});
    }
    case Op::kProject:
      if (root.exprs.at(column).kind != Expr::Kind::kColumn) return std::nullopt;
      return OriginOf(*root.children[0], root.exprs[column].index);
    case Op::kFilter:
      return OriginOf(*root.children[0], Kept(root.keep, column));
    case Op::kOrder:
    case Op::kLimit:
      return OriginOf(*root.children[0], column);
    case Op::kUnnest:
      if (column >= root.children[0]->columns.size()) return std::nullopt;
      return OriginOf(*root.children[0], column);
    case Op::kJoin:
    case Op::kCross:
      return OriginInJoin(root, column);
    default:
      return std::nullopt;
  }
}

}  // namespace qn::plan
