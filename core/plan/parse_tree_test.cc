// What the parser alone tells.
#include "plan/parse_tree.h"

#include "plan/test_world.h"

namespace qn::plan {
namespace {

Json Parse(const std::string& sql) {
  const auto rows =
      World::Take(TheWorld().scratch->Query("SELECT json_serialize_sql(" + QuoteText(sql) + ")::VARCHAR"));
  return World::Take(Json::Parse(rows.rows[0][0].Str()));
}

std::set<std::string> Marked(const std::string& stability) {
  const auto rows =
      World::Take(TheWorld().scratch->Query("SELECT DISTINCT function_name FROM duckdb_functions() WHERE "
                                            "function_name <> 'error' AND stability = " +
                                            QuoteText(stability)));
  std::set<std::string> marked;
  for (const auto& row : rows.rows) marked.insert(row[0].Str());
  return marked;
}

// From 2.0.1 on DuckDB also marks what only depends on the time zone, which is UTC here.
TEST(VolatileFunctions, AreThoseThatDuckDbMarks) {
  const std::set<std::string> is_volatile = Marked("VOLATILE");
  std::set<std::string> marked = Marked("CONSISTENT_WITHIN_QUERY");
  marked.insert(is_volatile.begin(), is_volatile.end());
  const std::set<std::string>& ours = VolatileFunctions();
  for (const std::string& name : is_volatile) EXPECT_TRUE(ours.count(name) == 1) << name;
  for (const std::string& name : ours) {
    if (name == "current_localtime" || name == "current_localtimestamp") continue;
    EXPECT_TRUE(marked.count(name) == 1) << name;
  }
}

TEST(FirstCall, LooksEverywhere) {
  const auto first = [](const char* sql) { return FirstCall(Parse(sql), VolatileFunctions()); };
  EXPECT_EQ(first("SELECT a FROM t WHERE b > NOW() - INTERVAL 1 DAY"), "now");
  EXPECT_EQ(first("SELECT list_transform(l, lambda x: x + random()) FROM t"), "random");
  EXPECT_EQ(first("WITH q AS (SELECT CURRENT_DATE AS d) SELECT * FROM q"), "current_date");
  EXPECT_EQ(first("SELECT t.current_date, lower(now) FROM t"), "");
}

TEST(IsOneExpression, TellsExpressionsFromMore) {
  for (const char* sql : {"SELECT a > 0", "SELECT a IN (SELECT b FROM c WHERE d)"})
    EXPECT_TRUE(IsOneExpression(Parse(sql))) << sql;
  for (const char* sql : {"SELECT a, b", "SELECT a FROM t", "SELECT a; SELECT b", "SELECT a UNION SELECT b",
                          "SELECT a LIMIT 1", "SELECT a HAVING b", "VALUES (1)"}) {
    EXPECT_FALSE(IsOneExpression(Parse(sql))) << sql;
  }
}

}  // namespace
}  // namespace qn::plan
