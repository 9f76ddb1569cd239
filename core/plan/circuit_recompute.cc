// Windows, LIMIT and DISTINCT ON: computed anew for the keys that change. Where the best rows of a key decide
// and rows are only added, only those are kept.
#include <algorithm>

#include "plan/analyse.h"
#include "plan/circuit_planner.h"

namespace qn::plan {
namespace {

// The PARTITION BY expressions that all windows have.
std::vector<Expr> CommonPartitions(const std::vector<Expr>& windows) {
  std::vector<Expr> out;
  if (windows.empty()) return out;
  for (const Expr& expr : windows[0].partitions) {
    const std::string text = ExprText(expr);
    const bool is_common = std::all_of(windows.begin(), windows.end(), [&](const Expr& window) {
      return std::any_of(window.partitions.begin(), window.partitions.end(),
                         [&](const Expr& other) { return ExprText(other) == text; });
    });
    if (is_common && !text.empty()) out.push_back(expr);
  }
  return out;
}

std::string PartitionLabel(const std::vector<Expr>& keys, const Schema& columns) {
  std::string out;
  for (const Expr& key : keys) out += (out.empty() ? " by " : ", ") + Print(key, columns);
  return out;
}

// `column` <= N, < N or = 1: the first rows by the window's order.
bool IsTop(const Expr& filter, size_t column) {
  if (filter.kind != Expr::Kind::kCompare || filter.children.size() != 2) return false;
  const Expr* value = &filter.children[1];
  while (value->kind == Expr::Kind::kCast) value = value->children.data();
  const Expr* ranked = filter.children.data();
  if (ranked->kind != Expr::Kind::kColumn || ranked->index != column) return false;
  if (value->kind != Expr::Kind::kConstant || !value->value["value"].IsInt()) return false;
  return filter.name == "<=" || filter.name == "<" ||
         (filter.name == "=" && value->value["value"].Int() == 1);
}

void Use(const Expr& expr, Mask& mask) {
  ForColumns(expr, [&mask](const Expr& column) { mask.at(column.index) = true; });
}

void Append(std::vector<Expr>& to, const std::vector<Expr>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// A node over "@0" as the tree of an operator: the keys, then the columns of the mask.
std::unique_ptr<Node> Answer(std::unique_ptr<Node> node, const std::vector<Expr>& keys, const Mask& mask) {
  std::vector<Expr> out = keys;
  Append(out, Selected(node->columns, mask));
  Schema names = SchemaOf(out, node->columns);
  return ProjectNode(std::move(node), std::move(out), std::move(names));
}

// Some operator between that and the ORDER BY below it.
Status LosesOrder(const std::string& what, const Node& below) {
  const Node* between = &below;
  while (between->op != Op::kUnnest && between->op != Op::kWindow) between = between->children[0].get();
  return CannotFollow("'" + what + "' over rows in an order",
                      "that is not followed through '" + LineOf(*between) +
                          "', below which ORDER BY stands; put it above that, beside '" + what + "'.");
}

Mask SomeOf(Mask mask) {
  if (std::find(mask.begin(), mask.end(), true) == mask.end()) mask[0] = true;
  return mask;
}

}  // namespace

// `filters` are conditions over the window's columns; `needed` says which columns are looked at above them.
Result<Part> CircuitPlanner::Window(const Node& node, std::vector<Expr> filters, const Mask& needed) {
  const Node& child = *node.children[0];
  const size_t width = child.columns.size();
  Mask used = needed;
  for (const Expr& filter : filters) Use(filter, used);
  std::vector<Expr> windows;
  std::vector<Expr> columns = ColumnExprs(child.columns);
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    columns.push_back(NullExpr(node.columns[width + i].type));
    if (used[width + i]) windows.push_back(node.exprs[i]);
  }
  // row_number() OVER () FROM (SELECT … ORDER BY y): DuckDB numbers rows as they come.
  const auto asks = std::find_if(windows.begin(), windows.end(), AsksForOrder);
  Ordered input;
  if (asks != windows.end() && !IsRowTag(node)) {
    if (!HasOrder(child) && HidesOrder(child)) return LosesOrder(asks->name, child);
    QN_GET(input, VisitOrdered(child));
  } else {
    QN_GET(input.part, Visit(child));
  }
  Part below = std::move(input.part);
  // What decorrelation leaves behind and nobody looks at.
  if (windows.empty()) {
    return Filter(Project(std::move(below), std::move(columns), node.columns), std::move(filters));
  }
  const std::vector<Expr> keys = CommonPartitions(windows);
  if (!below.is_weighted && windows.size() == 1 && input.orders.empty()) {
    QN_GET(std::optional<Part> top, TopOfWindow(node, below, keys, filters, used));
    if (top.has_value()) {
      const bool is_ranked =
          std::find(needed.begin() + static_cast<std::ptrdiff_t>(width), needed.end(), true) != needed.end();
      if (!is_ranked) return Project(std::move(*top), std::move(columns), node.columns);
      below = std::move(*top);  // the places are computed over the few that are kept
    }
  }
  CircuitBuilder::Recomputed spec;
  spec.label = LineOf(node);
  auto rows = ScanNode("@0", below.columns());
  if (!input.orders.empty()) {
    rows = ProjectNode(OrderNode(std::move(rows), std::move(input.orders)), ColumnExprs(child.columns),
                       child.columns);
  }
  auto tree = Shell(node);
  tree->children.push_back(std::move(rows));
  if (!filters.empty()) {
    auto filter = MakeNode(Op::kFilter, "Filter");
    filter->columns = node.columns;
    filter->exprs = std::move(filters);
    filter->children.push_back(std::move(tree));
    tree = std::move(filter);
  }
  const Mask mask = SomeOf(needed);
  spec.tree = Answer(std::move(tree), keys, mask);
  spec.key_count = keys.size();
  spec.keys.push_back(keys);
  spec.inputs.push_back(std::move(below));
  QN_GET(Part part, builder_.Recompute(std::move(spec)));
  return Widened(std::move(part), mask, node.columns);
}

// The rows that pass row_number() OVER (…) <= N, without the number; nothing when that is not the question.
Result<std::optional<Part>> CircuitPlanner::TopOfWindow(const Node& node, const Part& below,
                                                        const std::vector<Expr>& keys,
                                                        const std::vector<Expr>& filters, const Mask& used) {
  const std::optional<Part> nothing;
  const size_t width = below.columns().size();
  size_t column = width;
  while (!used[column]) ++column;
  const Expr& window = node.exprs[column - width];
  const bool is_rank = window.name == "row_number" || window.name == "rank" || window.name == "dense_rank";
  const bool is_whole =
      keys.size() == window.partitions.size() && window.filter.empty() && window.children.empty();
  const bool is_top =
      !filters.empty() && std::all_of(filters.begin(), filters.end(),
                                      [column](const Expr& filter) { return IsTop(filter, column); });
  if (!is_rank || !is_whole || !is_top) return std::optional<Part>();
  Mask mask(used.begin(), used.begin() + static_cast<std::ptrdiff_t>(width));
  for (const Expr& key : keys) Use(key, mask);
  for (const OrderKey& order : window.orders) Use(order.expr, mask);
  for (const OrderKey& order : window.arg_orders) Use(order.expr, mask);
  mask = SomeOf(std::move(mask));
  CircuitBuilder::Recomputed spec;
  spec.label = "top rows" + PartitionLabel(keys, below.columns()) + ": " + Print(filters[0], node.columns);
  auto tree = Shell(node);
  tree->children.push_back(ScanNode("@0", below.columns()));
  auto filter = MakeNode(Op::kFilter, "Filter");
  filter->columns = node.columns;
  filter->exprs = filters;
  filter->children.push_back(std::move(tree));
  Mask answer = mask;
  answer.resize(node.columns.size());
  spec.tree = Answer(std::move(filter), keys, answer);
  spec.key_count = keys.size();
  spec.keys.push_back(keys);
  spec.inputs.push_back(below.Copy());
  spec.keeps_answer_only = true;
  QN_GET(Part part, builder_.Recompute(std::move(spec)));
  return std::optional<Part>(Widened(std::move(part), mask, below.columns()));
}

// A filter over windows is part of their question: less is answered, and less is kept.
Result<Part> CircuitPlanner::FilterOrTop(const Node& node) {
  const Node* below = node.children[0].get();
  const Node* project = below->op == Op::kProject ? below : nullptr;
  if (project != nullptr) below = below->children[0].get();
  if (below->op != Op::kWindow) return Linear(node);
  std::vector<Expr> filters = node.exprs;
  Mask mask(below->columns.size());
  std::vector<Expr> out;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    const size_t index = node.keep.empty() ? i : node.keep[i];
    Expr expr = project != nullptr ? project->exprs[index] : ColumnExpr(below->columns, index);
    if (node.needed[i]) Use(expr, mask);
    out.push_back(node.needed[i] ? std::move(expr) : NullExpr(node.columns[i].type));
  }
  if (project != nullptr) {
    for (Expr& filter : filters) filter = Substituted(std::move(filter), project->exprs);
  }
  QN_GET(Part part, Window(*below, std::move(filters), mask));
  return Project(std::move(part), std::move(out), node.columns);
}

