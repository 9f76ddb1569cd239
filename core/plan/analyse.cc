// Column needs, memory needs and volatile calls of a tree.
#include "plan/analyse.h"

#include <algorithm>
#include <map>

namespace qn::plan {
namespace {

// ---- needed columns ----

using Mask = std::vector<bool>;

void Use(const Expr& expr, Mask& mask) {
  if (expr.kind == Expr::Kind::kColumn) {
    if (expr.index < mask.size()) mask[expr.index] = true;
    return;
  }
  // A lambda's body counts its own parameters and captures; the captures stand beside it.
  if (expr.kind == Expr::Kind::kLambda) return;
  for (const auto* list : {&expr.children, &expr.filter, &expr.partitions, &expr.start, &expr.end}) {
    for (const Expr& child : *list) Use(child, mask);
  }
  for (const auto* list : {&expr.orders, &expr.arg_orders}) {
    for (const OrderKey& key : *list) Use(key.expr, mask);
  }
}

void Use(const std::vector<Expr>& exprs, Mask& mask) {
  for (const Expr& expr : exprs) Use(expr, mask);
}

void Use(const std::vector<OrderKey>& orders, Mask& mask) {
  for (const OrderKey& key : orders) Use(key.expr, mask);
}

class Marker {
 public:
  void Visit(Node& node, const Mask& needed);

 private:
  void Join(Node& node);
  void Narrow(Node& node, Mask& mask);

  std::map<uint64_t, Mask> cte_needs_;
};

void Or(Mask& mask, const Mask& other) {
  if (mask.size() < other.size()) mask.resize(other.size());
  for (size_t i = 0; i < other.size(); ++i) mask[i] = mask[i] || other[i];
}

Mask All(const Node& node) { return Mask(node.columns.size(), true); }
Mask None(const Node& node) { return Mask(node.columns.size(), false); }

void Marker::Join(Node& node) {
  Node& left = *node.children[0];
  Node& right = *node.children[1];
  Mask both(left.columns.size() + right.columns.size());
  Mask left_mask = None(left);
  Mask right_mask = None(right);
  for (const JoinKey& key : node.keys) {
    Use(key.left, key.compare.empty() ? both : left_mask);
    if (!key.compare.empty()) Use(key.right, right_mask);
  }
  const bool has_left = node.join != "RIGHT_SEMI" && node.join != "RIGHT_ANTI";
  const bool has_right = node.join != "SEMI" && node.join != "ANTI" && node.join != "MARK";
  size_t at = 0;
  for (size_t i = 0; has_left && i < (node.keep_left.empty() ? left.columns.size() : node.keep_left.size());
       ++i) {
    if (node.needed[at++]) left_mask[node.keep_left.empty() ? i : node.keep_left[i]] = true;
  }
  for (size_t i = 0;
       has_right && i < (node.keep_right.empty() ? right.columns.size() : node.keep_right.size()); ++i) {
    if (node.needed[at++]) right_mask[node.keep_right.empty() ? i : node.keep_right[i]] = true;
  }
  Or(left_mask, Mask(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(left.columns.size())));
  Or(right_mask, Mask(both.begin() + static_cast<std::ptrdiff_t>(left.columns.size()), both.end()));
  Visit(left, left_mask);
  Visit(right, right_mask);
}

// Operators with one child whose columns they pass on, some in front of new ones.
void Marker::Narrow(Node& node, Mask& mask) {
  const Mask& needed = node.needed;
  if (node.op == Op::kFilter && !node.keep.empty()) {
    for (size_t i = 0; i < node.keep.size(); ++i) {
      if (needed[i]) mask[node.keep[i]] = true;
    }
  } else if (node.op != Op::kProject && node.op != Op::kAggregate) {
    for (size_t i = 0; i < mask.size() && i < needed.size(); ++i) mask[i] = needed[i];
  }
  const size_t first_new = node.op == Op::kWindow || node.op == Op::kUnnest ? mask.size() : 0;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    const bool is_optional = node.op == Op::kProject || node.op == Op::kWindow;
    if (!is_optional || needed[first_new + i]) Use(node.exprs[i], mask);
  }
  Use(node.groups, mask);
  Use(node.orders, mask);
}

void Marker::Visit(Node& node, const Mask& needed) {
  node.needed = needed;
  node.needed.resize(node.columns.size());
  switch (node.op) {
    case Op::kJoin:
      return Join(node);
    case Op::kCteRef:
      return Or(cte_needs_[node.cte], node.needed);
    case Op::kScan:
    case Op::kValues:
    case Op::kEmpty:
    case Op::kOneRow:
      return;
    case Op::kCte: {
      Visit(*node.children[1], needed);
      Mask mask = None(*node.children[0]);
      Or(mask, cte_needs_[node.cte]);
      return Visit(*node.children[0], mask);
    }
    case Op::kCross: {
      const auto split = node.needed.begin() + static_cast<std::ptrdiff_t>(node.children[0]->columns.size());
      const Mask left(node.needed.begin(), split);
      const Mask right(split, node.needed.end());
      Visit(*node.children[0], left);
      return Visit(*node.children[1], right);
    }
    case Op::kUnionAll:
      for (auto& child : node.children) Visit(*child, node.needed);
      return;
    case Op::kProject:
    case Op::kFilter:
    case Op::kUnnest:
    case Op::kAggregate:
    case Op::kWindow:
    case Op::kOrder:
    case Op::kLimit: {
      Mask mask = None(*node.children[0]);
      Narrow(node, mask);
      return Visit(*node.children[0], mask);
    }
    default:
      // DISTINCT, EXCEPT and whatever we do not know look at whole rows.
      node.needed = All(node);
      for (auto& child : node.children) Visit(*child, All(*child));
  }
}

// ---- memory ----

// What a subtree's rows depend on.
enum class Flow : uint8_t {
  kBounded,  // inputs that are whole from the start
  kPerRow,   // one row of a stream at a time: the inside of a correlated subquery, which DuckDB computes for
             // all outer rows at once, but keeps apart by their keys
  kStream,
};

class MemoryFinder {
 public:
  explicit MemoryFinder(const IsStream& is_stream) : is_stream_(is_stream) {}
  Flow Visit(const Node& node);
  std::vector<MemoryNeed> needs;

