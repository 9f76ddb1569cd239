// A tree as one SELECT. Filters, projections and joins are gathered into one SELECT as long as SQL's order of
// evaluation allows it; what does not fit becomes a subquery with columns c0, c1, …
#include "plan/write_sql.h"

#include <algorithm>
#include <array>

#include "plan/analyse.h"
#include "plan/literal.h"
#include "plan/sql_writer.h"
#include "plan/write_expr.h"

namespace qn::plan {
namespace {

// The name that column i has inside a subquery.
std::string Inner(size_t index) { return "c" + std::to_string(index); }

std::string GroupingSets(const Node& node, const std::vector<std::string>& groups) {
  const auto list = [&groups](const std::vector<size_t>& set) {
    std::vector<std::string> names;
    for (const size_t index : set) names.push_back(groups.at(index));
    return "(" + JoinText(names, ", ") + ")";
  };
  const auto& sets = node.grouping_sets;
  if (sets.empty() || (sets.size() == 1 && sets[0].size() == groups.size())) {
    return groups.empty() ? "" : " GROUP BY " + JoinText(groups, ", ");
  }
  std::vector<std::string> texts;
  for (const auto& set : sets) texts.push_back(list(set));
  return " GROUP BY GROUPING SETS (" + JoinText(texts, ", ") + ")";
}

}  // namespace

std::string JoinText(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

Status CannotWrite(const std::string& what) {
  return Invalid("QN-1208", "'" + what + "' cannot be carried into a fragment.");
}

std::vector<std::string> Take(const std::vector<std::string>& columns, const std::vector<size_t>& map) {
  if (map.empty()) return columns;
  std::vector<std::string> out;
  for (const size_t index : map) out.push_back(columns.at(index));
  return out;
}

std::string SqlWriter::Select(const Rel& rel, const std::vector<std::string>& names, const char* word) const {
  std::vector<std::string> items;
  for (size_t i = 0; i < rel.columns.size(); ++i) {
    if (rel.columns[i].empty()) continue;
    items.push_back(rel.columns[i] + " AS " + (names.empty() ? Inner(i) : QuoteName(names[i])));
  }
  for (size_t i = 0; i < rel.hidden.size(); ++i)
    items.push_back(rel.hidden[i] + " AS " + options_.hidden[i].name);
  if (items.empty()) items.push_back("true AS qn_row");  // only the number of rows matters
  std::string out = word + JoinText(items, ", ");
  if (!rel.from.empty()) out += " FROM " + rel.from;
  if (!rel.where.empty()) out += " WHERE " + JoinText(rel.where, " AND ");
  return out;
}

std::string SqlWriter::Ctes() const {
  if (ctes_.empty()) return "";
  return (is_recursive_ ? "WITH RECURSIVE " : "WITH ") + JoinText(ctes_, ", ") + " ";
}

Rel SqlWriter::Derived(const std::string& text, const std::vector<std::string>& columns, bool has_hidden) {
  Rel out;
  const std::string alias = NewAlias();
  out.from = "(" + text + ") AS " + alias;
  for (size_t i = 0; i < columns.size(); ++i) {
    out.columns.push_back(columns[i].empty() ? "" : alias + "." + Inner(i));
  }
  if (has_hidden) {
    for (const HiddenColumn& column : options_.hidden) out.hidden.push_back(alias + "." + column.name);
  }
  return out;
}

// As one side of a join: a table, or a chain of joins where that may stand.
Rel SqlWriter::Operand(const Rel& rel, bool may_be_join) {
  const bool fits = rel.is_plain && rel.where.empty() && !rel.from.empty() && (may_be_join || !rel.is_join);
  return fits ? rel : Wrap(rel);
}

Result<Rel> SqlWriter::Scan(const Node& node) {
  Rel out;
  const std::string alias = NewAlias();
  out.from = options_.relation(node.input) + " AS " + alias;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    const bool is_shown = node.needed[i] && node.keep[i] != kRowId;
    out.columns.push_back(is_shown ? alias + "." + QuoteName(node.columns[i].name) : "");
  }
  if (options_.has_hidden(node.input)) {
    for (const HiddenColumn& column : options_.hidden) out.hidden.push_back(alias + "." + column.name);
  }
  return out;
}

Result<Rel> SqlWriter::TableFunction(const Node& node) {
  static constexpr std::array kKnown = {"range", "generate_series", "unnest", "repeat"};
  if (std::find(kKnown.begin(), kKnown.end(), node.name) == kKnown.end()) {
    return Invalid("QN-1208",
                   "'" + node.name + "' reads beside the pipeline; declare it as a reference and read that.");
  }
  const size_t own = node.columns.size() - node.projected_input.size();
  if (own != 1 || node.keep[0] != 0) return CannotWrite(node.name + " with several columns");
  Rel out;
  std::vector<std::string> arguments;
  if (node.children.empty()) {
    for (const Json& value : node.values) {
      Result<Type> type = TypeFromPlanJson(value["type"]);
      if (!type.ok()) return type.status();
      QN_GET(std::string text, Literal(value, *type));
      arguments.push_back(std::move(text));
    }
  } else {
    QN_GET(Rel child, Write(*node.children[0]));
    child = Wrap(child);
    out.from = child.from + ", LATERAL ";
    out.hidden = child.hidden;
    out.is_join = true;
    for (size_t i = 0; i < node.limit.Uint(); ++i) arguments.push_back(child.columns.at(i));
    for (const size_t index : node.projected_input) out.columns.push_back(child.columns.at(index));
  }
  const std::string alias = NewAlias();
  out.from += QuoteName(node.name) + "(" + JoinText(arguments, ", ") + ") AS " + alias + "(c0)";
  out.columns.insert(out.columns.begin(), alias + ".c0");
  return out;
}

Result<Rel> SqlWriter::Project(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel = Plain(rel);
  std::vector<std::string> columns;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    std::string text;
    if (node.needed[i]) {
      QN_GET(text, WriteExpr(node.exprs[i], rel.columns));
      rel.is_plain = rel.is_plain && node.exprs[i].kind == Expr::Kind::kColumn;
    }
    columns.push_back(std::move(text));
  }
  rel.columns = std::move(columns);
  return rel;
}

