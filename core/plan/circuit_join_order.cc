// Takes a tree of inner joins apart and puts it together again: begin with the first input, go on with the
// first that has a key to what is joined. Without statistics there is no better order, but a cross product of
// what the statement never meant to cross is avoided.
#include "plan/circuit_join_order.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "plan/circuit_part.h"

namespace qn::plan {
namespace {

std::vector<Expr> SplitOr(Expr condition) {
  std::vector<std::vector<Expr>> branches;
  for (Expr& branch : condition.children) branches.push_back(SplitAnd(std::move(branch)));
  std::vector<Expr> common;
  std::set<std::string> texts;
  for (const Expr& one : branches[0]) {
    const std::string text = ExprText(one);
    const bool is_common =
        !text.empty() && std::all_of(branches.begin(), branches.end(), [&](const auto& branch) {
          return std::any_of(branch.begin(), branch.end(),
                             [&](const Expr& other) { return ExprText(other) == text; });
        });
    if (is_common && texts.insert(text).second) common.push_back(one);
  }
  std::vector<Expr> rest;
  bool is_decided = false;  // one branch is only what is common
  for (std::vector<Expr>& branch : branches) {
    if (!common.empty())
      std::erase_if(branch, [&](const Expr& one) { return texts.count(ExprText(one)) > 0; });
    is_decided = is_decided || branch.empty();
    if (branch.size() == 1) {
      rest.push_back(std::move(branch[0]));
    } else {
      rest.push_back(LogicExpr(Expr::Kind::kAnd, std::move(branch)));
    }
  }
  if (!is_decided) common.push_back(LogicExpr(Expr::Kind::kOr, std::move(rest)));
  return common;
}

class JoinCluster {
 public:
  explicit JoinCluster(const PushInto& push) : push_(push) {}
  std::unique_ptr<Node> Rebuild(std::unique_ptr<Node> node, std::vector<Expr> conditions);

 private:
  struct Leaf {
    std::unique_ptr<Node> node;
    size_t first = 0;  // of its columns among all
    size_t width = 0;
    bool is_joined = false;
  };

  std::vector<Expr> Flatten(std::unique_ptr<Node> node);
  void AddConditions(std::vector<Expr> conditions, const std::vector<Expr>& columns);
  std::set<size_t> LeavesOf(const Expr& expr) const;
  bool IsJoined(const std::set<size_t>& leaves) const;
  bool HasKey(size_t leaf) const;
  size_t NextLeaf() const;
  void JoinLeaf(size_t leaf);