 private:
  Flow Join(const Node& node);
  Flow Union(const Node& node);
  Flow Single(const Node& node);
  void Need(const Node& node, std::string what);

  const IsStream& is_stream_;
  std::map<uint64_t, Flow> ctes_;
  std::map<uint64_t, std::vector<std::string>> cte_streams_;
};

void MemoryFinder::Need(const Node& node, std::string what) {
  MemoryNeed need;
  need.what = std::move(what);
  std::string text = Print(node);
  need.node = text.substr(0, text.find('\n'));
  for (const std::string& input : InputsOf(node)) {
    if (is_stream_(input)) need.streams.push_back(input);
  }
  std::function<void(const Node&)> add_ctes = [&](const Node& at) {
    if (at.op == Op::kCteRef) {
      for (const std::string& stream : cte_streams_[at.cte]) need.streams.push_back(stream);
    }
    for (const auto& child : at.children) add_ctes(*child);
  };
  add_ctes(node);
  std::sort(need.streams.begin(), need.streams.end());
  need.streams.erase(std::unique(need.streams.begin(), need.streams.end()), need.streams.end());
  needs.push_back(std::move(need));
}

Flow MemoryFinder::Join(const Node& node) {
  const Flow left = Visit(*node.children[0]);
  const Flow right = Visit(*node.children[1]);
  const Flow both = std::max(left, right);
  if (both != Flow::kStream) return both;
  if (left == Flow::kStream && right == Flow::kStream) {
    const bool is_same = node.join == "POSITIONAL";
    Need(node, is_same ? "a positional join" : "a join of streams");
    return both;
  }
  const bool stream_left = left == Flow::kStream;
  const std::string& join = node.join;
  const bool fits = node.op == Op::kCross || join == "INNER" ||
                    (stream_left && (join == "LEFT" || join == "SEMI" || join == "ANTI" || join == "MARK" ||
                                     join == "SINGLE")) ||
                    (!stream_left && join == "RIGHT" && !node.is_asof);
  if (node.is_asof && !stream_left) {
    Need(node, "an ASOF join that looks up rows of a stream");
  } else if (!fits && (join == "LEFT" || join == "RIGHT" || join == "FULL" || join == "OUTER")) {
    Need(node, "an outer join that keeps unmatched rows of the bounded side");
  } else if (!fits) {
    Need(node, "a subquery over a stream");
  }
  return both;
}

bool IsEmpty(const Node& node) {
  return node.op == Op::kEmpty ||
         (node.children.size() == 1 && node.op != Op::kAggregate && IsEmpty(*node.children[0]));
}

Flow MemoryFinder::Union(const Node& node) {
  Flow out = Flow::kBounded;
  bool has_bounded = false;
  for (const auto& child : node.children) {
    const Flow flow = Visit(*child);
    out = std::max(out, flow);
    has_bounded = has_bounded || (flow == Flow::kBounded && !IsEmpty(*child));
  }
  // They would be appended again in every step.
  if (out == Flow::kStream && has_bounded) Need(node, kBoundedBesideStream);
  return out;
}

// DuckDB's own name of the rows that a correlated subquery runs for.
bool IsOuterRows(const Node& node) {
  return node.op == Op::kAggregate && node.exprs.empty() && node.children[0]->op == Op::kCteRef &&
         !node.children[0]->columns.empty() &&
         node.children[0]->columns[0].name.rfind("__duckdb_delim_", 0) == 0;
}

const char* DistinctWord(const Node& node) {
  if (!node.groups.empty()) return "DISTINCT ON";
  return node.children[0]->op == Op::kUnionAll ? "UNION without ALL" : "DISTINCT";
}

Flow MemoryFinder::Single(const Node& node) {
  const Flow flow = Visit(*node.children[0]);
  if (flow != Flow::kStream) return flow;
  if (IsOuterRows(node)) return Flow::kPerRow;
  switch (node.op) {
    case Op::kAggregate:
      Need(node, node.exprs.empty() ? "GROUP BY" : "an aggregate");
      break;
    case Op::kWindow:
      if (!IsDeadWindow(node) && !IsRowTag(node)) Need(node, "a window function");
      break;
    case Op::kOrder:
      Need(node, "ORDER BY");
      break;
    case Op::kLimit:
      Need(node, "LIMIT");
      break;
    case Op::kDistinct:
      Need(node, DistinctWord(node));
      break;
    case Op::kOther:
      Need(node, node.name);
      break;
    default:
      break;
  }
  return flow;
}

Flow MemoryFinder::Visit(const Node& node) {
  switch (node.op) {
    case Op::kScan:
      return is_stream_(node.input) ? Flow::kStream : Flow::kBounded;
    case Op::kCteRef:
      return ctes_[node.cte];
    case Op::kCte:
      ctes_[node.cte] = Visit(*node.children[0]);
      for (const std::string& input : InputsOf(*node.children[0])) {
        if (is_stream_(input)) cte_streams_[node.cte].push_back(input);
      }
      return Visit(*node.children[1]);
    case Op::kJoin:
    case Op::kCross:
      return Join(node);
    case Op::kUnionAll:
      return Union(node);
    default:
      break;
  }
  if (node.children.size() == 1) return Single(node);
  Flow out = Flow::kBounded;
  for (const auto& child : node.children) out = std::max(out, Visit(*child));
  if (out == Flow::kStream) Need(node, node.op == Op::kRecursive ? "a recursive CTE" : node.name);
  return out;
}

void CollectInputs(const Node& node, std::vector<std::string>& out) {
  if (node.op == Op::kScan && std::find(out.begin(), out.end(), node.input) == out.end())
    out.push_back(node.input);
  for (const auto& child : node.children) CollectInputs(*child, out);
}

// ---- calls ----

void CollectCalls(const Expr& expr, const std::set<std::string>& names, std::vector<std::string>& out) {
  const bool is_call = expr.kind == Expr::Kind::kCall || expr.kind == Expr::Kind::kAggregate;
  if (is_call && names.count(expr.name) > 0 && std::find(out.begin(), out.end(), expr.name) == out.end()) {
    out.push_back(expr.name);
  }
  for (const auto* list : {&expr.children, &expr.filter, &expr.partitions, &expr.start, &expr.end}) {
    for (const Expr& child : *list) CollectCalls(child, names, out);
  }
  for (const auto* list : {&expr.orders, &expr.arg_orders}) {
    for (const OrderKey& key : *list) CollectCalls(key.expr, names, out);
  }
}

void CollectCalls(const Node& node, const std::set<std::string>& names, std::vector<std::string>& out) {
  for (const auto* list : {&node.exprs, &node.groups}) {
    for (const Expr& expr : *list) CollectCalls(expr, names, out);
  }
  for (const JoinKey& key : node.keys) {
    CollectCalls(key.left, names, out);
    if (!key.compare.empty()) CollectCalls(key.right, names, out);
  }
  for (const OrderKey& key : node.orders) CollectCalls(key.expr, names, out);
  for (const auto& row : node.rows) {
    for (const Expr& expr : row) CollectCalls(expr, names, out);
  }
  for (const auto& child : node.children) CollectCalls(*child, names, out);
}

}  // namespace