Result<Rel> SqlWriter::Filter(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel = Plain(rel);
  for (const Expr& expr : node.exprs) {
    QN_GET(std::string text, WriteExpr(expr, rel.columns));
    rel.where.push_back(std::move(text));
  }
  if (node.keep.empty()) return rel;
  std::vector<std::string> columns;
  for (size_t i = 0; i < node.keep.size(); ++i)
    columns.push_back(node.needed[i] ? rel.columns[node.keep[i]] : "");
  rel.columns = std::move(columns);
  return rel;
}

Result<Rel> SqlWriter::Unnest(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel = Plain(rel);
  const std::vector<std::string> inside = rel.columns;
  for (const Expr& expr : node.exprs) {
    if (expr.kind != Expr::Kind::kUnnest) return CannotWrite(expr.name);
    QN_GET(std::string list, WriteExpr(expr.children[0], inside));
    // Kept even when nobody needs the value: it makes the rows.
    rel.columns.push_back("unnest(" + list + ")");
  }
  return Wrap(rel);
}

Result<Rel> SqlWriter::UnionAll(const Node& node) {
  std::vector<Rel> branches;
  bool has_hidden = false;
  for (const auto& child : node.children) {
    QN_GET(Rel rel, Write(*child));
    has_hidden = has_hidden || !rel.hidden.empty();
    branches.push_back(std::move(rel));
  }
  std::string text;
  std::vector<std::string> columns;
  for (size_t i = 0; i < node.columns.size(); ++i) columns.push_back(node.needed[i] ? Inner(i) : "");
  for (Rel& rel : branches) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].empty()) rel.columns[i].clear();
    }
    if (has_hidden && rel.hidden.empty()) {
      for (const HiddenColumn& column : options_.hidden) rel.hidden.push_back(column.absent);
    }
    text += (text.empty() ? "" : " UNION ALL ") + Select(rel, {});
  }
  return Derived(text, columns, has_hidden);
}

Result<Rel> SqlWriter::SetOp(const Node& node) {
  if (node.has_collation) return CannotWrite(node.name + " over texts with a collation");
  std::string text;
  std::vector<std::string> columns;
  for (const auto& child : node.children) {
    QN_GET(Rel rel, Write(*child));
    rel.hidden.clear();
    columns = rel.columns;
    text += (text.empty() ? "" : " " + node.name + " ") + ("(" + Select(rel, {}) + ")");
  }
  return Derived(text, columns, false);
}

