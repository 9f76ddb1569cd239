// A tree as one SELECT. Filters, projections and joins are gathered into one SELECT as long as SQL's order of
// evaluation allows it; what does not fit becomes a subquery with columns c0, c1, …
#include "plan/write_sql.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "plan/analyse.h"
#include "plan/literal.h"
#include "plan/write_expr.h"

namespace qn::plan {
namespace {

// A SELECT being put together.
struct Rel {
  std::string from;  // empty: one row without columns
  std::vector<std::string> where;
  std::vector<std::string> columns;  // SQL of each column of the node; empty: nobody needs it
  std::vector<std::string> hidden;   // of options.hidden, or none
  bool is_plain = true;              // columns are names only, so that they may be repeated and filtered
  bool is_join = false;              // from is more than one table
};

std::string Join(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

Status Refuse(const std::string& what) {
  return Invalid("QN-1208", "'" + what + "' cannot be carried into a fragment.");
}

class SqlWriter {
 public:
  explicit SqlWriter(const SqlOptions& options) : options_(options) {}

  Result<Rel> Write(const Node& node);
  std::string Select(const Rel& rel, const std::vector<std::string>& names,
                     const char* word = "SELECT ") const;
  std::string Ctes() const;

 private:
  Result<Rel> Scan(const Node& node);
  Result<Rel> TableFunction(const Node& node);
  Result<Rel> Project(const Node& node);
  Result<Rel> Filter(const Node& node);
  Result<Rel> Unnest(const Node& node);
  Result<Rel> UnionAll(const Node& node);
  Result<Rel> SetOp(const Node& node);
  Result<Rel> JoinNode(const Node& node);
  Result<Rel> MarkJoin(const Node& node, Rel left, Rel right);
  Result<Rel> SingleJoin(const Node& node, Rel left, Rel right);
  Result<Rel> Values(const Node& node);
  Result<Rel> Aggregate(const Node& node);
  Result<Rel> Window(const Node& node);
  Result<Rel> OrderOrLimit(const Node& node);
  Result<Rel> Distinct(const Node& node);
  Result<Rel> Cte(const Node& node);
  Result<Rel> CteRef(const Node& node);

  std::string NewAlias() { return "t" + std::to_string(tables_++); }
  // `text` as a table whose columns are c0, c1, … as far as `columns` has them.
  Rel Derived(const std::string& text, const std::vector<std::string>& columns, bool has_hidden);
  Rel Wrap(const Rel& rel) { return Derived(Select(rel, {}), rel.columns, !rel.hidden.empty()); }
  Rel Plain(Rel rel) { return rel.is_plain ? rel : Wrap(rel); }
  Rel Operand(Rel rel, bool may_be_join);
  Result<std::string> On(const Node& node, const Rel& left, const Rel& right) const;

  struct Kept {
    std::string name;
    bool has_hidden = false;
  };

  const SqlOptions& options_;
  int tables_ = 0;
  std::vector<std::string> ctes_;
  std::map<uint64_t, Kept> kept_;
};

// The name that column i has inside a subquery.
std::string Inner(size_t index) { return "c" + std::to_string(index); }

std::string SqlWriter::Select(const Rel& rel, const std::vector<std::string>& names, const char* word) const {
  std::vector<std::string> items;
  for (size_t i = 0; i < rel.columns.size(); ++i) {
    if (rel.columns[i].empty()) continue;
    items.push_back(rel.columns[i] + " AS " + (names.empty() ? Inner(i) : QuoteName(names[i])));
  }
  for (size_t i = 0; i < rel.hidden.size(); ++i)
    items.push_back(rel.hidden[i] + " AS " + options_.hidden[i].name);
  if (items.empty()) items.push_back("true AS qn_row");  // only the number of rows matters
  std::string out = word + Join(items, ", ");
  if (!rel.from.empty()) out += " FROM " + rel.from;
  if (!rel.where.empty()) out += " WHERE " + Join(rel.where, " AND ");
  return out;
}

std::string SqlWriter::Ctes() const { return ctes_.empty() ? "" : "WITH " + Join(ctes_, ", ") + " "; }

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
Rel SqlWriter::Operand(Rel rel, bool may_be_join) {
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
  if (own != 1 || node.keep[0] != 0) return Refuse(node.name + " with several columns");
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
  out.from += QuoteName(node.name) + "(" + Join(arguments, ", ") + ") AS " + alias + "(c0)";
  out.columns.insert(out.columns.begin(), alias + ".c0");
  return out;
}

Result<Rel> SqlWriter::Project(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel = Plain(std::move(rel));
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
  rel = Plain(std::move(rel));
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
  rel = Plain(std::move(rel));
  const std::vector<std::string> inside = rel.columns;
  for (const Expr& expr : node.exprs) {
    if (expr.kind != Expr::Kind::kUnnest) return Refuse(expr.name);
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

Result<std::string> SqlWriter::On(const Node& node, const Rel& left, const Rel& right) const {
  std::vector<std::string> both = left.columns;
  both.insert(both.end(), right.columns.begin(), right.columns.end());
  std::string out;
  for (const JoinKey& key : node.keys) {
    QN_GET(std::string text, WriteExpr(key.left, key.compare.empty() ? both : left.columns));
    if (!key.compare.empty()) {
      QN_GET(std::string other, WriteExpr(key.right, right.columns));
      text = "(" + text + " " + key.compare + " " + other + ")";
    }
    out += (out.empty() ? "" : " AND ") + text;
  }
  return out.empty() ? "true" : out;
}

std::vector<std::string> Take(const std::vector<std::string>& columns, const std::vector<size_t>& map) {
  if (map.empty()) return columns;
  std::vector<std::string> out;
  for (const size_t index : map) out.push_back(columns.at(index));
  return out;
}

Result<Rel> SqlWriter::JoinNode(const Node& node) {
  QN_GET(Rel left, Write(*node.children[0]));
  QN_GET(Rel right, Write(*node.children[1]));
  if (node.op == Op::kJoin && node.join == "MARK") return MarkJoin(node, std::move(left), std::move(right));
  if (node.op == Op::kJoin && node.join == "SINGLE")
    return SingleJoin(node, std::move(left), std::move(right));
  left = Operand(std::move(left), true);
  right = Operand(std::move(right), false);
  Rel out;
  out.is_join = true;
  out.hidden = left.hidden.empty() ? right.hidden : left.hidden;
  const std::map<std::string, const char*> words = {
      {"INNER", "JOIN"},      {"LEFT", "LEFT JOIN"}, {"RIGHT", "RIGHT JOIN"}, {"FULL", "FULL JOIN"},
      {"OUTER", "FULL JOIN"}, {"SEMI", "SEMI JOIN"}, {"ANTI", "ANTI JOIN"}};
  std::string word = "CROSS JOIN";
  if (node.op == Op::kJoin) {
    const auto found = words.find(node.join);
    if (found == words.end()) return Refuse(node.join + " join");
    word = (node.is_asof ? "ASOF " : "") + std::string(found->second);
  }
  out.from = left.from + " " + word + " " + right.from;
  if (node.op == Op::kJoin) {
    QN_GET(std::string on, On(node, left, right));
    out.from += " ON " + on;
  }
  out.columns = Take(left.columns, node.keep_left);
  if (node.join == "SEMI" || node.join == "ANTI") {
    out.hidden = left.hidden;
    return out;
  }
  const std::vector<std::string> more = Take(right.columns, node.keep_right);
  out.columns.insert(out.columns.end(), more.begin(), more.end());
  return out;
}

// The condition of a subquery's rows: the join's keys from `from` on, and what the subquery filters itself.
std::string WhereText(const std::vector<std::string>& conditions, const Rel& right) {
  std::vector<std::string> all = right.where;
  all.insert(all.end(), conditions.begin(), conditions.end());
  return (right.from.empty() ? "" : " FROM " + right.from) +
         (all.empty() ? "" : " WHERE " + Join(all, " AND "));
}

// x IN (SELECT …), x < ANY (SELECT …), EXISTS (SELECT … WHERE …): DuckDB compares the correlated columns by
// IS NOT DISTINCT FROM, and the rest is the comparison that makes the mark three-valued.
Result<Rel> SqlWriter::MarkJoin(const Node& node, Rel left, Rel right) {
  left = Plain(std::move(left));
  right = Plain(std::move(right));
  std::vector<std::string> conditions;
  std::vector<std::string> needles;
  std::vector<std::string> found;
  std::string compare;
  for (const JoinKey& key : node.keys) {
    if (key.compare.empty()) return Refuse("MARK join on a condition");
    QN_GET(std::string needle, WriteExpr(key.left, left.columns));
    QN_GET(std::string other, WriteExpr(key.right, right.columns));
    if (key.compare == "IS NOT DISTINCT FROM") {
      conditions.push_back("(" + needle + " IS NOT DISTINCT FROM " + other + ")");
      continue;
    }
    if (!compare.empty() && (compare != "=" || key.compare != "="))
      return Refuse("MARK join on several conditions");
    compare = key.compare;
    needles.push_back(std::move(needle));
    found.push_back(std::move(other));
  }
  const std::string tail = WhereText(conditions, right) + ")";
  std::string mark;
  if (needles.empty()) {
    mark = "EXISTS (SELECT 1" + tail;
  } else if (needles.size() == 1) {
    mark = "(" + needles[0] + " " + compare + " ANY (SELECT " + found[0] + tail + ")";
  } else {
    mark = "((" + Join(needles, ", ") + ") IN (SELECT " + Join(found, ", ") + tail + ")";
  }
  left.columns = Take(left.columns, node.keep_left);
  left.columns.push_back(mark);
  left.is_plain = false;
  return left;
}

// (SELECT x FROM … WHERE …) as a value: fails, or not, on two rows as DuckDB is set to.
Result<Rel> SqlWriter::SingleJoin(const Node& node, Rel left, Rel right) {
  left = Plain(std::move(left));
  right = Plain(std::move(right));
  QN_GET(std::string on, On(node, left, right));
  std::vector<std::string> columns = Take(left.columns, node.keep_left);
  const size_t first = columns.size();
  for (std::string& column : Take(right.columns, node.keep_right)) {
    const bool is_needed = node.needed[columns.size()];
    columns.push_back(is_needed ? "(SELECT " + column + WhereText({on}, right) + ")" : "");
  }
  const bool is_alone =
      static_cast<size_t>(
          std::count(node.needed.begin() + static_cast<std::ptrdiff_t>(first), node.needed.end(), true)) <= 1;
  // Two columns of one subquery could come from two of its rows.
  if (!is_alone) return Refuse("a subquery with several columns");
  left.columns = std::move(columns);
  left.is_plain = false;
  return left;
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
    out.from = "(SELECT " + Join(items, ", ") + " WHERE false) AS " + alias;
    return out;
  }
  std::string rows;
  for (const auto& row : node.rows) {
    std::vector<std::string> items;
    for (const Expr& expr : row) {
      QN_GET(std::string text, WriteExpr(expr, {}));
      items.push_back(std::move(text));
    }
    rows += (rows.empty() ? "(" : ", (") + Join(items, ", ") + ")";
  }
  out.from = "(VALUES " + rows + ") AS " + alias + "(" + Join(names, ", ") + ")";
  return out;
}

std::string GroupingSets(const Node& node, const std::vector<std::string>& groups) {
  const auto list = [&groups](const std::vector<size_t>& set) {
    std::vector<std::string> names;
    for (const size_t index : set) names.push_back(groups.at(index));
    return "(" + Join(names, ", ") + ")";
  };
  const auto& sets = node.grouping_sets;
  if (sets.empty() || (sets.size() == 1 && sets[0].size() == groups.size())) {
    return groups.empty() ? "" : " GROUP BY " + Join(groups, ", ");
  }
  std::vector<std::string> texts;
  for (const auto& set : sets) texts.push_back(list(set));
  return " GROUP BY GROUPING SETS (" + Join(texts, ", ") + ")";
}

Result<Rel> SqlWriter::Aggregate(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  // Grouped values become named columns first: in GROUP BY a bare number would be a position.
  const size_t width = rel.columns.size();
  rel = Plain(std::move(rel));
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
    out.columns.push_back("GROUPING(" + Join(names, ", ") + ")");
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
  rel = Plain(std::move(rel));
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
  rel = Plain(std::move(rel));
  std::string text = Select(rel, {});
  if (orders != nullptr) {
    QN_GET(std::string order, WriteOrders(*orders, rel.columns));
    text += " ORDER BY " + order;
  }
  if (node.op == Op::kLimit) {
    if (!node.limit.IsNull()) text += " LIMIT " + std::to_string(node.limit.Uint());
    if (!node.offset.IsNull()) text += " OFFSET " + std::to_string(node.offset.Uint());
  }
  return Derived(text, rel.columns, !rel.hidden.empty());
}

Result<Rel> SqlWriter::Distinct(const Node& node) {
  QN_GET(Rel rel, Write(*node.children[0]));
  rel.hidden.clear();
  rel = Plain(std::move(rel));
  if (node.groups.empty()) return Derived(Select(rel, {}, "SELECT DISTINCT "), rel.columns, false);
  std::vector<std::string> keys;
  for (const Expr& expr : node.groups) {
    QN_GET(std::string text, WriteExpr(expr, rel.columns));
    keys.push_back(expr.kind == Expr::Kind::kConstant ? CastSql(text, expr.type) : text);
  }
  std::string text = Select(rel, {}, ("SELECT DISTINCT ON (" + Join(keys, ", ") + ") ").c_str());
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

Result<Rel> SqlWriter::CteRef(const Node& node) {
  const auto found = kept_.find(node.cte);
  if (found == kept_.end()) return Refuse("recursive CTE");
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
    case Op::kOther:
      break;
  }
  return Refuse(node.name);
}

}  // namespace

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
