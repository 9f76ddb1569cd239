// Expressions and parts for the circuit's planner.
#include "plan/circuit_part.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/check.h"
#include "plan/write_expr.h"

namespace qn::plan {

Expr ColumnExpr(size_t index, const Type& type) {
  Expr out;
  out.kind = Expr::Kind::kColumn;
  out.index = index;
  out.type = type;
  return out;
}

Expr ColumnExpr(const Schema& columns, size_t index) { return ColumnExpr(index, columns.at(index).type); }

std::vector<Expr> ColumnExprs(const Schema& columns) {
  std::vector<Expr> out;
  for (size_t i = 0; i < columns.size(); ++i) out.push_back(ColumnExpr(columns, i));
  return out;
}

namespace {

Expr ConstantExpr(Json value, const Type& type) {
  Expr out;
  out.kind = Expr::Kind::kConstant;
  out.type = type;
  out.value = std::move(value);
  return out;
}

}  // namespace

Expr NumberExpr(int64_t value, TypeId type) {
  return ConstantExpr(Json(Json::Object{{"is_null", false}, {"value", value}}), Type::Of(type));
}

Expr BoolExpr(bool value) {
  return ConstantExpr(Json(Json::Object{{"is_null", false}, {"value", value}}), Type::Of(TypeId::kBoolean));
}

Expr NullExpr(const Type& type) { return ConstantExpr(Json(Json::Object{{"is_null", true}}), type); }

Expr CastExpr(Expr expr, const Type& type) {
  if (expr.type == type) return expr;
  Expr out;
  out.kind = Expr::Kind::kCast;
  out.name = "CAST";
  out.type = type;
  out.children.push_back(std::move(expr));
  return out;
}

Expr CompareExpr(Expr left, const char* compare, Expr right) {
  Expr out;
  out.kind = Expr::Kind::kCompare;
  out.name = compare;
  out.type = Type::Of(TypeId::kBoolean);
  out.children.push_back(std::move(left));
  out.children.push_back(std::move(right));
  return out;
}

Expr CallExpr(const char* name, std::vector<Expr> arguments, const Type& type) {
  Expr out;
  out.kind = Expr::Kind::kCall;
  out.name = name;
  out.type = type;
  out.children = std::move(arguments);
  return out;
}

Expr CaseExpr(Expr when, Expr then, Expr otherwise) {
  Expr out;
  out.kind = Expr::Kind::kCase;
  out.type = then.type;
  out.children.push_back(std::move(when));
  out.children.push_back(std::move(then));
  out.children.push_back(std::move(otherwise));
  return out;
}

Expr LogicExpr(Expr::Kind kind, std::vector<Expr> children, const Type& type) {
  Expr out;
  out.kind = kind;
  out.type = type;
  out.children = std::move(children);
  return out;
}

void ForColumns(Expr& expr, const std::function<void(Expr& column)>& change) {
  if (expr.kind == Expr::Kind::kColumn) return change(expr);
  // A lambda's body counts its own parameters; what it captures stands beside it.
  if (expr.kind == Expr::Kind::kLambda) return;
  for (auto* list : {&expr.children, &expr.filter, &expr.partitions, &expr.start, &expr.end}) {
    for (Expr& child : *list) ForColumns(child, change);
  }
  for (auto* list : {&expr.orders, &expr.arg_orders}) {
    for (OrderKey& key : *list) ForColumns(key.expr, change);
  }
}

void ForColumns(const Expr& expr, const std::function<void(const Expr& column)>& see) {
  // Only looked at: the same walk serves both.
  ForColumns(const_cast<Expr&>(expr), [&see](Expr& column) { see(column); });
}

Expr Remapped(Expr expr, const std::vector<size_t>& map) {
  ForColumns(expr, [&map](Expr& column) { column.index = map.at(column.index); });
  return expr;
}

Expr Substituted(Expr expr, const std::vector<Expr>& columns) {
  ForColumns(expr, [&columns](Expr& column) {
    const size_t index = column.index;
    column = columns.at(index);
  });
  return expr;
}

Schema SchemaOf(const std::vector<Expr>& exprs, const Schema& below) {
  constexpr size_t kNameMax = 40;
  Schema out;
  for (const Expr& expr : exprs) {
    std::string name = expr.alias;
    if (expr.kind == Expr::Kind::kColumn && expr.index < below.size()) name = below[expr.index].name;
    if (name.empty()) name = Print(expr, below);
    if (name.size() > kNameMax) name.clear();
    out.push_back({name, expr.type, true, ""});
  }
  return out;
}

std::string ExprText(const Expr& expr) {
  size_t width = 0;
  ForColumns(expr, [&width](const Expr& column) { width = std::max(width, column.index + 1); });
  std::vector<std::string> columns;
  for (size_t i = 0; i < width; ++i) columns.push_back("#" + std::to_string(i));
  const Result<std::string> text = WriteExpr(expr, columns);
  return text.ok() ? *text : "";
}

bool IsStorable(const Type& type) {
  return type.id != TypeId::kOther && type.id != TypeId::kNull &&
         std::all_of(type.children.begin(), type.children.end(),
                     [](const Field& child) { return IsStorable(child.type); });
}

bool HasEqualForms(const Type& type) {
  return type.id == TypeId::kInterval ||
         std::any_of(type.children.begin(), type.children.end(),
                     [](const Field& child) { return HasEqualForms(child.type); });
}

bool HaveEqualForms(const std::vector<Expr>& exprs) {
  return std::any_of(exprs.begin(), exprs.end(), [](const Expr& expr) { return HasEqualForms(expr.type); });
}

void MakeNamesUnique(Schema& columns) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  std::set<std::string> seen = {"rowid"};
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string& name = columns[i].name;
    if (name.empty()) name = "column" + std::to_string(i);
    const std::string base = name;
    for (int n = 2; !seen.insert(lower(name)).second; ++n) name = base + "_" + std::to_string(n);
  }
}

