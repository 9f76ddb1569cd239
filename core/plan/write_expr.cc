// Expressions as SQL. Every cast of the plan is written out, so nothing is left to implicit rules when the
// text is bound again.
#include "plan/write_expr.h"

#include <array>
#include <string_view>

#include "plan/decimal.h"
#include "plan/literal.h"

namespace qn::plan {
namespace {

using Columns = std::vector<std::string>;

Status Refuse(const std::string& what) {
  return Invalid("QN-1208", "'" + what + "' cannot be carried into a fragment.");
}

class ExprWriter {
 public:
  explicit ExprWriter(int lambda_depth) : lambda_depth_(lambda_depth) {}

  Result<std::string> Write(const Expr& expr, const Columns& columns);
  Result<std::string> List(const std::vector<Expr>& exprs, const Columns& columns, const char* between);

 private:
  Result<std::string> Cast(const Expr& expr, const Columns& columns);
  Result<std::string> Call(const Expr& expr, const Columns& columns);
  Result<std::string> Lambda(const Expr& lambda, Columns captures);
  Result<std::string> Case(const Expr& expr, const Columns& columns);
  Result<std::string> In(const Expr& expr, const Columns& columns);
  Result<std::string> Between(const Expr& expr, const Columns& columns);

  int lambda_depth_;  // keeps parameter names of nested lambdas apart
};

Result<std::string> ExprWriter::List(const std::vector<Expr>& exprs, const Columns& columns,
                                     const char* between) {
  std::string out;
  for (size_t i = 0; i < exprs.size(); ++i) {
    QN_GET(std::string text, Write(exprs[i], columns));
    if (i > 0) out += between;
    out += text;
  }
  return out;
}

Result<std::string> ExprWriter::Cast(const Expr& expr, const Columns& columns) {
  if (expr.children.size() != 1) return Refuse("CAST");
  QN_GET(std::string text, Write(expr.children[0], columns));
  if (!IsSqlType(expr.type)) return Refuse("CAST to " + expr.type.ToSql());
  return (expr.is_try ? "TRY_CAST(" : "CAST(") + text + " AS " + expr.type.ToSql() + ")";
}

// Operators that SQL lets us write between their operands, in parentheses; all others are called by name.
bool IsInfix(const Expr& expr) {
  static constexpr std::array<std::string_view, 6> kInfix = {"+", "-", "*", "/", "%", "||"};
  if (expr.children.size() != 2) return false;
  for (const std::string_view name : kInfix) {
    if (expr.name == name) return true;
  }
  return false;
}

size_t FindLambda(const Expr& call) {
  for (size_t i = 0; i < call.children.size(); ++i) {
    if (call.children[i].kind == Expr::Kind::kLambda) return i;
  }
  return call.children.size();
}

Result<std::string> ExprWriter::Call(const Expr& expr, const Columns& columns) {
  // DuckDB's inner functions (compression, aggregate state) have no meaning outside the plan they were made
  // for.
  if (expr.name.rfind("__", 0) == 0) return Refuse(expr.name);
  if (IsInfix(expr)) {
    const LeaveOut casts = DecimalCastsToLeaveOut(expr);
    const Expr& first = expr.children[0];
    const Expr& second = expr.children[1];
    QN_GET(std::string left, Write(casts.first ? first.children[0] : first, columns));
    QN_GET(std::string right, Write(casts.second ? second.children[0] : second, columns));
    return "(" + left + " " + expr.name + " " + right + ")";
  }
  const size_t lambda = FindLambda(expr);
  const size_t arguments = lambda == expr.children.size() ? lambda : lambda + 1 + expr.index;
  if (arguments > expr.children.size() || expr.names.size() > arguments) return Refuse(expr.name);
  std::string out = QuoteName(expr.name) + "(";
  for (size_t i = 0; i < arguments; ++i) {
    if (i > 0) out += ", ";
    const size_t named_from = arguments - expr.names.size();
    if (i >= named_from) out += QuoteName(expr.names[i - named_from]) + " := ";
    if (i == lambda) {
      Columns captures;
      for (size_t c = arguments; c < expr.children.size(); ++c) {
        QN_GET(std::string capture, Write(expr.children[c], columns));
        captures.push_back(std::move(capture));
      }
      QN_GET(std::string text, Lambda(expr.children[i], std::move(captures)));
      out += text;
      continue;
    }
    QN_GET(std::string text, Write(expr.children[i], columns));
    out += text;
  }
  return out + ")";
}

Result<std::string> ExprWriter::Lambda(const Expr& lambda, Columns captures) {
  std::string names;
  Columns inside;
  for (size_t i = 0; i < lambda.names.size(); ++i) {
    const std::string name = "p" + std::to_string(lambda_depth_) + "_" + std::to_string(i);
    names += (i > 0 ? ", " : "") + name;
    inside.insert(inside.begin(), name);  // the plan counts parameters backwards
  }
  inside.insert(inside.end(), captures.begin(), captures.end());
  ++lambda_depth_;
  Result<std::string> body = Write(lambda.children[0], inside);
  --lambda_depth_;
  if (!body.ok()) return body.status();
  return "lambda " + names + ": " + *body;
}

Result<std::string> ExprWriter::Case(const Expr& expr, const Columns& columns) {
  std::string out = "CASE";
  for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    QN_GET(std::string when, Write(expr.children[i], columns));
    QN_GET(std::string then, Write(expr.children[i + 1], columns));
    out += " WHEN " + when + " THEN " + then;
  }
  QN_GET(std::string otherwise, Write(expr.children.back(), columns));
  return out + " ELSE " + otherwise + " END";
}

Result<std::string> ExprWriter::In(const Expr& expr, const Columns& columns) {
  if (expr.children.size() < 2) return Refuse("IN");
  QN_GET(std::string needle, Write(expr.children[0], columns));
  const std::vector<Expr> rest(expr.children.begin() + 1, expr.children.end());
  QN_GET(std::string list, List(rest, columns, ", "));
  return "(" + needle + (expr.kind == Expr::Kind::kIn ? " IN (" : " NOT IN (") + list + "))";
}

Result<std::string> ExprWriter::Between(const Expr& expr, const Columns& columns) {
  QN_GET(std::string value, Write(expr.children[0], columns));
  QN_GET(std::string low, Write(expr.children[1], columns));
  QN_GET(std::string high, Write(expr.children[2], columns));
  return "(" + value + " BETWEEN " + low + " AND " + high + ")";
}

Result<std::string> ExprWriter::Write(const Expr& expr, const Columns& columns) {
  using Kind = Expr::Kind;
  const auto wrapped = [&](const char* before, const char* between,
                           const char* after) -> Result<std::string> {
    QN_GET(std::string list, List(expr.children, columns, between));
    return before + list + after;
  };
  switch (expr.kind) {
    case Kind::kColumn:
      if (expr.index >= columns.size()) return Refuse("column " + std::to_string(expr.index));
      if (columns[expr.index].empty()) return Refuse("rowid");
      return columns[expr.index];
    case Kind::kConstant:
      return Literal(expr.value, expr.type);
    case Kind::kCast:
      return Cast(expr, columns);
    case Kind::kCall:
      return Call(expr, columns);
    case Kind::kCompare:
      return wrapped("(", (" " + expr.name + " ").c_str(), ")");
    case Kind::kBetween:
      return Between(expr, columns);
    case Kind::kAnd:
      return wrapped("(", " AND ", ")");
    case Kind::kOr:
      return wrapped("(", " OR ", ")");
    case Kind::kNot:
      return wrapped("(NOT ", "", ")");
    case Kind::kIsNull:
      return wrapped("(", "", " IS NULL)");
    case Kind::kIsNotNull:
      return wrapped("(", "", " IS NOT NULL)");
    case Kind::kIn:
    case Kind::kNotIn:
      return In(expr, columns);
    case Kind::kCoalesce:
      return wrapped("COALESCE(", ", ", ")");
    case Kind::kTry:
      return wrapped("TRY(", "", ")");
    case Kind::kCase:
      return Case(expr, columns);
    case Kind::kLambda:
    case Kind::kUnnest:
    case Kind::kAggregate:
    case Kind::kWindow:
    case Kind::kUnknown:
      break;
  }
  return Refuse(expr.name);
}

// DuckDB's names of a frame's bounds: UNBOUNDED_PRECEDING, CURRENT_ROW_RANGE, EXPR_FOLLOWING_ROWS …
struct Bound {
  std::string unit;  // ROWS, RANGE, GROUPS; empty: any
  std::string text;
};

// The binder makes "RANGE x PRECEDING" the value of the key at which the frame begins: key - x. This is x.
Result<std::string> RangeOffset(const Expr& window, const Expr& bound, const Columns& columns) {
  const auto without_casts = [](const Expr* expr) {
    while (expr->kind == Expr::Kind::kCast) expr = expr->children.data();
    return expr;
  };
  const Expr* value = without_casts(&bound);
  const bool is_sum = value->kind == Expr::Kind::kCall && value->children.size() == 2 &&
                      window.orders.size() == 1 && (value->name == "+" || value->name == "-");
  if (!is_sum) return Refuse("window bound");
  QN_GET(const std::string key, WriteExpr(*without_casts(&window.orders[0].expr), columns));
  QN_GET(const std::string first, WriteExpr(*without_casts(value->children.data()), columns));
  if (key != first) return Refuse("window bound");
  return WriteExpr(*without_casts(&value->children[1]), columns);
}

Result<Bound> ReadBound(const Expr& window, const std::string& name, const std::vector<Expr>& exprs,
                        const Columns& columns) {
  Bound out;
  const auto ends = [&name](std::string_view end) {
    return name.size() >= end.size() && std::string_view(name).substr(name.size() - end.size()) == end;
  };
  for (const char* unit : {"ROWS", "RANGE", "GROUPS"}) {
    if (ends(std::string("_") + unit)) out.unit = unit;
  }
  if (name == "UNBOUNDED_PRECEDING" || name == "UNBOUNDED_FOLLOWING") {
    out.text = name == "UNBOUNDED_PRECEDING" ? "UNBOUNDED PRECEDING" : "UNBOUNDED FOLLOWING";
  } else if (name.rfind("CURRENT_ROW_", 0) == 0 && !out.unit.empty()) {
    out.text = "CURRENT ROW";
  } else if (name.rfind("EXPR_", 0) == 0 && !out.unit.empty() && exprs.size() == 1) {
    QN_GET(std::string expr,
           out.unit == "RANGE" ? RangeOffset(window, exprs[0], columns) : WriteExpr(exprs[0], columns));
    out.text = expr + (name.rfind("EXPR_PRECEDING", 0) == 0 ? " PRECEDING" : " FOLLOWING");
  } else {
    return Refuse("window bound " + name);
  }
  return out;
}

Result<std::string> WriteFrame(const Expr& expr, const Columns& columns) {
  QN_GET(Bound start, ReadBound(expr, expr.frame_start, expr.start, columns));
  QN_GET(Bound end, ReadBound(expr, expr.frame_end, expr.end, columns));
  const std::string unit = !start.unit.empty() ? start.unit : (end.unit.empty() ? "ROWS" : end.unit);
  if (!end.unit.empty() && end.unit != unit) return Refuse("window frame");
  std::string out = unit + " BETWEEN " + start.text + " AND " + end.text;
  if (expr.exclude.empty() || expr.exclude == "NO_OTHER") return out;
  if (expr.exclude == "CURRENT_ROW") return out + " EXCLUDE CURRENT ROW";
  if (expr.exclude == "GROUP" || expr.exclude == "TIES") return out + " EXCLUDE " + expr.exclude;
  return Refuse("EXCLUDE " + expr.exclude);
}

Result<std::string> CallText(const Expr& expr, const std::vector<OrderKey>& orders, const Columns& columns) {
  ExprWriter writer(0);
  QN_GET(std::string arguments, writer.List(expr.children, columns, ", "));
  std::string out = QuoteName(expr.name) + "(" + (expr.is_distinct ? "DISTINCT " : "") + arguments;
  if (!orders.empty()) {
    QN_GET(std::string order, WriteOrders(orders, columns));
    out += " ORDER BY " + order;
  }
  out += expr.ignore_nulls ? " IGNORE NULLS)" : ")";
  if (!expr.filter.empty()) {
    QN_GET(std::string filter, WriteExpr(expr.filter[0], columns));
    out += " FILTER (WHERE " + filter + ")";
  }
  return out;
}

}  // namespace