void MarkNeeded(Node& root) { Marker().Visit(root, All(root)); }

bool IsDeadWindow(const Node& node) {
  if (node.op != Op::kWindow || node.needed.size() != node.columns.size()) return false;
  const size_t first = node.columns.size() - node.exprs.size();
  return std::none_of(node.needed.begin() + static_cast<std::ptrdiff_t>(first), node.needed.end(),
                      [](bool is_needed) { return is_needed; });
}

// Compile refuses statements that mention the name.
bool IsRowTag(const Node& node) {
  if (node.op != Op::kWindow) return false;
  for (const Expr& expr : node.exprs) {
    if (expr.name != "row_number" || expr.alias != "limit_rownum" || !expr.partitions.empty() ||
        !expr.orders.empty()) {
      return false;
    }
  }
  return true;
}

std::vector<std::string> InputsOf(const Node& root) {
  std::vector<std::string> out;
  CollectInputs(root, out);
  return out;
}

std::vector<MemoryNeed> FindMemoryNeeds(const Node& root, const IsStream& is_stream) {
  MemoryFinder finder(is_stream);
  finder.Visit(root);
  return std::move(finder.needs);
}

std::vector<std::string> FindCalls(const Node& root, const std::set<std::string>& names) {
  std::vector<std::string> out;
  CollectCalls(root, names, out);
  return out;
}

}  // namespace qn::plan
