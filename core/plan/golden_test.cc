// The tree and the fragment of some statements, as text in tests/fixtures/plans/golden. A new version of
// DuckDB whose plans have another form shows here first. After reading the differences:
//   QANAT_UPDATE_GOLDEN=1 ./qn_plan_test --gtest_filter='Golden*'
#include <regex>

#include "plan/read_plan.h"
#include "plan/test_world.h"

namespace qn::plan {
namespace {

struct Case {
  const char* name;
  const char* sql;
  std::vector<Rule> rules;
};

std::vector<Case> Cases() {
  return {
      {"filter_project",
       "SELECT *, regexp_extract(url, '^https?://([^/]+)', 1) AS host, ts::DATE AS date FROM events WHERE "
       "price >= 0",
       {{"has_user", "user_id IS NOT NULL", ""}, {"fair_price", "price < 1000", ""}}},
      {"join_reference",
       "SELECT e.sid, u.name, round(e.price * c.rate, 2) AS eur FROM events e LEFT JOIN users u ON u.user_id "
       "= e.user_id "
       "JOIN countries c ON c.code = lower(e.country) WHERE e.qty BETWEEN 1 AND 5",
       {}},
      {"unnest_lambda",
       "SELECT sid, t.tag, list_transform(nums, lambda n: n + qty) AS more FROM events, unnest(tags) AS "
       "t(tag)",
       {}},
      {"subqueries",
       "SELECT sid, (SELECT max(level) FROM users u WHERE u.user_id = e.user_id) AS level FROM events e "
       "WHERE EXISTS (SELECT 1 FROM countries WHERE code = e.country) AND user_id NOT IN (SELECT user_id "
       "FROM users WHERE level = 0)",
       {}},
      {"correlated_outer_rows",
       "SELECT sid, (SELECT count(*) FROM unnest(tags) AS t(x) WHERE x LIKE 'r%') AS n FROM events",
       {}},
      {"union_all",
       "SELECT sid, country AS c FROM events WHERE qty > 3 UNION ALL SELECT sid, currency FROM orders",
       {}},
      {"cte_read_twice",
       "WITH q AS MATERIALIZED (SELECT sid, qty FROM events WHERE qty > 1) SELECT sid, 'a' AS part FROM q "
       "UNION ALL SELECT sid, 'b' "
       "FROM q WHERE qty > 3",
       {}},
      {"bounded_aggregate",
       "SELECT e.sid, s.n, s.top FROM events e JOIN (SELECT user_id, count(*) AS n, max(level) FILTER (WHERE "
       "level > 1) AS top "
       "FROM users GROUP BY user_id) s ON e.user_id = s.user_id",
       {}},
      {"asof",
       "SELECT e.sid, p.rate FROM events e ASOF LEFT JOIN prices p ON p.currency = e.country AND e.ts >= "
       "p.since",
       {}},
  };
}

// One line a clause, so that a difference can be read.
std::string Broken(std::string sql) {
  for (const char* word : {" FROM ", " WHERE ", " UNION ALL ", " LEFT JOIN ", " GROUP BY "}) {
    for (size_t at = sql.find(word); at != std::string::npos; at = sql.find(word, at + 2)) {
      if (at < 8 || sql.compare(at - 8, 8, "DISTINCT") != 0) sql[at] = '\n';
    }
  }
  return sql;
}

// DuckDB 2.0.1 gives text constants the type that they have anyway; 2.0.0 does not.
std::string Plain(const std::string& text) {
  static const std::regex kTyped("('(?:[^']|'')*')::VARCHAR");
  static const std::regex kCast("CAST\\(('(?:[^']|'')*') AS VARCHAR\\)");
  return std::regex_replace(std::regex_replace(text, kTyped, "$1"), kCast, "$1");
}

TEST(Golden, TreesAndFragmentsAreAsRecorded) {
  for (const Case& one : Cases()) {
    SCOPED_TRACE(one.name);
    const Query query = World::Take(TheWorld().Compile(one.sql, one.rules));
    const std::string text = std::string(one.sql) + "\n\n" + Print(*query.tree) + "\n" +
                             Broken(World::Take(WriteFragment(query, {}))) + "\n";
    const std::string path = FixturePath("golden/" + std::string(one.name) + ".txt");
    if (std::getenv("QANAT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    EXPECT_EQ(Plain(text), Plain(ReadFile(path)));
  }
}

// The reader alone, over plans that DuckDB does not make today: nothing is guessed, nothing breaks.
TEST(ReadPlan, NamesWhatItDoesNotKnow) {
  const auto read = [](const char* text) { return World::Take(ReadPlan(World::Take(Json::Parse(text)))); };
  EXPECT_EQ(read(R"({"type": "LOGICAL_TELEPORT", "children": [{"type": "LOGICAL_DUMMY_SCAN"}]})")->op,
            Op::kOther);
  EXPECT_EQ(read(R"({"type": "LOGICAL_TELEPORT"})")->name, "TELEPORT");
  EXPECT_EQ(read("{}")->op, Op::kOther);
  const auto project = read(R"({"type": "LOGICAL_PROJECTION", "children": [{"type": "LOGICAL_DUMMY_SCAN"}],
      "expressions": [{"expression_class": "BOUND_MAGIC"}, {"expression_class": "BOUND_OPERATOR", "type": "OPERATOR_NEW"},
                      {"expression_class": "BOUND_COLUMN_REF", "binding": {"table_index": 9}}]})");
  ASSERT_EQ(project->exprs.size(), 3U);
  for (const Expr& expr : project->exprs) EXPECT_EQ(expr.kind, Expr::Kind::kUnknown);
  EXPECT_EQ(project->exprs[0].name, "BOUND_MAGIC");
  // A projection without its child, a join with one side: no operator that we know.
  EXPECT_EQ(read(R"({"type": "LOGICAL_PROJECTION"})")->op, Op::kOther);
  EXPECT_EQ(read(R"({"type": "LOGICAL_COMPARISON_JOIN", "children": [{"type": "LOGICAL_DUMMY_SCAN"}]})")->op,
            Op::kOther);
  EXPECT_EQ(
      read(
          R"({"type": "LOGICAL_GET", "table_filters": {"filters": [{"key": 1}]}, "qname": {"path": ["seq_scan"]}})")
          ->op,
      Op::kOther);
}

TEST(ReadPlan, HasADepthLimit) {
  std::string text = R"({"type": "LOGICAL_DUMMY_SCAN"})";
  for (int i = 0; i < 600; ++i) text = R"({"type": "X", "children": [)" + text + "]}";
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return;  // the JSON reader's own limit came first
  EXPECT_EQ(ReadPlan(*json).status().code(), "QN-1208");
}

}  // namespace
}  // namespace qn::plan