std::unique_ptr<Node> MakeNode(Op op, const char* name) {
  auto out = std::make_unique<Node>();
  out->op = op;
  out->name = name;
  return out;
}

std::unique_ptr<Node> ScanNode(const std::string& input, const Schema& columns) {
  auto out = MakeNode(Op::kScan, "Scan");
  out->input = input;
  out->columns = columns;
  for (size_t i = 0; i < columns.size(); ++i) out->keep.push_back(i);
  return out;
}

void ForScans(Node& node, const std::function<void(Node& scan)>& change) {
  if (node.op == Op::kScan) return change(node);
  for (const auto& child : node.children) ForScans(*child, change);
}

namespace {

// Whether the expressions may take what they read from a projection instead of its result: nothing is
// computed twice then.
bool MayTake(const Node& project, const std::vector<Expr>& exprs) {
  std::vector<size_t> uses(project.exprs.size());
  for (const Expr& expr : exprs) {
    ForColumns(expr, [&uses](const Expr& column) { ++uses[column.index]; });
  }
  for (size_t i = 0; i < uses.size(); ++i) {
    const Expr::Kind kind = project.exprs[i].kind;
    if (uses[i] > 1 && kind != Expr::Kind::kColumn && kind != Expr::Kind::kConstant) return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<Node> ProjectNode(std::unique_ptr<Node> below, std::vector<Expr> exprs, Schema columns) {
  QN_CHECK(exprs.size() == columns.size());
  if (below->op == Op::kProject && MayTake(*below, exprs)) {
    for (Expr& expr : exprs) expr = Substituted(std::move(expr), below->exprs);
    std::unique_ptr<Node> child = std::move(below->children[0]);
    return ProjectNode(std::move(child), std::move(exprs), std::move(columns));
  }
  auto out = MakeNode(Op::kProject, "Project");
  out->exprs = std::move(exprs);
  out->columns = std::move(columns);
  out->children.push_back(std::move(below));
  return out;
}

Part Project(Part part, std::vector<Expr> exprs, Schema columns) {
  part.tree = ProjectNode(std::move(part.tree), std::move(exprs), std::move(columns));
  return part;
}

Part Project(Part part, std::vector<Expr> exprs) {
  Schema columns = SchemaOf(exprs, part.columns());
  return Project(std::move(part), std::move(exprs), std::move(columns));
}

Part Filter(Part part, std::vector<Expr> conditions) {
  if (conditions.empty()) return part;
  auto out = MakeNode(Op::kFilter, "Filter");
  out->exprs = std::move(conditions);
  out->columns = part.columns();
  out->children.push_back(std::move(part.tree));
  part.tree = std::move(out);
  return part;
}

Part UnionAll(std::vector<Part> parts) {
  QN_CHECK(!parts.empty());
  if (parts.size() == 1) return std::move(parts[0]);
  Part out{MakeNode(Op::kUnionAll, "UNION ALL"), false, false};
  out.tree->columns = parts[0].columns();
  for (Part& part : parts) {
    QN_CHECK(part.columns().size() == out.tree->columns.size());
    out.is_stream = out.is_stream || part.is_stream;
    out.is_weighted = out.is_weighted || part.is_weighted;
    out.tree->children.push_back(std::move(part.tree));
  }
  return out;
}

}  // namespace qn::plan
