// The law of core/plan: the fragment gives what DuckDB gives for the statement, row for row.
#include "plan/test_world.h"

namespace qn::plan {
namespace {

std::string Relation(const std::string& input) {
  if (input != "events" && input != "orders") return QuoteName(input);
  return "(SELECT *, encode('row ' || sid) AS __qn_raw, 7::UINTEGER AS __qn_file, sid::BIGINT AS __qn_line "
         "FROM " +
         QuoteName(input) + ")";
}

FragmentOptions WithHidden() {
  FragmentOptions options;
  options.relation = Relation;
  options.hidden = true;
  return options;
}

// Rows that one side has and the other has not.
int64_t Difference(World& world, const std::string& left, const std::string& right) {
  return world.Number("SELECT count(*) FROM (SELECT * FROM (" + left + "\n) AS a EXCEPT ALL SELECT * FROM (" +
                      right + "\n) AS b)");
}

void ExpectEqual(World& world, const std::string& sql, const Query& query) {
  const std::string original = "SELECT * FROM (" + query.sql + "\n) AS o";
  const std::string fragment = World::Take(WriteFragment(query, {}));
  SCOPED_TRACE("fragment: " + fragment);
  const Schema expected = World::Take(world.data->Describe(original));
  const Schema found = World::Take(world.data->Describe(fragment));
  EXPECT_EQ(expected, found);
  EXPECT_EQ(query.columns.size(), expected.size());
  world.Do("CREATE OR REPLACE TEMP TABLE a AS " + original);
  world.Do("CREATE OR REPLACE TEMP TABLE b AS " + fragment);
  EXPECT_EQ(world.Number("SELECT count(*) FROM a"), world.Number("SELECT count(*) FROM b"));
  EXPECT_EQ(Difference(world, "SELECT * FROM a", "SELECT * FROM b"), 0);
  EXPECT_EQ(Difference(world, "SELECT * FROM b", "SELECT * FROM a"), 0);

  const std::string hidden = World::Take(WriteFragment(query, WithHidden()));
  SCOPED_TRACE("hidden: " + hidden);
  world.Do("CREATE OR REPLACE TEMP TABLE h AS " + hidden);
  std::string visible;
  for (const Field& field : query.columns) visible += (visible.empty() ? "" : ", ") + QuoteName(field.name);
  EXPECT_EQ(Difference(world, "SELECT " + visible + " FROM h", "SELECT * FROM a"), 0);
  EXPECT_EQ(world.Number("SELECT count(*) FROM h"), world.Number("SELECT count(*) FROM a"));
  if (ColumnIndex(query.columns, "sid") >= 0) {
    EXPECT_EQ(world.Number(
                  "SELECT count(*) FROM h WHERE __qn_line IS DISTINCT FROM sid OR __qn_file IS DISTINCT FROM "
                  "7 OR decode(__qn_raw) IS DISTINCT FROM 'row ' || sid"),
              0);
  }
}

TEST(Equal, EveryStatementGivesTheSameAsItsFragment) {
  World& world = TheWorld();
  const std::vector<std::string> statements = Statements("statements.sql");
  ASSERT_GE(statements.size(), 150U);
  size_t with_rows = 0;
  for (const std::string& sql : statements) {
    SCOPED_TRACE(sql);
    Result<Query> query = world.Compile(sql);
    if (!query.ok()) {
      ADD_FAILURE() << sql << query.status().ToString();
      continue;
    }
    EXPECT_TRUE(query->mode == Mode::kStream);
    ExpectEqual(world, sql, *query);
    if (world.Number("SELECT count(*) FROM a") > 0) ++with_rows;
  }
  // The data must be able to tell a wrong fragment: nearly every statement gives rows.
  EXPECT_GE(with_rows + 5, statements.size());
}

}  // namespace
}  // namespace qn::plan
