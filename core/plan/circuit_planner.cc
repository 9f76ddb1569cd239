// The walk over the tree: what is linear stays together, what remembers becomes an operator.
#include "plan/circuit_planner.h"

#include <algorithm>
#include <utility>

#include "plan/analyse.h"
#include "plan/circuit_aggregate.h"
#include "plan/circuit_pushdown.h"
#include "plan/parse_tree.h"

namespace qn::plan {

std::string LineOf(const Node& node) {
  const std::string text = Print(node);
  return text.substr(0, text.find('\n'));
}

std::unique_ptr<Node> Shell(const Node& node) {
  auto out = std::make_unique<Node>();
  static_cast<NodeParts&>(*out) = node;
  return out;
}

namespace {

// Inside a CTE: as often as it may be read.
void CountScans(const Node& node, size_t times, std::map<std::string, size_t>& scans) {
  if (node.op == Op::kScan) scans[node.input] += times;
  for (const auto& child : node.children) {
    const bool is_kept = node.op == Op::kCte && child == node.children[0];
    CountScans(*child, is_kept ? times * 2 : times, scans);
  }
}

// The only scan of a tree that is linear in it.
const Node* OnlyScan(const Node& node) {
  if (node.op == Op::kScan) return &node;
  const bool is_linear = node.op == Op::kProject || node.op == Op::kFilter || node.op == Op::kUnnest;
  return is_linear ? OnlyScan(*node.children[0]) : nullptr;
}

}  // namespace

Result<Circuit> CircuitPlanner::Plan(const Node& tree) {
  const std::vector<std::string> calls = FindCalls(tree, VolatileFunctions());
  if (!calls.empty()) {
    return CannotFollow("'" + calls[0] + "'", "it answers differently every time, also for rows of old.");
  }
  CountScans(tree, 1, scans_);
  QN_GET(Part part, Visit(tree));
  return builder_.Finish(std::move(part));
}

bool CircuitPlanner::IsBounded(const Node& node) const {
  if (node.op == Op::kScan) return !options_.is_stream(node.input);
  if (node.op == Op::kCteRef) {
    const auto found = ctes_.find(node.cte);
    if (found != ctes_.end() && found->second.is_stream) return false;
  }
  return std::all_of(node.children.begin(), node.children.end(),
                     [this](const auto& child) { return IsBounded(*child); });
}

// A copy in which CTEs from outside stand where they are read.
std::unique_ptr<Node> CircuitPlanner::Inlined(const Node& node) const {
  if (node.op == Op::kCteRef) {
    const auto found = ctes_.find(node.cte);
    if (found != ctes_.end()) {
      Part part = found->second.Copy();
      // The reference has names of its own.
      return Project(std::move(part), ColumnExprs(found->second.columns()), node.columns).tree;
    }
  }
  auto out = Shell(node);
  for (const auto& child : node.children) out->children.push_back(Inlined(*child));
  return out;
}

Result<Part> CircuitPlanner::ToStream(Part part) {
  if (part.is_stream) return part;
  const Node* scan = OnlyScan(*part.tree);
  if (scan == nullptr || scans_[scan->input] != 1) return builder_.Once(std::move(part));
  builder_.OnceInput(scan->input);
  part.is_stream = true;
  return part;
}

namespace {

// map_from_entries(list(row(…))) and the like: what is aggregated cannot be remembered, what is made of it
// can.
bool IsLastOfAggregate(const Node& project) {
  const Node& below = *project.children[0];
  if (below.op != Op::kAggregate || below.grouping_sets.size() > 1 || !below.grouping_calls.empty())
    return false;
  const auto storable = [](const Field& field) { return IsStorable(field.type); };
  return std::all_of(project.columns.begin(), project.columns.end(), storable) &&
         !std::all_of(below.columns.begin(), below.columns.end(), storable);
}

}  // namespace

Result<Part> CircuitPlanner::Visit(const Node& node) {
  if (IsBounded(node)) return Part{Inlined(node), false, false};
  switch (node.op) {
    case Op::kScan:
      return builder_.Stream(node);
    case Op::kCteRef: {
      Part part = ctes_.at(node.cte).Copy();
      std::vector<Expr> columns = ColumnExprs(part.columns());
      return Project(std::move(part), std::move(columns), node.columns);
    }
    case Op::kProject:
      if (IsLastOfAggregate(node)) return Group(*node.children[0], &node);
      return Linear(node);
    case Op::kTableFunction:
    case Op::kUnnest:
      return Linear(node);
    case Op::kFilter:
      return FilterOrTop(node);
    case Op::kUnionAll:
      return Union(node);
    case Op::kJoin:
    case Op::kCross:
      return Join(node);
    case Op::kAggregate:
      return Group(node);
    case Op::kWindow:
      if (keeps_tags_ && IsRowTag(node)) return Linear(node);
      return Window(node, {}, node.needed);
    case Op::kOrder:
      return Visit(*node.children[0]);  // a table has no order
    case Op::kLimit: {
      QN_GET(Ordered out, Limit(node, false));
      return std::move(out.part);
    }
    case Op::kDistinct:
      if (!node.groups.empty()) return DistinctOn(node);
      {
        QN_GET(Part part, Visit(*node.children[0]));
        return Distinct(std::move(part), "DISTINCT");
      }
    case Op::kSetOp:
      return SetOp(node);
    case Op::kCte:
      return Cte(node);
    case Op::kRecursive:
      return Recursive(node);
    default:
      break;
  }
  return CannotFollow("'" + node.name + "'", "Qanat does not know this operator.");
}

Result<Part> CircuitPlanner::Linear(const Node& node) {
  QN_GET(Part part, Visit(*node.children[0]));
  auto out = Shell(node);
  out->children.push_back(std::move(part.tree));
  part.tree = std::move(out);
  return part;
}

// A tree whose scans are streams, operators or bounded, and that is linear altogether.
Part CircuitPlanner::AsItIs(std::unique_ptr<Node> tree) {
  Part out{nullptr, true, false};
  ForScans(*tree, [&](const Node& scan) {
    const bool is_operator = scan.input[0] == '#';
    if (!is_operator && options_.is_stream(scan.input)) builder_.Stream(scan);
    out.is_weighted = out.is_weighted || builder_.IsWeighted(scan.input);
  });
  out.tree = std::move(tree);
  return out;
}

Result<Part> CircuitPlanner::Union(const Node& node) {
  std::vector<Part> parts;
  for (const auto& child : node.children) {
    QN_GET(Part part, Visit(*child));
    QN_GET(part, ToStream(std::move(part)));
    parts.push_back(std::move(part));
  }
  Part out = UnionAll(std::move(parts));
  out.tree->columns = node.columns;
  return out;
}

Result<Part> CircuitPlanner::SetOp(const Node& node) {
  if (node.has_collation) {
    return CannotFollow(node.name + " over texts with a collation",
                        "texts that differ are equal there, and Qanat compares values as they are.");
  }
  std::vector<Part> parts;
  for (const auto& child : node.children) {
    QN_GET(Part part, Visit(*child));
    QN_GET(part, ToStream(std::move(part)));
    parts.push_back(std::move(part));
  }
  if (node.name == "UNION") {
    Part all = UnionAll(std::move(parts));
    return Distinct(std::move(all), "UNION");
  }
  const bool is_all = node.name.find(" ALL") != std::string::npos;
  Part out = std::move(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    // A row that is there once, less or at most as often as on the right: once or not at all.
    if (!is_all) {
      QN_GET(out, Distinct(std::move(out), "DISTINCT, left of " + node.name));
    }
    QN_GET(out, Bag(std::move(out), std::move(parts[i]), node));
  }
  return out;
}

Result<Part> CircuitPlanner::Cte(const Node& node) {
  if (!IsBounded(*node.children[0])) {
    // Subqueries that DuckDB computes for all outer rows at once: linear as long as they read bounded inputs.
    const bool kept_tags = std::exchange(keeps_tags_, true);
    Result<Part> kept = Visit(*node.children[0]);
    keeps_tags_ = kept_tags;
    if (!kept.ok()) return kept;
    auto whole = Shell(node);
    whole->children.push_back(std::move(kept->tree));
    whole->children.push_back(Inlined(*node.children[1]));
    const auto is_stream = [this](const std::string& name) { return builder_.IsStream(name); };
    if (FindMemoryNeeds(*whole, is_stream).empty()) return AsItIs(std::move(whole));
  }
  const bool kept_tags = std::exchange(keeps_tags_, false);
  Result<Part> kept = Visit(*node.children[0]);
  keeps_tags_ = kept_tags;
  if (!kept.ok()) return kept;
  ctes_[node.cte] = std::move(*kept);
  Result<Part> out = Visit(*node.children[1]);
  ctes_.erase(node.cte);
  return out;
}

// All rows of all streams that are read anywhere below.
std::unique_ptr<Node> CircuitPlanner::Gathered(const Node& node, std::vector<Part>& inputs) {
  const auto found = node.op == Op::kCteRef ? ctes_.find(node.cte) : ctes_.end();
  const bool is_stream_cte = found != ctes_.end() && found->second.is_stream;
  if ((node.op == Op::kScan && options_.is_stream(node.input)) || is_stream_cte) {
    inputs.push_back(is_stream_cte ? found->second.Copy() : builder_.Stream(node));
    return ScanNode("@" + std::to_string(inputs.size() - 1), node.columns);
  }
  if (found != ctes_.end()) return Inlined(node);
  auto out = Shell(node);
  for (const auto& child : node.children) out->children.push_back(Gathered(*child, inputs));
  return out;
}

Result<Part> CircuitPlanner::Recursive(const Node& node) {
  CircuitBuilder::Recomputed spec;
  spec.label = LineOf(node);
  std::unique_ptr<Node> tree = Gathered(node, spec.inputs);
  std::vector<Expr> columns = ColumnExprs(node.columns);
  spec.tree = ProjectNode(std::move(tree), std::move(columns), node.columns);
  return builder_.Recompute(std::move(spec));
}

namespace {

// The aggregation of a node over one set of its groups.
Grouping GroupingOf(const Node& node, const std::vector<size_t>& set, Part below) {
  const size_t groups = node.groups.size();
  Grouping out;
  out.part = std::move(below);
  for (const size_t group : set) {
    out.groups.push_back(node.groups[group]);
    out.columns.push_back(node.columns[group]);
    out.needed.push_back(true);
  }
  out.aggregates = node.exprs;
  for (size_t i = groups; i < groups + node.exprs.size(); ++i) {
    out.columns.push_back(node.columns[i]);
    out.needed.push_back(node.needed[i]);
  }
  return out;
}

bool IsPlain(const Node& node) {
  const auto& sets = node.grouping_sets;
  return (sets.empty() || (sets.size() == 1 && sets[0].size() == node.groups.size())) &&
         node.grouping_calls.empty();
}

// EXISTS (SELECT …) without correlation: counts the rows below a LIMIT.
bool CountsLimited(const Node& node) {
  const Node& limit = *node.children[0];
  return node.groups.empty() && IsPlain(node) && limit.op == Op::kLimit && limit.limit.IsInt() &&
         limit.offset.IsNull() && std::all_of(node.exprs.begin(), node.exprs.end(), [](const Expr& expr) {
           return expr.name == "count_star" && expr.filter.empty();
         });
}

}  // namespace

Result<Part> CircuitPlanner::Group(const Node& node, const Node* finish) {
  if (CountsLimited(node)) {
    const Node& limit = *node.children[0];
    QN_GET(Part part, Visit(*limit.children[0]));
    QN_GET(part, PlanGrouping(builder_, GroupingOf(node, {}, std::move(part))));
    std::vector<Expr> out;
    for (const Field& column : node.columns) {
      Expr most = NumberExpr(limit.limit.Int(), TypeId::kBigInt);
      out.push_back(CallExpr("least", {ColumnExpr(out.size(), column.type), std::move(most)}, column.type));
    }
    return Project(std::move(part), std::move(out), node.columns);
  }
  std::vector<Expr> aggregates = node.exprs;
  // list(x) FROM (SELECT … ORDER BY y): the order that the rows come in becomes the aggregate's own.
  Ordered below;
  if (std::any_of(aggregates.begin(), aggregates.end(), AsksForOrder)) {
    QN_GET(below, VisitOrdered(*node.children[0]));
  } else {
    QN_GET(below.part, Visit(*node.children[0]));
  }
  for (Expr& aggregate : aggregates) {
    if (AsksForOrder(aggregate)) aggregate.orders = below.orders;
  }
  if (!IsPlain(node)) return GroupSets(node, aggregates, below.part);
  std::vector<size_t> all;
  for (size_t i = 0; i < node.groups.size(); ++i) all.push_back(i);
  Grouping grouping = GroupingOf(node, all, std::move(below.part));
  grouping.aggregates = std::move(aggregates);
  std::copy_n(node.needed.begin(), all.size(), grouping.needed.begin());
  if (finish != nullptr) {
    grouping.finish = finish->exprs;
    grouping.finish_columns = finish->columns;
  }
  return PlanGrouping(builder_, std::move(grouping));
}

// One answer a set, with NULL for the groups that are not in it.
Result<Part> CircuitPlanner::GroupSets(const Node& node, const std::vector<Expr>& aggregates,
                                       const Part& below) {
  const size_t groups = node.groups.size();
  std::vector<Part> answers;
  for (const std::vector<size_t>& set : node.grouping_sets) {
    std::vector<Expr> out;
    for (const Field& column : node.columns) out.push_back(NullExpr(column.type));
    size_t at = 0;
    for (const size_t group : set) out[group] = ColumnExpr(at++, node.columns[group].type);
    for (size_t i = groups; i < groups + node.exprs.size(); ++i)
      out[i] = ColumnExpr(at++, node.columns[i].type);
    for (size_t i = 0; i < node.grouping_calls.size(); ++i) {
      int64_t bits = 0;
      for (const size_t group : node.grouping_calls[i]) {
        bits = bits * 2 + (std::find(set.begin(), set.end(), group) != set.end() ? 0 : 1);
      }
      out[groups + node.exprs.size() + i] = NumberExpr(bits, TypeId::kBigInt);
    }
    Grouping grouping = GroupingOf(node, set, below.Copy());
    grouping.aggregates = aggregates;
    QN_GET(Part answer, PlanGrouping(builder_, std::move(grouping)));
    answers.push_back(Project(std::move(answer), std::move(out), node.columns));
  }
  return UnionAll(std::move(answers));
}

Result<Circuit> PlanCircuit(const Node& tree, const CircuitOptions& options) {
  const std::unique_ptr<Node> copy = PushConditions(Clone(tree));
  MarkNeeded(*copy);
  return CircuitPlanner(options).Plan(*copy);
}

}  // namespace qn::plan
