// The tree as text for people: one line an operator, children below it.
#include <algorithm>
#include <cctype>

#include "plan/analyse.h"
#include "plan/literal.h"
#include "plan/node.h"

namespace qn::plan {
namespace {

std::string Column(const Schema& columns, size_t index) {
  if (index >= columns.size()) return "#" + std::to_string(index);
  return columns[index].name.empty() ? "#" + std::to_string(index) : columns[index].name;
}

std::string List(const std::vector<Expr>& exprs, const Schema& columns, const char* between = ", ") {
  std::string out;
  for (const Expr& expr : exprs) out += (out.empty() ? "" : between) + Print(expr, columns);
  return out;
}

std::string Constant(const Expr& expr) {
  const Json& value = expr.value["value"];
  if (expr.value["is_null"].Bool()) return "NULL";
  if (value.IsInt() && expr.type.id != TypeId::kDecimal) return std::to_string(value.Int());
  Result<std::string> text = Literal(expr.value, expr.type);
  if (!text.ok()) return "<" + expr.type.ToSql() + ">";
  // CAST('2.5' AS DOUBLE) reads better as 2.5.
  std::string out = *text;
  if (out.rfind("CAST('", 0) == 0) out = out.substr(6, out.find("' AS ") - 6);
  return out;
}

// "lambda n: n + qty", with the captures that stand behind it among the call's arguments.
std::string LambdaText(const Expr& lambda, const Expr& call, size_t captures_from, const Schema& columns) {
  Schema inside;
  std::string names;
  for (const std::string& name : lambda.names) {
    inside.insert(inside.begin(), {name, {}, true, ""});
    names += (names.empty() ? "" : ", ") + name;
  }
  for (size_t i = captures_from; i < call.children.size(); ++i) {
    inside.push_back({Print(call.children[i], columns), {}, true, ""});
  }
  return "lambda " + names + ": " + Print(lambda.children[0], inside);
}

std::string Orders(const std::vector<OrderKey>& orders, const Schema& columns) {
  std::string out;
  for (const OrderKey& key : orders) {
    out += (out.empty() ? "" : ", ") + Print(key.expr, columns) + (key.is_descending ? " desc" : "");
  }
  return out;
}

std::string CallText(const Expr& expr, const Schema& columns) {
  if (expr.children.size() == 2 && std::isalpha(static_cast<unsigned char>(expr.name[0])) == 0) {
    return "(" + List(expr.children, columns, (" " + expr.name + " ").c_str()) + ")";
  }
  std::string out = expr.name + "(" + (expr.is_distinct ? "distinct " : "");
  size_t end = expr.children.size();
  for (size_t i = 0; i < end; ++i) {
    const Expr& child = expr.children[i];
    const bool is_lambda = child.kind == Expr::Kind::kLambda;
    if (is_lambda) end = std::min(end, i + 1 + expr.index);
    out += (i > 0 ? ", " : "") + (is_lambda ? LambdaText(child, expr, end, columns) : Print(child, columns));
  }
  const bool is_window = expr.kind == Expr::Kind::kWindow;
  const std::vector<OrderKey>& orders = is_window ? expr.arg_orders : expr.orders;
  if (!orders.empty()) out += " order by " + Orders(orders, columns);
  out += ")";
  if (!expr.filter.empty()) out += " where " + Print(expr.filter[0], columns);
  if (!is_window) return out;
  out += " over (";
  if (!expr.partitions.empty()) out += "partition by " + List(expr.partitions, columns);
  if (!expr.orders.empty())
    out += (expr.partitions.empty() ? "" : " ") + ("order by " + Orders(expr.orders, columns));
  return out + ")";
}

std::string CaseText(const Expr& expr, const Schema& columns) {
  std::string out = "case";
  for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    out += " when " + Print(expr.children[i], columns) + " then " + Print(expr.children[i + 1], columns);
  }
  return out + " else " + Print(expr.children.back(), columns) + " end";
}

// A projection's items: new names are shown, columns handed on under their own name are not repeated.
std::string Items(const Node& node) {
  const Schema& columns = node.children[0]->columns;
  std::string out;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    if (i < node.needed.size() && !node.needed[i]) continue;
    const std::string text = Print(node.exprs[i], columns);
    const std::string& name = node.columns[i].name;
    out += (out.empty() ? "" : ", ") + text;
    if (!name.empty() && name != text) out += " as " + name;
  }
  return out;
}

std::string JoinText(const Node& node) {
  const Schema& left = node.children[0]->columns;
  const Schema& right = node.children[1]->columns;
  Schema both = left;
  both.insert(both.end(), right.begin(), right.end());
  std::string out;
  for (const JoinKey& key : node.keys) {
    out += out.empty() ? "" : " and ";
    if (key.compare.empty()) {
      out += Print(key.left, both);
    } else {
      out += Print(key.left, left) + " " + key.compare + " " + Print(key.right, right);
    }
  }
  std::string word;
  for (const char c : node.join) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word + (node.is_asof ? " asof" : "") + (out.empty() ? "" : " on " + out);
}