Result<Rel> SqlWriter::Values(const Node& node) {
  if (node.op == Op::kOneRow) return Rel{};
  Rel out;
  const std::string alias = NewAlias();
  std::vector<std::string> names;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    names.push_back(Inner(i));
    out.columns.push_back(alias + "." + Inner(i));
  }
  if (node.op == Op::kEmpty) {
    std::vector<std::string> items;
    for (size_t i = 0; i < node.columns.size(); ++i) {
      const Type& type = node.columns[i].type;
      items.push_back((IsSqlType(type) ? CastSql("NULL", type) : "NULL") + " AS " + Inner(i));
    }
    if (items.empty()) items.emplace_back("true AS qn_row");
    out.from = "(SELECT " + JoinText(items, ", ") + " WHERE false) AS " + alias;
    return out;
  }
  std::string rows;
  for (const auto& row : node.rows) {
    std::vector<std::string> items;
    for (const Expr& expr : row) {
      QN_GET(std::string text, WriteExpr(expr, {}));
      items.push_back(std::move(text));
    }
    rows += (rows.empty() ? "(" : ", (") + JoinText(items, ", ") + ")";
  }
  out.from = "(VALUES " + rows + ") AS " + alias + "(" + JoinText(names, ", ") + ")";
  return out;
}

Result<Rel> SqlWriter::Aggregate(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  // Grouped values become named columns first: in GROUP BY a bare number would be a position.
  const size_t width = rel.columns.size();
  rel = Plain(rel);
  for (const Expr& group : node.groups) {
    QN_GET(std::string text, WriteExpr(group, rel.columns));
    rel.columns.push_back(std::move(text));
  }
  rel.hidden.clear();
  rel = Wrap(rel);
  const std::vector<std::string> groups(rel.columns.begin() + static_cast<std::ptrdiff_t>(width),
                                        rel.columns.end());
  Rel out = rel;
  out.columns = groups;
  for (const Expr& expr : node.exprs) {
    QN_GET(std::string text, WriteAggregate(expr, rel.columns));
    out.columns.push_back(std::move(text));
  }
  for (const auto& call : node.grouping_calls) {
    std::vector<std::string> names;
    for (const size_t index : call) names.push_back(groups.at(index));
    out.columns.push_back("GROUPING(" + JoinText(names, ", ") + ")");
  }
  for (size_t i = 0; i < out.columns.size(); ++i) {
    if (!node.needed[i]) out.columns[i].clear();
  }
  const bool is_bare =
      std::all_of(out.columns.begin(), out.columns.end(), [](const auto& text) { return text.empty(); });
  // Without any aggregate "SELECT true" would give a row for every row.
  if (is_bare && groups.empty())
    return Derived("SELECT count(*) AS qn_row FROM " + rel.from, out.columns, false);
  return Derived(Select(out, {}) + GroupingSets(node, groups), out.columns, false);
}

Result<Rel> SqlWriter::Window(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  const size_t first = rel.columns.size();
  rel = Plain(rel);
  const std::vector<std::string> inside = rel.columns;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    std::string text;
    if (node.needed[first + i]) {
      QN_GET(text, WriteWindow(node.exprs[i], inside));
    }
    rel.columns.push_back(std::move(text));
  }
  return IsDeadWindow(node) ? rel : Wrap(rel);
}

Result<Rel> SqlWriter::OrderOrLimit(const Node& node) {
  const Node* below = node.children[0].get();
  const std::vector<OrderKey>* orders = node.op == Op::kOrder ? &node.orders : nullptr;
  if (node.op == Op::kLimit && below->op == Op::kOrder) {
    orders = &below->orders;
    below = below->children[0].get();
  }
  QN_GET(Rel rel, Write(*below));
  rel = Plain(rel);
  std::string text = Select(rel, {});
  if (orders != nullptr) {
    QN_GET(std::string order, WriteOrders(*orders, rel.columns));
    text += " ORDER BY " + order;
  }
  if (node.op == Op::kLimit) {
    if (!node.limit.IsNull()) text += " LIMIT " + LimitText(node);
    if (!node.offset.IsNull()) text += " OFFSET " + std::to_string(node.offset.Uint());
  }
  return Derived(text, rel.columns, !rel.hidden.empty());
}