  const PushInto& push_;
  std::vector<Leaf> leaves_;
  std::vector<Expr> conditions_;  // over all columns
  std::unique_ptr<Node> joined_;
  std::vector<size_t> places_;  // of all columns in joined_
};

bool IsInner(const Node& node) {
  return node.op == Op::kCross || (node.op == Op::kJoin && node.join == "INNER" && !node.is_asof);
}

// A renaming of an inner join's columns is looked through.
bool IsRenaming(const Node& node) {
  if (node.op != Op::kProject && node.op != Op::kFilter) return false;
  if (node.op == Op::kProject) {
    const bool is_plain = std::all_of(node.exprs.begin(), node.exprs.end(),
                                      [](const Expr& expr) { return expr.kind == Expr::Kind::kColumn; });
    if (!is_plain) return false;
  }
  return IsInner(*node.children[0]) || IsRenaming(*node.children[0]);
}

// What the node's columns are among all.
std::vector<Expr> JoinCluster::Flatten(std::unique_ptr<Node> node) {
  if (IsInner(*node)) {
    std::vector<Expr> left = Flatten(std::move(node->children[0]));
    std::vector<Expr> right = Flatten(std::move(node->children[1]));
    std::vector<Expr> both = left;
    both.insert(both.end(), right.begin(), right.end());
    std::vector<Expr> conditions;
    for (JoinKey& key : node->keys) {
      if (!key.compare.empty()) {
        ForColumns(key.right, [&left](Expr& column) { column.index += left.size(); });
        key.left = CompareExpr(std::move(key.left), key.compare.c_str(), std::move(key.right));
      }
      conditions.push_back(std::move(key.left));
    }
    AddConditions(std::move(conditions), both);
    std::vector<Expr> out;
    const auto take = [&out](const std::vector<size_t>& keep, const std::vector<Expr>& columns) {
      for (size_t i = 0; i < (keep.empty() ? columns.size() : keep.size()); ++i) {
        out.push_back(columns[keep.empty() ? i : keep[i]]);
      }
    };
    take(node->keep_left, left);
    take(node->keep_right, right);
    return out;
  }
  if (IsRenaming(*node)) {
    std::vector<Expr> below = Flatten(std::move(node->children[0]));
    if (node->op == Op::kFilter) {
      AddConditions(std::move(node->exprs), below);
      if (node->keep.empty()) return below;
      std::vector<Expr> kept;
      for (const size_t index : node->keep) kept.push_back(below[index]);
      return kept;
    }
    for (Expr& expr : node->exprs) expr = Substituted(std::move(expr), below);
    return std::move(node->exprs);
  }
  Leaf leaf;
  leaf.first = leaves_.empty() ? 0 : leaves_.back().first + leaves_.back().width;
  leaf.width = node->columns.size();
  std::vector<Expr> out;
  for (size_t i = 0; i < leaf.width; ++i) out.push_back(ColumnExpr(leaf.first + i, node->columns[i].type));
  leaf.node = std::move(node);
  leaves_.push_back(std::move(leaf));
  return out;
}

void JoinCluster::AddConditions(std::vector<Expr> conditions, const std::vector<Expr>& columns) {
  for (Expr& condition : conditions) {
    for (Expr& part : SplitAnd(Substituted(std::move(condition), columns)))
      conditions_.push_back(std::move(part));
  }
}

std::set<size_t> JoinCluster::LeavesOf(const Expr& expr) const {
  std::set<size_t> out;
  ForColumns(expr, [&](const Expr& column) {
    for (size_t i = 0; i < leaves_.size(); ++i) {
      if (column.index >= leaves_[i].first && column.index < leaves_[i].first + leaves_[i].width)
        out.insert(i);
    }
  });
  return out;
}

bool JoinCluster::IsJoined(const std::set<size_t>& leaves) const {
  return std::all_of(leaves.begin(), leaves.end(), [this](size_t leaf) { return leaves_[leaf].is_joined; });
}

bool IsEquality(const Expr& condition) {
  return condition.kind == Expr::Kind::kCompare &&
         (condition.name == "=" || condition.name == "IS NOT DISTINCT FROM");
}

bool JoinCluster::HasKey(size_t leaf) const {
  const std::set<size_t> own = {leaf};
  return std::any_of(conditions_.begin(), conditions_.end(), [&](const Expr& condition) {
    if (!IsEquality(condition)) return false;
    const std::set<size_t> left = LeavesOf(condition.children[0]);
    const std::set<size_t> right = LeavesOf(condition.children[1]);
    if (left.empty() || right.empty()) return false;
    return (left == own && IsJoined(right)) || (right == own && IsJoined(left));
  });
}

size_t JoinCluster::NextLeaf() const {
  size_t first = leaves_.size();
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (leaves_[i].is_joined) continue;
    if (HasKey(i)) return i;
    first = std::min(first, i);
  }
  return first;
}

void JoinCluster::JoinLeaf(size_t index) {
  Leaf& leaf = leaves_[index];
  leaf.is_joined = true;
  const size_t width = joined_->columns.size();
  for (size_t i = 0; i < leaf.width; ++i) places_[leaf.first + i] = width + i;
  auto join = MakeNode(Op::kCross, "Cross product");
  join->columns = joined_->columns;
  join->columns.insert(join->columns.end(), leaf.node->columns.begin(), leaf.node->columns.end());
  for (size_t i = 0; i < conditions_.size();) {
    const std::set<size_t> reads = LeavesOf(conditions_[i]);
    if (reads.empty() || !IsJoined(reads)) {
      ++i;
      continue;
    }
    join->keys.push_back(KeyOf(Remapped(std::move(conditions_[i]), places_), width));
    conditions_.erase(conditions_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (!join->keys.empty()) {
    join->op = Op::kJoin;
    join->name = "Join";
    join->join = "INNER";
  }
  join->children.push_back(std::move(joined_));
  join->children.push_back(std::move(leaf.node));
  joined_ = std::move(join);
}

std::unique_ptr<Node> JoinCluster::Rebuild(std::unique_ptr<Node> node, std::vector<Expr> conditions) {
  const Schema columns = node->columns;
  std::vector<Expr> out = Flatten(std::move(node));
  AddConditions(std::move(conditions), out);
  // What one input alone decides goes there, before the order is sought.
  for (size_t i = 0; i < leaves_.size(); ++i) {
    Leaf& leaf = leaves_[i];
    std::vector<Expr> own;
    for (size_t c = 0; c < conditions_.size();) {
      if (LeavesOf(conditions_[c]) != std::set<size_t>{i}) {
        ++c;
        continue;
      }
      ForColumns(conditions_[c], [&leaf](Expr& column) { column.index -= leaf.first; });
      own.push_back(std::move(conditions_[c]));
      conditions_.erase(conditions_.begin() + static_cast<std::ptrdiff_t>(c));
    }
    leaf.node = push_(std::move(leaf.node), std::move(own));
    QN_CHECK(leaf.node->columns.size() == leaf.width);
  }
  places_.resize(leaves_.back().first + leaves_.back().width);
  joined_ = std::move(leaves_[0].node);
  leaves_[0].is_joined = true;
  for (size_t i = 0; i < leaves_[0].width; ++i) places_[i] = i;
  for (size_t next = NextLeaf(); next < leaves_.size(); next = NextLeaf()) JoinLeaf(next);
  for (Expr& expr : out) expr = Remapped(std::move(expr), places_);
  Part part = Filter({std::move(joined_)}, std::move(conditions_));  // conditions without columns are left
  return ProjectNode(std::move(part.tree), std::move(out), columns);
}

}  // namespace

std::vector<Expr> SplitAnd(Expr condition) {
  if (condition.kind == Expr::Kind::kOr && condition.children.size() > 1)
    return SplitOr(std::move(condition));
  std::vector<Expr> out;
  if (condition.kind != Expr::Kind::kAnd) {
    out.push_back(std::move(condition));
    return out;
  }
  for (Expr& child : condition.children) {
    for (Expr& part : SplitAnd(std::move(child))) out.push_back(std::move(part));
  }
  return out;
}

JoinKey KeyOf(Expr condition, size_t left_width) {
  if (condition.kind == Expr::Kind::kCompare) {
    // −1: no column, 0: left, 1: right, 2: both.
    const auto side_of = [left_width](const Expr& expr) {
      int side = -1;
      ForColumns(expr, [&](const Expr& column) {
        const int own = column.index < left_width ? 0 : 1;
        side = side == -1 || side == own ? own : 2;
      });
      return side;
    };
    const int first = side_of(condition.children[0]);
    const int second = side_of(condition.children[1]);
    const bool is_equality = IsEquality(condition);
    if (is_equality && ((first == 0 && second == 1) || (first == 1 && second == 0))) {
      Expr left = std::move(condition.children[first == 0 ? 0 : 1]);
      Expr right = std::move(condition.children[first == 0 ? 1 : 0]);
      ForColumns(right, [left_width](Expr& column) { column.index -= left_width; });
      return {std::move(left), std::move(right), condition.name};
    }
  }
  return {std::move(condition), {}, ""};
}

std::unique_ptr<Node> OrderJoins(std::unique_ptr<Node> node, std::vector<Expr> conditions,
                                 const PushInto& push) {
  return JoinCluster(push).Rebuild(std::move(node), std::move(conditions));
}

}  // namespace qn::plan
