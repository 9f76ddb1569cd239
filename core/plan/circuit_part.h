// What the circuit's planner puts together: expressions, and linear subtrees ("parts") with what is known of
// their rows. Words and small deeds; decides nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plan/node.h"

namespace qn::plan {

// ---- expressions ----

Expr ColumnExpr(size_t index, const Type& type);
Expr ColumnExpr(const Schema& columns, size_t index);
Expr NumberExpr(int64_t value, TypeId type);
Expr BoolExpr(bool value);
Expr NullExpr(const Type& type);
Expr CastExpr(Expr expr, const Type& type);
Expr CompareExpr(Expr left, const char* compare, Expr right);
Expr CallExpr(const char* name, std::vector<Expr> arguments, const Type& type);
Expr CaseExpr(Expr when, Expr then, Expr otherwise);
// One of the kinds that have only children: kAnd, kOr, kNot, kIsNull, kIsNotNull, kCoalesce.
Expr LogicExpr(Expr::Kind kind, std::vector<Expr> children, const Type& type = Type::Of(TypeId::kBoolean));
// All columns of a schema, in order.
std::vector<Expr> ColumnExprs(const Schema& columns);

// Calls `change` for every column that the expression reads, also behind lambdas.
void ForColumns(Expr& expr, const std::function<void(Expr& column)>& change);
void ForColumns(const Expr& expr, const std::function<void(const Expr& column)>& see);
// The expression with the columns moved: those of `map[i]` for column i.
Expr Remapped(Expr expr, const std::vector<size_t>& map);
// The expression over what the columns stand for.
Expr Substituted(Expr expr, const std::vector<Expr>& columns);

// Names and types of expressions over `below`, as people would call them.
Schema SchemaOf(const std::vector<Expr>& exprs, const Schema& below);
// Names made unique (ignoring case), none empty.
void MakeNamesUnique(Schema& columns);

// Text that is equal for equal expressions; empty: it cannot be told.
std::string ExprText(const Expr& expr);

// Whether values of the type can be remembered (RowCodec knows all but these).
bool IsStorable(const Type& type);

// Whether values that differ may be equal as keys, INTERVAL '30 days' and '1 month': of such keys only one
// form is remembered.
bool HasEqualForms(const Type& type);
bool HaveEqualForms(const std::vector<Expr>& exprs);

// ---- parts ----

// A subtree that gives the change of its rows when its streams give theirs.
struct Part {
  std::unique_ptr<Node> tree;
  bool is_stream = false;    // otherwise the same rows in every step
  bool is_weighted = false;  // rows may go

  const Schema& columns() const { return tree->columns; }
  Part Copy() const { return {Clone(*tree), is_stream, is_weighted}; }
};

std::unique_ptr<Node> MakeNode(Op op, const char* name);
void ForScans(Node& node, const std::function<void(Node& scan)>& change);
// A scan of `input` whose columns are `columns`.
std::unique_ptr<Node> ScanNode(const std::string& input, const Schema& columns);
std::unique_ptr<Node> ProjectNode(std::unique_ptr<Node> below, std::vector<Expr> exprs, Schema columns);

Part Project(Part part, std::vector<Expr> exprs, Schema columns);
Part Project(Part part, std::vector<Expr> exprs);
Part Filter(Part part, std::vector<Expr> conditions);
// Branches of the same width; the first one's columns name the result.
Part UnionAll(std::vector<Part> parts);

}  // namespace qn::plan