Result<std::string> WriteExpr(const Expr& expr, const std::vector<std::string>& columns) {
  return ExprWriter(0).Write(expr, columns);
}

Result<std::string> WriteOrders(const std::vector<OrderKey>& orders,
                                const std::vector<std::string>& columns) {
  std::string out;
  for (const OrderKey& key : orders) {
    QN_GET(std::string text, WriteExpr(key.expr, columns));
    // A bare number would be the position of a column.
    if (key.expr.kind == Expr::Kind::kConstant) text = CastSql(text, key.expr.type);
    if (!out.empty()) out += ", ";
    out += text + (key.is_descending ? " DESC" : " ASC") + (key.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  }
  return out;
}

Result<std::string> WriteAggregate(const Expr& expr, const std::vector<std::string>& columns) {
  if (expr.kind != Expr::Kind::kAggregate) return Refuse(expr.name);
  return CallText(expr, expr.orders, columns);
}

Result<std::string> WriteWindow(const Expr& expr, const std::vector<std::string>& columns) {
  if (expr.kind != Expr::Kind::kWindow) return Refuse(expr.name);
  QN_GET(std::string call, CallText(expr, expr.arg_orders, columns));
  std::string over;
  if (!expr.partitions.empty()) {
    QN_GET(std::string partitions, ExprWriter(0).List(expr.partitions, columns, ", "));
    over = "PARTITION BY " + partitions + " ";
  }
  if (!expr.orders.empty()) {
    QN_GET(std::string orders, WriteOrders(expr.orders, columns));
    over += "ORDER BY " + orders + " ";
  }
  QN_GET(std::string frame, WriteFrame(expr, columns));
  return call + " OVER (" + over + frame + ")";
}

}  // namespace qn::plan
