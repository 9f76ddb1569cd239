// Joins as SQL: with ON, or, for subqueries that are values, as expressions.
#include <algorithm>
#include <map>

#include "plan/sql_writer.h"
#include "plan/write_expr.h"

namespace qn::plan {

namespace {

// The condition of a subquery's rows: the join's keys from `from` on, and what the subquery filters itself.
std::string WhereText(const std::vector<std::string>& conditions, const Rel& right) {
  std::vector<std::string> all = right.where;
  all.insert(all.end(), conditions.begin(), conditions.end());
  return (right.from.empty() ? "" : " FROM " + right.from) +
         (all.empty() ? "" : " WHERE " + JoinText(all, " AND "));
}

}  // namespace

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

Result<Rel> SqlWriter::JoinNode(const Node& node) {
  QN_GET(Rel left, Write(*node.children[0]));
  QN_GET(Rel right, Write(*node.children[1]));
  if (node.op == Op::kJoin && node.join == "MARK") return MarkJoin(node, std::move(left), std::move(right));
  if (node.op == Op::kJoin && node.join == "SINGLE")
    return SingleJoin(node, std::move(left), std::move(right));
  left = Operand(left, true);
  right = Operand(right, false);
  Rel out;
  out.is_join = true;
  out.hidden = left.hidden.empty() ? right.hidden : left.hidden;
  const std::map<std::string, const char*> words = {
      {"INNER", "JOIN"},      {"LEFT", "LEFT JOIN"}, {"RIGHT", "RIGHT JOIN"}, {"FULL", "FULL JOIN"},
      {"OUTER", "FULL JOIN"}, {"SEMI", "SEMI JOIN"}, {"ANTI", "ANTI JOIN"}};
  std::string word = "CROSS JOIN";
  if (node.op == Op::kJoin) {
    const auto found = words.find(node.join);
    if (found == words.end()) return CannotWrite(node.join + " join");
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

// x IN (SELECT …), x < ANY (SELECT …), EXISTS (SELECT … WHERE …): DuckDB compares the correlated columns by
// IS NOT DISTINCT FROM, and the rest is the comparison that makes the mark three-valued.
Result<Rel> SqlWriter::MarkJoin(const Node& node, Rel left, Rel right) {
  left = Plain(left);
  right = Plain(right);
  std::vector<std::string> conditions;
  std::vector<std::string> needles;
  std::vector<std::string> found;
  std::string compare;
  for (const JoinKey& key : node.keys) {
    if (key.compare.empty()) return CannotWrite("MARK join on a condition");
    QN_GET(std::string needle, WriteExpr(key.left, left.columns));
    QN_GET(std::string other, WriteExpr(key.right, right.columns));
    // Never NULL: no comparison that could make the mark three-valued.
    if (key.compare == "IS NOT DISTINCT FROM" || key.compare == "IS DISTINCT FROM") {
      conditions.push_back("(" + needle + " " + key.compare + " " + other + ")");
      continue;
    }
    if (!compare.empty() && (compare != "=" || key.compare != "="))
      return CannotWrite("MARK join on several conditions");
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
    mark = "((" + JoinText(needles, ", ") + ") IN (SELECT " + JoinText(found, ", ") + tail + ")";
  }
  left.columns = Take(left.columns, node.keep_left);
  left.columns.push_back(mark);
  left.is_plain = false;
  return left;
}

// (SELECT x FROM … WHERE …) as a value: fails, or not, on two rows as DuckDB is set to.
Result<Rel> SqlWriter::SingleJoin(const Node& node, Rel left, Rel right) {
  left = Plain(left);
  right = Plain(right);
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
  if (!is_alone) return CannotWrite("a subquery with several columns");
  left.columns = std::move(columns);
  left.is_plain = false;
  return left;
}

}  // namespace qn::plan