Result<CircuitPlanner::Ordered> CircuitPlanner::Limit(const Node& node, bool keeps_order) {
  const Node& child = *node.children[0];
  if (!HasOrder(child) && HidesOrder(child)) return LosesOrder("LIMIT", child);
  QN_GET(Ordered below, VisitOrdered(child));
  const Schema full = below.part.columns();
  Mask mask = node.needed;
  mask.resize(full.size());
  Mask with_order = mask;
  for (const OrderKey& key : below.orders) Use(key.expr, with_order);
  CircuitBuilder::Recomputed spec;
  // What is answered must suffice to answer again.
  const bool is_storable = std::all_of(full.begin(), full.end(), [&](const Field& field) {
    return !with_order[static_cast<size_t>(&field - full.data())] || IsStorable(field.type);
  });
  spec.keeps_answer_only =
      !below.part.is_weighted && node.offset.IsNull() && node.limit.IsInt() && is_storable;
  mask = SomeOf(spec.keeps_answer_only || keeps_order ? with_order : mask);
  auto tree = ScanNode("@0", full);
  if (!below.orders.empty()) {
    tree = OrderNode(std::move(tree), below.orders);
    spec.label = LineOf(*tree) + " ";
  }
  auto limit = Shell(node);
  limit->columns = full;
  limit->children.push_back(std::move(tree));
  spec.label += "LIMIT";
  if (!node.limit.IsNull()) spec.label += " " + LimitText(node);
  if (!node.offset.IsNull()) spec.label += " OFFSET " + std::to_string(node.offset.Uint());
  spec.tree = Answer(std::move(limit), {}, mask);
  spec.keys.emplace_back();
  spec.inputs.push_back(std::move(below.part));
  QN_GET(Part out, builder_.Recompute(std::move(spec)));
  out = Widened(std::move(out), mask, full);
  if (keeps_order) return Ordered{std::move(out), std::move(below.orders)};
  std::vector<Expr> columns = Selected(node.columns, Mask(node.columns.size(), true));
  return Ordered{Project(std::move(out), std::move(columns), node.columns), {}};
}

