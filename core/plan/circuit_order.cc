// The order that rows come in. A table has none, and steps bring rows in any; so where an answer depends on
// it and an ORDER BY stands below, that goes with the rows to where it is asked for.
#include <algorithm>
#include <array>

#include "plan/circuit_planner.h"

namespace qn::plan {
namespace {

// Operators that hand rows on as they come.
bool KeepsOrder(const Node& node) {
  return node.op == Op::kProject || node.op == Op::kFilter || node.op == Op::kLimit;
}

// The expression over what a projection gives, where that has all columns that it reads.
std::optional<Expr> Above(Expr expr, const std::vector<Expr>& exprs) {
  bool has_all = true;
  ForColumns(expr, [&](Expr& column) {
    const auto found = std::find_if(exprs.begin(), exprs.end(), [&column](const Expr& given) {
      return given.kind == Expr::Kind::kColumn && given.index == column.index;
    });
    has_all = has_all && found != exprs.end();
    if (has_all) column.index = static_cast<size_t>(found - exprs.begin());
  });
  return has_all ? std::optional<Expr>(std::move(expr)) : std::nullopt;
}

}  // namespace

bool HasOrder(const Node& node) {
  return node.op == Op::kOrder || (KeepsOrder(node) && HasOrder(*node.children[0]));
}

bool HidesOrder(const Node& node) {
  const bool is_passed = KeepsOrder(node) || node.op == Op::kUnnest || node.op == Op::kWindow;
  return node.op == Op::kOrder || (is_passed && HidesOrder(*node.children[0]));
}

bool AsksForOrder(const Expr& call) {
  static constexpr std::array kOrdered = {"list",  "array_agg",   "string_agg", "group_concat", "listagg",
                                          "first", "last",        "row_number", "ntile",        "lag",
                                          "lead",  "first_value", "last_value", "nth_value"};
  if (!call.orders.empty() || !call.arg_orders.empty() || call.is_distinct) return false;
  // A frame of so many rows before and after.
  const bool has_rows = call.frame_start.find("_ROWS") != std::string::npos ||
                        call.frame_end.find("_ROWS") != std::string::npos;
  return has_rows || std::find(kOrdered.begin(), kOrdered.end(), call.name) != kOrdered.end();
}

std::unique_ptr<Node> OrderNode(std::unique_ptr<Node> below, std::vector<OrderKey> orders) {
  auto out = MakeNode(Op::kOrder, "Order");
  out->columns = below->columns;
  out->orders = std::move(orders);
  out->children.push_back(std::move(below));
  return out;
}

Result<CircuitPlanner::Ordered> CircuitPlanner::VisitOrdered(const Node& node) {
  if (IsBounded(node) || !HasOrder(node)) {
    QN_GET(Part part, Visit(node));
    return Ordered{std::move(part), {}};
  }
  if (node.op == Op::kOrder) {
    QN_GET(Part part, Visit(*node.children[0]));
    return Ordered{std::move(part), node.orders};
  }
  if (node.op == Op::kLimit) return Limit(node, true);
  QN_GET(Ordered out, VisitOrdered(*node.children[0]));
  std::vector<Expr> exprs = node.exprs;
  if (node.op == Op::kFilter) {
    out.part = Filter(std::move(out.part), node.exprs);
    exprs.clear();
    for (size_t i = 0; i < node.columns.size(); ++i) {
      exprs.push_back(ColumnExpr(node.keep.empty() ? i : node.keep[i], node.columns[i].type));
    }
  }
  Schema columns = node.columns;
  for (OrderKey& key : out.orders) {
    std::optional<Expr> moved = Above(key.expr, exprs);
    if (!moved.has_value()) {
      moved = ColumnExpr(exprs.size(), key.expr.type);
      columns.push_back({"order", key.expr.type, true, ""});
      exprs.push_back(std::move(key.expr));
    }
    key.expr = std::move(*moved);
  }
  out.part = Project(std::move(out.part), std::move(exprs), std::move(columns));
  return out;
}

}  // namespace qn::plan