Result<Rel> SqlWriter::Distinct(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel.hidden.clear();
  rel = Plain(rel);
  if (node.groups.empty()) return Derived(Select(rel, {}, "SELECT DISTINCT "), rel.columns, false);
  std::vector<std::string> keys;
  for (const Expr& expr : node.groups) {
    QN_GET(std::string text, WriteExpr(expr, rel.columns));
    keys.push_back(expr.kind == Expr::Kind::kConstant ? CastSql(text, expr.type) : text);
  }
  std::string text = Select(rel, {}, ("SELECT DISTINCT ON (" + JoinText(keys, ", ") + ") ").c_str());
  if (!node.orders.empty()) {
    QN_GET(std::string order, WriteOrders(node.orders, rel.columns));
    text += " ORDER BY " + order;
  }
  return Derived(text, rel.columns, false);
}

Result<Rel> SqlWriter::Cte(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  Kept kept{"q" + std::to_string(kept_.size()), !rel.hidden.empty()};
  // Once, even where it is read twice: row tags must be the same, and a stream is decoded once.
  ctes_.push_back(kept.name + " AS MATERIALIZED (" + Select(rel, {}) + ")");
  kept_[node.cte] = kept;
  return Write(*node.children[1]);
}

// WITH RECURSIVE: the first rows, and what is found from the last ones until there is nothing new.
Result<Rel> SqlWriter::Recursive(const Node& node) {
  const Kept kept{"q" + std::to_string(kept_.size()), false};
  kept_[node.cte] = kept;
  std::string text;
  std::vector<std::string> names;
  for (size_t i = 0; i < node.columns.size(); ++i) names.push_back(Inner(i));
  const size_t outside = ctes_.size();
  for (const auto& child : node.children) {
    QN_GET(Rel rel, Write(*child));
    text += (text.empty() ? "(" : " " + node.name + " (") + Select(rel, names) + ")";
  }
  // They would have to stand inside, where they may read what is being found.
  if (ctes_.size() != outside) return CannotWrite("a WITH inside a recursive one");
  is_recursive_ = true;
  ctes_.push_back(kept.name + "(" + JoinText(names, ", ") + ") AS (" + text + ")");
  const std::string alias = NewAlias();
  Rel out;
  out.from = kept.name + " AS " + alias;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    out.columns.push_back(node.needed[i] ? alias + "." + Inner(i) : "");
  }
  return out;
}

Result<Rel> SqlWriter::CteRef(const Node& node) {
  const auto found = kept_.find(node.cte);
  if (found == kept_.end()) return CannotWrite("recursive CTE");
  Rel out;
  const std::string alias = NewAlias();
  out.from = found->second.name + " AS " + alias;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    out.columns.push_back(node.needed[i] ? alias + "." + Inner(i) : "");
  }
  if (found->second.has_hidden) {
    for (const HiddenColumn& column : options_.hidden) out.hidden.push_back(alias + "." + column.name);
  }
  return out;
}

Result<Rel> SqlWriter::Write(const Node& node) {
  switch (node.op) {
    case Op::kScan:
      return Scan(node);
    case Op::kTableFunction:
      return TableFunction(node);
    case Op::kProject:
      return Project(node);
    case Op::kFilter:
      return Filter(node);
    case Op::kUnnest:
      return Unnest(node);
    case Op::kUnionAll:
      return UnionAll(node);
    case Op::kSetOp:
      return SetOp(node);
    case Op::kJoin:
    case Op::kCross:
      return JoinNode(node);
    case Op::kValues:
    case Op::kEmpty:
    case Op::kOneRow:
      return Values(node);
    case Op::kAggregate:
      return Aggregate(node);
    case Op::kWindow:
      return Window(node);
    case Op::kOrder:
    case Op::kLimit:
      return OrderOrLimit(node);
    case Op::kDistinct:
      return Distinct(node);
    case Op::kCte:
      return Cte(node);
    case Op::kCteRef:
      return CteRef(node);
    case Op::kRecursive:
      return Recursive(node);
    case Op::kOther:
      break;
  }
  return CannotWrite(node.name);
}

Result<std::string> WriteSql(const Node& root, const std::vector<std::string>& names,
                             const SqlOptions& options) {
  SqlWriter writer(options);
  QN_GET(Rel rel, writer.Write(root));
  return writer.Ctes() + writer.Select(rel, names);
}

std::vector<HiddenColumn> OriginColumns() {
  return {{"__qn_raw", "CAST(NULL AS BLOB)"},
          {"__qn_file", "CAST(NULL AS UINTEGER)"},
          {"__qn_line", "CAST(NULL AS BIGINT)"}};
}

}  // namespace qn::plan
