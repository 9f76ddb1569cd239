// Joins: with a bounded side in the fragments, of two streams as operators. What no operator does in one is
// composed: conditions beside the key are filters over the pairs, and rows without a match are those that are
// left when the matched ones are taken away.
#include <algorithm>
#include <set>

#include "plan/circuit_aggregate.h"
#include "plan/circuit_planner.h"

namespace qn::plan {
namespace {

void Append(std::vector<Expr>& to, std::vector<Expr> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Expr Shifted(Expr expr, size_t by) {
  ForColumns(expr, [by](Expr& column) { column.index += by; });
  return expr;
}

Schema Both(const Schema& left, const Schema& right) {
  Schema out = left;
  out.insert(out.end(), right.begin(), right.end());
  return out;
}

// Which columns of both sides are needed: those that come out and are looked at, and those that `exprs` read.
Mask NeededOf(const Node& node, size_t left, size_t right, const std::vector<Expr>& exprs) {
  Mask out(left + right);
  size_t at = 0;
  const auto take = [&](const std::vector<size_t>& keep, size_t first, size_t count) {
    for (size_t i = 0; i < (keep.empty() ? count : keep.size()); ++i) {
      if (node.needed[at++]) out[first + (keep.empty() ? i : keep[i])] = true;
    }
  };
  take(node.keep_left, 0, left);
  if (node.join != "SEMI" && node.join != "ANTI" && node.join != "MARK") take(node.keep_right, left, right);
  for (const Expr& expr : exprs) {
    ForColumns(expr, [&out](const Expr& column) { out[column.index] = true; });
  }
  return out;
}

// What the node gives, over all columns of both sides; a mark is one more column behind them.
std::vector<Expr> OutputOf(const Node& node, const Schema& left, const Schema& right) {
  std::vector<Expr> out;
  const auto take = [&out](const std::vector<size_t>& keep, const Schema& columns, size_t shift) {
    for (size_t i = 0; i < (keep.empty() ? columns.size() : keep.size()); ++i) {
      const size_t index = keep.empty() ? i : keep[i];
      out.push_back(ColumnExpr(shift + index, columns[index].type));
    }
  };
  take(node.keep_left, left, 0);
  if (node.join == "MARK") {
    out.push_back(ColumnExpr(left.size(), Type::Of(TypeId::kBoolean)));
  } else if (node.join != "SEMI" && node.join != "ANTI") {
    take(node.keep_right, right, left.size());
  }
  return out;
}

Mask LeftOf(const Mask& mask, size_t left) {
  return Mask(mask.begin(), mask.begin() + static_cast<std::ptrdiff_t>(left));
}
Mask RightOf(const Mask& mask, size_t left) {
  return Mask(mask.begin() + static_cast<std::ptrdiff_t>(left), mask.end());
}

std::string Label(const Node& node) {
  std::string word = node.op == Op::kCross ? "CROSS" : node.join == "OUTER" ? "FULL" : node.join;
  std::string line = LineOf(node);
  const size_t on = line.find(" on ");
  return (word == "INNER" ? "" : word + " ") + std::string("JOIN") +
         (on == std::string::npos ? "" : " ON " + line.substr(on + 4));
}

// Whether at most one row of the tree has the same values in the columns that `keys` has.
bool IsUnique(const Node& node, const std::set<size_t>& keys);

// A join whose left rows are unique and find at most one row each.
bool IsUniqueJoin(const Node& node, const std::set<size_t>& keys) {
  const bool keeps_left = node.join == "LEFT" || node.join == "INNER" || node.join == "SINGLE" ||
                          node.join == "SEMI" || node.join == "ANTI" || node.join == "MARK" ||
                          node.op == Op::kCross;
  if (!keeps_left || node.is_asof) return false;
  const size_t width = node.children[0]->columns.size();
  std::set<size_t> left;
  for (const size_t key : keys) {
    if (key < (node.keep_left.empty() ? width : node.keep_left.size())) {
      left.insert(node.keep_left.empty() ? key : node.keep_left[key]);
    }
  }
  if (!IsUnique(*node.children[0], left)) return false;
  if (node.join == "SINGLE" || node.join == "SEMI" || node.join == "ANTI" || node.join == "MARK") return true;
  std::set<size_t> right;
  for (const JoinKey& key : node.keys) {
    const bool is_equality = key.compare == "=" || key.compare == "IS NOT DISTINCT FROM";
    if (is_equality && key.right.kind == Expr::Kind::kColumn) right.insert(key.right.index);
  }
  return IsUnique(*node.children[1], right);
}

bool IsUnique(const Node& node, const std::set<size_t>& keys) {
  const auto has_first = [&keys](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (keys.count(i) == 0) return false;
    }
    return true;
  };
  if (node.op == Op::kAggregate) return node.grouping_sets.size() < 2 && has_first(node.groups.size());
  if (node.op == Op::kDistinct && node.groups.empty()) return has_first(node.columns.size());
  if (node.op == Op::kJoin || node.op == Op::kCross) return IsUniqueJoin(node, keys);
  std::set<size_t> below;
  for (const size_t key : keys) {
    if (node.op == Op::kProject && node.exprs[key].kind == Expr::Kind::kColumn)
      below.insert(node.exprs[key].index);
    if (node.op == Op::kFilter) below.insert(node.keep.empty() ? key : node.keep[key]);
  }
  const bool is_known = node.op == Op::kProject || node.op == Op::kFilter;
  return is_known && IsUnique(*node.children[0], below);
}

std::set<size_t> ColumnsAmong(const std::vector<Expr>& exprs) {
  std::set<size_t> out;
  for (const Expr& expr : exprs) {
    if (expr.kind == Expr::Kind::kColumn) out.insert(expr.index);
  }
  return out;
}

// What tells rows with these columns apart, also where values are equal and not the same.
std::vector<Expr> Identity(const Schema& columns, const Mask& mask) {
  std::vector<Expr> out = Selected(columns, mask);
  const size_t count = out.size();
  for (size_t i = 0; i < count; ++i) {
    if (HasEqualForms(out[i].type)) out.push_back(CastExpr(out[i], Type::Of(TypeId::kVarchar)));
  }
  return out;
}

CircuitBuilder::JoinOutput Pairs() {
  CircuitBuilder::JoinOutput out;
  out.pairs = true;
  return out;
}

}  // namespace

std::vector<Expr> CircuitPlanner::Conditions::Left() const {
  std::vector<Expr> out = left_strict;
  Append(out, left_safe);
  return out;
}

std::vector<Expr> CircuitPlanner::Conditions::Right() const {
  std::vector<Expr> out = right_strict;
  Append(out, right_safe);
  return out;
}

CircuitPlanner::Conditions CircuitPlanner::Split(const Node& node, size_t left_width) {
  Conditions out;
  for (const JoinKey& key : node.keys) {
    if (key.compare == "=") {
      out.left_strict.push_back(key.left);
      out.right_strict.push_back(key.right);
    } else if (key.compare == "IS NOT DISTINCT FROM") {
      out.left_safe.push_back(key.left);
      out.right_safe.push_back(key.right);
    } else if (key.compare.empty()) {
      out.rest.push_back(key.left);
    } else {
      out.rest.push_back(CompareExpr(key.left, key.compare.c_str(), Shifted(key.right, left_width)));
    }
  }
  return out;
}

Result<Part> CircuitPlanner::Join(const Node& node) {
  QN_GET(Part left, Visit(*node.children[0]));
  QN_GET(Part right, Visit(*node.children[1]));
  if (node.join == "POSITIONAL") {
    return CannotFollow("A positional join", "rows of a stream have no position.");
  }
  if (left.is_stream && right.is_stream) return JoinStreams(node, std::move(left), std::move(right));
  const std::string& join = node.join;
  const bool fits = node.op == Op::kCross || (join == "INNER" && !(node.is_asof && right.is_stream)) ||
                    (left.is_stream && (join == "LEFT" || join == "SEMI" || join == "ANTI" ||
                                        join == "MARK" || join == "SINGLE")) ||
                    (right.is_stream && join == "RIGHT" && !node.is_asof);
  if (!fits) {
    QN_GET(left, ToStream(std::move(left)));
    QN_GET(right, ToStream(std::move(right)));
    return JoinStreams(node, std::move(left), std::move(right));
  }
  Part out{Shell(node), true, left.is_weighted || right.is_weighted};
  out.tree->children.push_back(std::move(left.tree));
  out.tree->children.push_back(std::move(right.tree));
  return out;
}

Result<Part> CircuitPlanner::JoinStreams(const Node& node, Part left, Part right) {
  const size_t width = left.columns().size();
  Conditions on = Split(node, width);
  if (node.is_asof) return RecomputeJoin(node, std::move(left), std::move(right), on);
  if (node.join == "MARK") return Mark(node, std::move(left), std::move(right), on);
  const bool is_single = node.join == "SINGLE";
  if (is_single && (!IsUnique(*node.children[1], ColumnsAmong(on.Right())) || !on.rest.empty())) {
    return RecomputeJoin(node, std::move(left), std::move(right), on);
  }
  const bool is_inner = node.op == Op::kCross || node.join == "INNER";
  const bool is_matched = node.join == "SEMI" || node.join == "ANTI";
  const bool is_left = node.join == "LEFT" || is_single;
  const bool is_full = node.join == "FULL" || node.join == "OUTER";
  if (!is_inner && !is_matched && !is_left && !is_full && node.join != "RIGHT") {
    return CannotFollow("A " + node.join + " join", "Qanat does not know it.");
  }
  if (!is_inner && !on.rest.empty()) {
    return is_matched ? MatchedByParts(node, std::move(left), std::move(right), on)
                      : OuterByParts(node, std::move(left), std::move(right), on);
  }
  CircuitBuilder::JoinOutput output;
  output.pairs = !is_matched;
  output.left_matched = node.join == "SEMI";
  output.left_unmatched = node.join == "ANTI" || is_left || is_full;
  output.right_unmatched = node.join == "RIGHT" || is_full;
  const Mask mask = NeededOf(node, width, right.columns().size(), on.rest);
  std::vector<Expr> out = OutputOf(node, left.columns(), right.columns());
  QN_GET(Part part, builder_.Join({std::move(left), on.Left(), LeftOf(mask, width)},
                                  {std::move(right), on.Right(), RightOf(mask, width)}, on.strict(), output,
                                  Label(node)));
  return Project(Filter(std::move(part), std::move(on.rest)), std::move(out), node.columns);
}

// Pairs that pass, and the rows of a side that no such pair has.
Result<Part> CircuitPlanner::OuterByParts(const Node& node, Part left, Part right, const Conditions& on) {
  const size_t width = left.columns().size();
  const Schema full = Both(left.columns(), right.columns());
  std::vector<Expr> reads = on.rest;
  Append(reads, on.Left());
  for (const Expr& key : on.Right()) reads.push_back(Shifted(key, width));
  // A row is told from others by all that decides whether it has a match.
  const Mask mask = NeededOf(node, width, right.columns().size(), reads);
  const std::string label = Label(node);
  QN_GET(Part pairs, builder_.Join({left.Copy(), on.Left(), LeftOf(mask, width)},
                                   {right.Copy(), on.Right(), RightOf(mask, width)}, on.strict(), Pairs(),
                                   "pairs of " + label));
  pairs = Filter(std::move(pairs), on.rest);
  std::vector<Part> parts;
  const auto add_unmatched = [&](Part side, const Mask& wanted, size_t first) -> Status {
    std::vector<Expr> keys = Identity(side.columns(), wanted);
    std::vector<Expr> matched_columns;
    for (const Expr& key : keys) matched_columns.push_back(Shifted(key, first));
    QN_GET(Part matched,
           builder_.Distinct(Project(pairs.Copy(), matched_columns), "matched rows of " + label));
    CircuitBuilder::JoinOutput unmatched;
    unmatched.left_unmatched = true;
    std::vector<Expr> matched_keys = ColumnExprs(matched.columns());
    Mask none(matched.columns().size());
    const size_t count = side.columns().size();
    QN_GET(Part rows, builder_.Join({std::move(side), std::move(keys), wanted},
                                    {std::move(matched), std::move(matched_keys), std::move(none)}, 0,
                                    unmatched, "rows without a match of " + label));
    std::vector<Expr> columns;
    for (size_t i = 0; i < full.size(); ++i) {
      const bool is_own = i >= first && i < first + count;
      columns.push_back(is_own ? ColumnExpr(i - first, full[i].type) : NullExpr(full[i].type));
    }
    parts.push_back(Project(std::move(rows), std::move(columns), full));
    return Ok();
  };
  const std::vector<Expr> out = OutputOf(node, left.columns(), right.columns());
  if (node.join != "RIGHT") QN_TRY(add_unmatched(std::move(left), LeftOf(mask, width), 0));
  if (node.join != "LEFT") QN_TRY(add_unmatched(std::move(right), RightOf(mask, width), width));
  parts.insert(parts.begin(), std::move(pairs));
  return Project(UnionAll(std::move(parts)), out, node.columns);
}

// SEMI and ANTI with conditions beside the key.
Result<Part> CircuitPlanner::MatchedByParts(const Node& node, Part left, Part right, const Conditions& on) {
  const size_t width = left.columns().size();
  std::vector<Expr> reads = on.rest;
  Append(reads, on.Left());
  const Mask told = NeededOf(node, width, right.columns().size(), reads);
  const std::string label = Label(node);
  QN_GET(Part pairs, builder_.Join({left.Copy(), on.Left(), LeftOf(told, width)},
                                   {std::move(right), on.Right(), RightOf(told, width)}, on.strict(), Pairs(),
                                   "pairs of " + label));
  std::vector<Expr> keys = Identity(left.columns(), LeftOf(told, width));
  QN_GET(Part matched,
         builder_.Distinct(Project(Filter(std::move(pairs), on.rest), keys), "matched rows of " + label));
  CircuitBuilder::JoinOutput output;
  output.left_matched = node.join == "SEMI";
  output.left_unmatched = node.join == "ANTI";
  const Mask mask = NeededOf(node, width, 0, {});
  std::vector<Expr> matched_keys = ColumnExprs(matched.columns());
  Mask none(matched.columns().size());
  const std::vector<Expr> out = OutputOf(node, left.columns(), {});
  QN_GET(Part part,
         builder_.Join({std::move(left), std::move(keys), mask},
                       {std::move(matched), std::move(matched_keys), std::move(none)}, 0, output, label));
  return Project(std::move(part), out, node.columns);
}

// x IN (SELECT y …) and EXISTS: TRUE where there is an equal row. Otherwise NULL when x is NULL or some y is,
// unless the subquery has no row at all; the subquery's rows are those with equal correlated columns.
Result<Part> CircuitPlanner::Mark(const Node& node, Part left, Part right, const Conditions& on) {
  const bool is_storable = on.strict() == 0 || IsStorable(on.left_strict[0].type);
  if (!on.rest.empty() || on.strict() > 1 || !is_storable)
    return RecomputeJoin(node, std::move(left), std::move(right), on);
  const size_t width = left.columns().size();
  const Type boolean = Type::Of(TypeId::kBoolean);
  Schema full = left.columns();
  full.push_back({"mark", boolean, true, ""});
  Mask mask = NeededOf(node, width, 0, on.left_safe);
  for (const Expr& key : on.left_strict) {
    ForColumns(key, [&mask](const Expr& column) { mask[column.index] = true; });
  }
  const std::string label = Label(node);
  // What is to be found, once each, with TRUE beside it.
  const size_t key_count = on.Right().size();
  QN_GET(Part wanted, builder_.Distinct(Project(right.Copy(), on.Right()), "DISTINCT, right of " + label));
  std::vector<Expr> found_columns = ColumnExprs(wanted.columns());
  std::vector<Expr> wanted_keys = found_columns;
  found_columns.push_back(BoolExpr(true));
  Mask only_found(key_count + 1);
  only_found[key_count] = true;
  CircuitBuilder::JoinOutput output = Pairs();
  output.left_unmatched = true;
  QN_GET(Part found,
         builder_.Join({std::move(left), on.Left(), mask},
                       {Project(std::move(wanted), found_columns), std::move(wanted_keys), only_found},
                       on.strict(), output, label));
  const std::vector<Expr> out = OutputOf(node, Schema(full.begin(), full.end() - 1), {});
  std::vector<Expr> columns;
  for (size_t i = 0; i < width; ++i) columns.push_back(ColumnExpr(full, i));
  const Expr is_found = ColumnExpr(width + key_count, boolean);
  if (on.strict() == 0) {
    columns.push_back(LogicExpr(Expr::Kind::kCoalesce, {is_found, BoolExpr(false)}));
    return Project(Project(std::move(found), std::move(columns), full), out, node.columns);
  }
  columns.push_back(is_found);
  found = Project(std::move(found), std::move(columns), full);
  mask.push_back(true);
  QN_GET(Part marked, MarkNulls(std::move(found), std::move(right), on, mask, label));
  return Project(std::move(marked), out, node.columns);
}

// `found`: the left row, and TRUE where its x was found. Gives the left row and its mark.
Result<Part> CircuitPlanner::MarkNulls(Part found, Part right, const Conditions& on, const Mask& mask,
                                       const std::string& label) {
  const Type boolean = Type::Of(TypeId::kBoolean);
  const Type number = Type::Of(TypeId::kBigInt);
  const size_t groups = on.right_safe.size();
  Grouping grouping;
  grouping.groups = on.right_safe;
  grouping.columns = SchemaOf(on.right_safe, right.columns());
  for (const bool is_values : {false, true}) {
    Expr count;
    count.kind = Expr::Kind::kAggregate;
    count.name = is_values ? "count" : "count_star";
    count.type = number;
    if (is_values) count.children = on.right_strict;
    grouping.aggregates.push_back(std::move(count));
    grouping.columns.push_back({is_values ? "values" : "rows", number, true, ""});
  }
  grouping.needed.assign(groups + 2, true);
  grouping.part = std::move(right);
  QN_GET(Part counts, PlanGrouping(builder_, std::move(grouping)));
  const Expr rows = ColumnExpr(groups, number);
  std::vector<Expr> columns;
  for (size_t i = 0; i < groups; ++i) columns.push_back(ColumnExpr(counts.columns(), i));
  std::vector<Expr> keys = columns;
  // Only whether there is one: so the counts may change without changing what is joined.
  columns.push_back(CompareExpr(rows, ">", NumberExpr(0, TypeId::kBigInt)));
  columns.push_back(CompareExpr(rows, ">", ColumnExpr(groups + 1, number)));
  Mask needed(groups + 2);
  needed[groups] = needed[groups + 1] = true;
  CircuitBuilder::JoinOutput output = Pairs();
  output.left_unmatched = true;
  const Schema full = found.columns();
  QN_GET(Part part, builder_.Join({std::move(found), on.left_safe, mask},
                                  {Project(std::move(counts), std::move(columns)), std::move(keys), needed},
                                  0, output, "NULLs of " + label));
  const auto is_true = [&](size_t column) {
    return LogicExpr(Expr::Kind::kCoalesce, {ColumnExpr(column, boolean), BoolExpr(false)});
  };
  const size_t right_at = full.size() + groups;
  Expr unknown = LogicExpr(Expr::Kind::kOr,
                           {LogicExpr(Expr::Kind::kIsNull, {on.left_strict[0]}), is_true(right_at + 1)});
  Expr without = CaseExpr(std::move(unknown), NullExpr(boolean), BoolExpr(false));
  std::vector<Expr> out = ColumnExprs(full);
  out.back() = CaseExpr(is_true(full.size() - 1), BoolExpr(true),
                        CaseExpr(is_true(right_at), std::move(without), BoolExpr(false)));
  return Project(std::move(part), std::move(out), full);
}

Result<Part> CircuitPlanner::RecomputeJoin(const Node& node, Part left, Part right, const Conditions& on) {
  CircuitBuilder::Recomputed spec;
  spec.label = (node.is_asof ? "ASOF " : "") + Label(node);
  auto join = Shell(node);
  join->keep_left.clear();
  join->keep_right.clear();
  join->columns = left.columns();
  if (node.join == "MARK") {
    join->columns.push_back({"mark", Type::Of(TypeId::kBoolean), true, ""});
  } else if (node.join != "SEMI" && node.join != "ANTI") {
    join->columns = Both(left.columns(), right.columns());
  }
  const std::vector<Expr> all = OutputOf(node, left.columns(), right.columns());
  join->children.push_back(ScanNode("@0", left.columns()));
  join->children.push_back(ScanNode("@1", right.columns()));
  Mask mask = node.needed;
  if (std::find(mask.begin(), mask.end(), true) == mask.end()) mask[0] = true;
  std::vector<Expr> out;
  // The left row of an answer says which key it belongs to, if there is one.
  const bool has_left = node.join != "RIGHT" && node.join != "FULL" && node.join != "OUTER";
  if (node.join == "MARK") {
    // NULLs among the others matter too.
    out = on.left_safe;
    spec.keys = {on.left_safe, on.right_safe};
  } else if (has_left) {
    out = on.Left();
    spec.keys = {on.Left(), on.Right()};
  }
  spec.key_count = out.size();
  for (size_t i = 0; i < all.size(); ++i) {
    if (mask[i]) out.push_back(all[i]);
  }
  Schema names = SchemaOf(out, join->columns);
  spec.tree = ProjectNode(std::move(join), std::move(out), std::move(names));
  spec.inputs.push_back(std::move(left));
  spec.inputs.push_back(std::move(right));
  QN_GET(Part part, builder_.Recompute(std::move(spec)));
  return Widened(std::move(part), mask, node.columns);
}

}  // namespace qn::plan
