// Conditions on their way down, operator by operator.
#include "plan/circuit_pushdown.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "plan/circuit_join_order.h"
#include "plan/circuit_part.h"

namespace qn::plan {
namespace {

using Conditions = std::vector<Expr>;

std::unique_ptr<Node> Push(std::unique_ptr<Node> node, Conditions conditions);

std::unique_ptr<Node> Filtered(std::unique_ptr<Node> node, Conditions conditions) {
  return Filter({std::move(node)}, std::move(conditions)).tree;
}

// Conditions that read only columns which `is_low` names; the others stay in `conditions`.
Conditions TakeIf(Conditions& conditions, const std::function<bool(size_t column)>& is_low) {
  const auto reads_low = [&is_low](const Expr& condition) {
    bool all = true;
    ForColumns(condition, [&](const Expr& column) { all = all && is_low(column.index); });
    return all;
  };
  const auto middle = std::stable_partition(conditions.begin(), conditions.end(),
                                            [&](const Expr& condition) { return !reads_low(condition); });
  Conditions out(std::make_move_iterator(middle), std::make_move_iterator(conditions.end()));
  conditions.erase(middle, conditions.end());
  return out;
}

Conditions SubstitutedAll(Conditions conditions, const std::vector<Expr>& columns) {
  for (Expr& condition : conditions) condition = Substituted(std::move(condition), columns);
  return conditions;
}

// The child gets what reads only its columns, which the node hands on at the same place.
std::unique_ptr<Node> PushPassing(std::unique_ptr<Node> node, Conditions conditions,
                                  const std::function<bool(size_t column)>& is_low) {
  Conditions low = TakeIf(conditions, is_low);
  node->children[0] = Push(std::move(node->children[0]), std::move(low));
  return Filtered(std::move(node), std::move(conditions));
}

bool IsPartition(const Node& window, size_t column) {
  return std::all_of(window.exprs.begin(), window.exprs.end(), [column](const Expr& expr) {
    return std::any_of(expr.partitions.begin(), expr.partitions.end(), [column](const Expr& partition) {
      return partition.kind == Expr::Kind::kColumn && partition.index == column;
    });
  });
}

std::unique_ptr<Node> PushGroups(std::unique_ptr<Node> node, Conditions conditions) {
  // The rows that a correlated subquery runs for are known by their form (analyse.cc).
  const bool is_plain = node->grouping_sets.size() < 2 && node->children[0]->op != Op::kCteRef;
  const size_t groups = is_plain ? node->groups.size() : 0;
  Conditions low;
  if (groups > 0) low = TakeIf(conditions, [groups](size_t column) { return column < groups; });
  low = SubstitutedAll(std::move(low), node->groups);
  node->children[0] = Push(std::move(node->children[0]), std::move(low));
  return Filtered(std::move(node), std::move(conditions));
}

bool IsMark(const Expr& condition, size_t mark) {
  return condition.kind == Expr::Kind::kColumn && condition.index == mark;
}

// WHERE x IN (SELECT …) needs no mark, only the rows whose mark is TRUE; WHERE NOT EXISTS (…) those without.
// Whether the join was made such a one; what the mark then is stands in `out`.
bool DropMark(Node& node, Conditions& conditions, std::vector<Expr>& out) {
  const size_t mark = node.columns.size() - 1;
  const auto is_not_mark = [mark](const Expr& condition) {
    return condition.kind == Expr::Kind::kNot && IsMark(condition.children[0], mark);
  };
  const auto is_mark = [mark](const Expr& condition) { return IsMark(condition, mark); };
  const bool is_true = std::any_of(conditions.begin(), conditions.end(), is_mark);
  bool is_false = std::any_of(conditions.begin(), conditions.end(), is_not_mark);
  // With "=" the mark may be NULL, which is not FALSE.
  is_false = is_false && std::all_of(node.keys.begin(), node.keys.end(), [](const JoinKey& key) {
               return key.compare == "IS NOT DISTINCT FROM";
             });
  if (is_true == is_false) return false;
  std::erase_if(conditions, [&](const Expr& one) { return is_true ? is_mark(one) : is_not_mark(one); });
  out = ColumnExprs(node.columns);
  out[mark] = BoolExpr(is_true);
  node.join = is_true ? "SEMI" : "ANTI";
  node.columns.pop_back();
  conditions = SubstitutedAll(std::move(conditions), out);
  return true;
}

// A condition of ON that reads one side only filters that side, where rows of it are not kept anyway.
void PushOn(Node& join, Conditions& left, Conditions& right) {
  const size_t width = join.children[0]->columns.size();
  const bool may_left = join.join == "SEMI" || join.join == "RIGHT";
  const bool may_right = join.join == "SEMI" || join.join == "ANTI" || join.join == "LEFT";
  std::vector<JoinKey> keys;
  for (JoinKey& key : join.keys) {
    if (!key.compare.empty()) {
      keys.push_back(std::move(key));
      continue;
    }
    for (Expr& condition : SplitAnd(std::move(key.left))) {
      bool reads_left = false;
      bool reads_right = false;
      ForColumns(condition,
                 [&](const Expr& column) { (column.index < width ? reads_left : reads_right) = true; });
      if (reads_left && !reads_right && may_left) {
        left.push_back(std::move(condition));
      } else if (reads_right && !reads_left && may_right) {
        ForColumns(condition, [width](Expr& column) { column.index -= width; });
        right.push_back(std::move(condition));
      } else {
        keys.push_back(KeyOf(std::move(condition), width));
      }
    }
  }
  join.keys = std::move(keys);
}

// For each column of the node: which of both sides' columns it is. A mark is none.
std::vector<size_t> PlacesOf(const Node& join) {
  const size_t width = join.children[0]->columns.size();
  std::vector<size_t> out;
  const auto take = [&out](const std::vector<size_t>& keep, size_t first, size_t count) {
    for (size_t i = 0; i < (keep.empty() ? count : keep.size()); ++i) {
      out.push_back(first + (keep.empty() ? i : keep[i]));
    }
  };
  take(join.keep_left, 0, width);
  const bool has_right = join.join != "SEMI" && join.join != "ANTI" && join.join != "MARK";
  if (has_right) take(join.keep_right, width, join.children[1]->columns.size());
  out.resize(join.columns.size(), SIZE_MAX);
  return out;
}

// Joins that keep rows without a match, or give no pairs: conditions go to the side whose rows come out as
// they are.
std::unique_ptr<Node> PushOuter(std::unique_ptr<Node> node, Conditions conditions) {
  std::vector<Expr> out;
  const Schema columns = node->columns;
  if (node->join == "MARK" && DropMark(*node, conditions, out)) {
    return ProjectNode(PushOuter(std::move(node), std::move(conditions)), std::move(out), columns);
  }
  const size_t width = node->children[0]->columns.size();
  const std::vector<size_t> places = PlacesOf(*node);
  const bool is_right = node->join == "RIGHT";
  const bool is_full = node->join == "FULL" || node->join == "OUTER" || node->join == "POSITIONAL";
  Conditions low = TakeIf(conditions, [&](size_t column) {
    const bool is_left_column = places[column] < width;
    return !is_full && places[column] != SIZE_MAX && is_left_column != is_right;
  });
  for (Expr& condition : low) {
    ForColumns(condition,
               [&](Expr& column) { column.index = places[column.index] - (is_right ? width : 0); });
  }
  Conditions left;
  Conditions right;
  (is_right ? right : left) = std::move(low);
  if (!node->is_asof && !is_full) PushOn(*node, left, right);
  node->children[0] = Push(std::move(node->children[0]), std::move(left));
  node->children[1] = Push(std::move(node->children[1]), std::move(right));
  return Filtered(std::move(node), std::move(conditions));
}

std::unique_ptr<Node> PushFilter(std::unique_ptr<Node> node, Conditions conditions) {
  const size_t width = node->children[0]->columns.size();
  std::vector<size_t> keep = node->keep;
  if (!keep.empty()) {
    for (Expr& condition : conditions) condition = Remapped(std::move(condition), keep);
  }
  for (Expr& condition : node->exprs) {
    for (Expr& part : SplitAnd(std::move(condition))) conditions.push_back(std::move(part));
  }
  std::unique_ptr<Node> below = Push(std::move(node->children[0]), std::move(conditions));
  if (keep.empty() || keep.size() == width) {
    const bool is_same = std::is_sorted(keep.begin(), keep.end());
    if (is_same) return below;
  }
  std::vector<Expr> out;
  for (const size_t index : keep) out.push_back(ColumnExpr(below->columns, index));
  return ProjectNode(std::move(below), std::move(out), node->columns);
}

std::unique_ptr<Node> PushProject(std::unique_ptr<Node> node, Conditions conditions) {
  conditions = SubstitutedAll(std::move(conditions), node->exprs);
  node->children[0] = Push(std::move(node->children[0]), std::move(conditions));
  return node;
}

std::unique_ptr<Node> PushEach(std::unique_ptr<Node> node, const Conditions& conditions) {
  for (auto& child : node->children) child = Push(std::move(child), conditions);
  return node;
}

std::unique_ptr<Node> PushCte(std::unique_ptr<Node> node, Conditions conditions) {
  node->children[0] = Push(std::move(node->children[0]), {});
  node->children[1] = Push(std::move(node->children[1]), std::move(conditions));
  return node;
}

bool IsInner(const Node& node) { return node.op == Op::kCross || (node.join == "INNER" && !node.is_asof); }

std::unique_ptr<Node> Push(std::unique_ptr<Node> node, Conditions conditions) {
  const size_t width = node->children.empty() ? 0 : node->children[0]->columns.size();
  switch (node->op) {
    case Op::kFilter:
      return PushFilter(std::move(node), std::move(conditions));
    case Op::kProject:
      return PushProject(std::move(node), std::move(conditions));
    case Op::kJoin:
    case Op::kCross:
      if (IsInner(*node)) return OrderJoins(std::move(node), std::move(conditions), Push);
      return PushOuter(std::move(node), std::move(conditions));
    case Op::kUnionAll:
    case Op::kSetOp:
      return PushEach(std::move(node), conditions);
    case Op::kAggregate:
      return PushGroups(std::move(node), std::move(conditions));
    case Op::kDistinct:
      if (node->groups.empty()) return PushEach(std::move(node), conditions);
      return PushPassing(std::move(node), std::move(conditions), [](size_t) { return false; });
    case Op::kOrder:
      return PushEach(std::move(node), conditions);
    case Op::kUnnest:
      return PushPassing(std::move(node), std::move(conditions), [width](size_t c) { return c < width; });
    case Op::kWindow: {
      const Node& window = *node;
      return PushPassing(std::move(node), std::move(conditions),
                         [&window, width](size_t c) { return c < width && IsPartition(window, c); });
    }
    case Op::kCte:
      return PushCte(std::move(node), std::move(conditions));
    default:
      for (auto& child : node->children) child = Push(std::move(child), {});
      return Filtered(std::move(node), std::move(conditions));
  }
}

}  // namespace

std::unique_ptr<Node> PushConditions(std::unique_ptr<Node> tree) { return Push(std::move(tree), {}); }

}  // namespace qn::plan
