// The walk over the tree: what is linear stays together, what remembers becomes an operator.
#include "plan/circuit_planner.h"

#include <algorithm>

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

Result<Circuit> CircuitPlanner::Plan(const Node& tree) {
  const std::vector<std::string> calls = FindCalls(tree, VolatileFunctions());
  if (!calls.empty()) {
    return CannotFollow("'" + calls[0] + "'", "it answers differently every time, also for rows of old.");
  }
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
  return builder_.Once(std::move(part));
}

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
    case Op::kTableFunction:
    case Op::kProject:
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
      return Window(node, {}, node.needed);
    case Op::kOrder:
      return Visit(*node.children[0]);  // a table has no order
    case Op::kLimit:
      return Limit(node);
    case Op::kDistinct:
      if (!node.groups.empty()) return DistinctOn(node);
      {
        QN_GET(Part part, Visit(*node.children[0]));
        return builder_.Distinct(std::move(part), "DISTINCT");
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
  std::vector<Part> parts;
  for (const auto& child : node.children) {
    QN_GET(Part part, Visit(*child));
    QN_GET(part, ToStream(std::move(part)));
    parts.push_back(std::move(part));
  }
  if (node.name == "UNION") {
    Part all = UnionAll(std::move(parts));
    return builder_.Distinct(std::move(all), "UNION");
  }
  const bool is_except = node.name.rfind("EXCEPT", 0) == 0;
  const bool is_all = node.name.find(" ALL") != std::string::npos;
  Part out = std::move(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    // A row that is there once, less or at most as often as on the right: once or not at all.
    if (!is_all) {
      QN_GET(out, builder_.Distinct(std::move(out), "DISTINCT, left of " + node.name));
    }
    QN_GET(out, builder_.Bag(std::move(out), std::move(parts[i]), is_except, node.name));
  }
  return out;
}

Result<Part> CircuitPlanner::Cte(const Node& node) {
  QN_GET(Part kept, Visit(*node.children[0]));
  if (kept.is_stream) {
    // Subqueries that DuckDB computes for all outer rows at once: linear as long as they read bounded inputs.
    auto whole = Shell(node);
    whole->children.push_back(Clone(*kept.tree));
    whole->children.push_back(Inlined(*node.children[1]));
    const auto is_stream = [this](const std::string& name) {
      return name[0] == '#' || options_.is_stream(name);
    };
    if (FindMemoryNeeds(*whole, is_stream).empty()) return AsItIs(std::move(whole));
  }
  ctes_[node.cte] = std::move(kept);
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

Result<Part> CircuitPlanner::Group(const Node& node) {
  QN_GET(Part part, Visit(*node.children[0]));
  const size_t groups = node.groups.size();
  const auto grouping = [&](Part below) {
    Grouping out;
    out.part = std::move(below);
    out.groups = node.groups;
    out.aggregates = node.exprs;
    const auto end = static_cast<std::ptrdiff_t>(groups + node.exprs.size());
    out.columns.assign(node.columns.begin(), node.columns.begin() + end);
    out.needed.assign(node.needed.begin(), node.needed.begin() + end);
    return out;
  };
  const auto& sets = node.grouping_sets;
  const bool is_plain =
      (sets.empty() || (sets.size() == 1 && sets[0].size() == groups)) && node.grouping_calls.empty();
  if (is_plain) return PlanGrouping(builder_, grouping(std::move(part)));
  // One answer a set, with NULL for the groups that are not in it.
  std::vector<Part> answers;
  for (const std::vector<size_t>& set : sets) {
    Grouping one = grouping(part.Copy());
    one.groups.clear();
    one.columns.erase(one.columns.begin(), one.columns.begin() + static_cast<std::ptrdiff_t>(groups));
    one.needed.erase(one.needed.begin(), one.needed.begin() + static_cast<std::ptrdiff_t>(groups));
    std::vector<Expr> out;
    for (size_t i = 0; i < node.columns.size(); ++i) out.push_back(NullExpr(node.columns[i].type));
    size_t at = 0;
    for (const size_t group : set) {
      one.groups.push_back(node.groups[group]);
      one.columns.insert(one.columns.begin() + static_cast<std::ptrdiff_t>(at), node.columns[group]);
      one.needed.insert(one.needed.begin() + static_cast<std::ptrdiff_t>(at), true);
      out[group] = ColumnExpr(at++, node.columns[group].type);
    }
    for (size_t i = 0; i < node.exprs.size(); ++i) {
      out[groups + i] = ColumnExpr(at + i, node.columns[groups + i].type);
    }
    for (size_t i = 0; i < node.grouping_calls.size(); ++i) {
      int64_t bits = 0;
      for (const size_t group : node.grouping_calls[i]) {
        const bool is_in = std::find(set.begin(), set.end(), group) != set.end();
        bits = bits * 2 + (is_in ? 0 : 1);
      }
      out[groups + node.exprs.size() + i] = NumberExpr(bits, TypeId::kBigInt);
    }
    QN_GET(Part answer, PlanGrouping(builder_, std::move(one)));
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