std::string NeededNames(const Node& node) {
  std::string out;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    if (i < node.needed.size() && !node.needed[i]) continue;
    out += (out.empty() ? "" : ", ") + Column(node.columns, i);
  }
  return out;
}

std::string AggregateText(const Node& node) {
  const Schema& columns = node.children[0]->columns;
  std::string out = node.groups.empty() ? "" : " by " + List(node.groups, columns);
  if (!node.exprs.empty()) out += ": " + List(node.exprs, columns);
  return out;
}

std::string Line(const Node& node) {
  const Schema none;
  const Schema& columns = node.children.empty() ? none : node.children[0]->columns;
  switch (node.op) {
    case Op::kScan:
      return "Scan " + node.input + (NeededNames(node).empty() ? "" : ": " + NeededNames(node));
    case Op::kTableFunction:
      return "Table function " + node.name;
    case Op::kProject:
      return "Project " + Items(node);
    case Op::kFilter:
      return "Filter " + List(node.exprs, columns, " and ");
    case Op::kUnnest:
      return "Unnest " + List(node.exprs, columns);
    case Op::kUnionAll:
      return "Union all";
    case Op::kJoin:
      return "Join " + JoinText(node);
    case Op::kAggregate:
      return "Aggregate" + AggregateText(node);
    case Op::kWindow:
      return "Window " + List(node.exprs, columns);
    case Op::kOrder:
      return "Order by " + Orders(node.orders, columns);
    case Op::kDistinct:
      return node.groups.empty() ? "Distinct" : "Distinct on " + List(node.groups, columns);
    case Op::kValues:
      return "Values, " + std::to_string(node.rows.size()) + " rows";
    case Op::kCte:
      return "With " + node.name + " #" + std::to_string(node.cte);
    case Op::kRecursive:
      return "Recursive " + node.name + " #" + std::to_string(node.cte);
    case Op::kLimit:
      return "Limit" + (node.limit.IsNull() ? "" : " " + LimitText(node)) +
             (node.offset.IsNull() ? "" : " offset " + std::to_string(node.offset.Uint()));
    case Op::kCteRef:
      return "Read #" + std::to_string(node.cte);
    default:
      return node.name;
  }
}

void Tree(const Node& node, size_t depth, std::string& out) {
  if (IsDeadWindow(node)) return Tree(*node.children[0], depth, out);
  out += std::string(depth * 2, ' ') + Line(node) + "\n";
  for (const auto& child : node.children) Tree(*child, depth + 1, out);
}

}  // namespace

std::string Print(const Expr& expr, const Schema& columns) {
  using Kind = Expr::Kind;
  switch (expr.kind) {
    case Kind::kColumn:
      return Column(columns, expr.index);
    case Kind::kConstant:
      return Constant(expr);
    case Kind::kCast:
      return Print(expr.children[0], columns) + (expr.is_try ? "::try " : "::") + expr.type.ToSql();
    case Kind::kCall:
    case Kind::kAggregate:
    case Kind::kWindow:
      return CallText(expr, columns);
    case Kind::kCompare:
      return "(" + List(expr.children, columns, (" " + expr.name + " ").c_str()) + ")";
    case Kind::kBetween:
      return "between(" + List(expr.children, columns) + ")";
    case Kind::kAnd:
      return "(" + List(expr.children, columns, " and ") + ")";
    case Kind::kOr:
      return "(" + List(expr.children, columns, " or ") + ")";
    case Kind::kNot:
      return "not " + List(expr.children, columns);
    case Kind::kIsNull:
      return List(expr.children, columns) + " is null";
    case Kind::kIsNotNull:
      return List(expr.children, columns) + " is not null";
    case Kind::kIn:
      return "in(" + List(expr.children, columns) + ")";
    case Kind::kNotIn:
      return "not in(" + List(expr.children, columns) + ")";
    case Kind::kCoalesce:
      return "coalesce(" + List(expr.children, columns) + ")";
    case Kind::kTry:
      return "try(" + List(expr.children, columns) + ")";
    case Kind::kCase:
      return CaseText(expr, columns);
    case Kind::kUnnest:
      return "unnest(" + List(expr.children, columns) + ")";
    case Kind::kLambda:
    case Kind::kUnknown:
      break;
  }
  return "<" + expr.name + ">";
}

std::string LimitText(const Node& node) { return node.limit.Dump() + (node.limit.IsInt() ? "" : "%"); }

std::string Print(const Node& node) {
  std::string out;
  Tree(node, 0, out);
  return out;
}

}  // namespace qn::plan