Result<Part> CircuitPlanner::Distinct(Part part, const std::string& label) {
  std::vector<Expr> keys = ColumnExprs(part.columns());
  if (!HaveEqualForms(keys)) return builder_.Distinct(std::move(part), label);
  CircuitBuilder::Recomputed spec;
  spec.label = label;
  spec.keeps_answer_only = !part.is_weighted;
  auto tree = MakeNode(Op::kDistinct, "Distinct");
  tree->columns = part.columns();
  tree->children.push_back(ScanNode("@0", part.columns()));
  spec.tree = Answer(std::move(tree), keys, Mask(keys.size(), true));
  spec.key_count = keys.size();
  spec.keys.push_back(std::move(keys));
  spec.inputs.push_back(std::move(part));
  return builder_.Recompute(std::move(spec));
}

// EXCEPT and INTERSECT: what of the left rows stays.
Result<Part> CircuitPlanner::Bag(Part left, Part right, const Node& node) {
  std::vector<Expr> keys = ColumnExprs(left.columns());
  if (!HaveEqualForms(keys)) {
    const bool is_except = node.name.rfind("EXCEPT", 0) == 0;
    return builder_.Bag(std::move(left), std::move(right), is_except, node.name);
  }
  CircuitBuilder::Recomputed spec;
  spec.label = node.name;
  auto tree = MakeNode(Op::kSetOp, node.name.c_str());
  tree->columns = left.columns();
  tree->children.push_back(ScanNode("@0", left.columns()));
  tree->children.push_back(ScanNode("@1", right.columns()));
  spec.tree = Answer(std::move(tree), keys, Mask(keys.size(), true));
  spec.key_count = keys.size();
  spec.keys = {keys, ColumnExprs(right.columns())};
  spec.inputs.push_back(std::move(left));
  spec.inputs.push_back(std::move(right));
  return builder_.Recompute(std::move(spec));
}

Result<Part> CircuitPlanner::DistinctOn(const Node& node) {
  QN_GET(Part part, Visit(*node.children[0]));
  CircuitBuilder::Recomputed spec;
  spec.label = LineOf(node);
  spec.keeps_answer_only = !part.is_weighted;
  auto tree = Shell(node);
  tree->children.push_back(ScanNode("@0", part.columns()));
  Mask mask(node.columns.size(), true);  // DISTINCT looks at whole rows
  spec.tree = Answer(std::move(tree), node.groups, mask);
  spec.key_count = node.groups.size();
  spec.keys.push_back(node.groups);
  spec.inputs.push_back(std::move(part));
  return builder_.Recompute(std::move(spec));
}

}  // namespace qn::plan
