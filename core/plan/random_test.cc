// Statements that nobody wrote: random expressions over the tables, run as they are and as fragments. The
// seed is fixed; QANAT_RANDOM_STATEMENTS asks for more of them.
#include <random>

#include "plan/test_world.h"

namespace qn::plan {
namespace {

class Grammar {
 public:
  explicit Grammar(uint32_t seed) : random_(seed) {}

  std::string Statement() {
    const std::string from =
        Pick({"events e", "events e", "events e LEFT JOIN users u ON u.user_id = e.user_id",
              "events e JOIN countries c ON lower(e.country) = c.code",
              "(SELECT *, " + Number(2) + " AS extra FROM events e WHERE " + Condition(2) + ") e"});
    std::string sql = "SELECT e.sid";
    const int items = 1 + Below(4);
    for (int i = 0; i < items; ++i) sql += ", " + Any(3) + " AS x" + std::to_string(i);
    sql += " FROM " + from + " WHERE " + Condition(3);
    if (Below(5) == 0)
      sql += " UNION ALL SELECT e.sid" + Repeat(", NULL", items) + " FROM events e WHERE " + Condition(2);
    return sql;
  }

 private:
  static std::string Repeat(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  }

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  std::string Pick(const std::vector<std::string>& of) {
    return of[static_cast<size_t>(Below(static_cast<int>(of.size())))];
  }

  std::string Any(int depth) {
    switch (Below(7)) {
      case 0:
        return Number(depth);
      case 1:
        return Text(depth);
      case 2:
        return Condition(depth);
      case 3:
        return Decimal(depth);
      case 4:
        return Time(depth);
      case 5:
        return List(depth);
      default:
        return "{'n': " + Number(depth - 1) + ", 't': " + Text(depth - 1) + "}";
    }
  }

  std::string Number(int depth) {
    if (depth <= 0)
      return Pick({"e.qty", "e.small", "e.sid", "5", "-3", "0", "e.big", "len(e.tags)", "NULL::INTEGER",
                   "2.5::DOUBLE"});
    const std::string a = Number(depth - 1);
    const std::string b = Number(depth - 1);
    switch (Below(11)) {
      case 0:
        return "(" + a + " + " + b + ")";
      case 1:
        return "(" + a + " - " + b + ")";
      case 2:
        return "(" + a + " * 3)";
      case 3:
        return "(" + a + " % 7)";
      case 4:
        return "abs(" + a + ")";
      case 5:
        return "CASE WHEN " + Condition(depth - 1) + " THEN " + a + " ELSE " + b + " END";
      case 6:
        return "coalesce(" + a + ", " + b + ")";
      case 7:
        return "length(" + Text(depth - 1) + ")";
      case 8:
        return "greatest(" + a + ", " + b + ")";
      case 9:
        return "TRY_CAST(" + Text(depth - 1) + " AS BIGINT)";
      default:
        return "nullif(" + a + ", " + b + ")";
    }
  }

  std::string Decimal(int depth) {
    if (depth <= 0) return Pick({"e.price", "1.5", "0.05", "e.price", "100"});
    const std::string a = Decimal(depth - 1);
    const std::string b = Decimal(depth - 1);
    switch (Below(7)) {
      case 0:
        return "(" + a + " + " + b + ")";
      case 1:
        return "(" + a + " - " + b + ")";
      case 2:
        return "(" + a + " * 1.19)";
      case 3:
        return "round(" + a + ", 1)";
      case 4:
        return "CASE WHEN " + Condition(depth - 1) + " THEN " + a + " ELSE " + b + " END";
      case 5:
        return "(" + a + " + e.qty)";
      default:
        return "least(" + a + ", " + b + ")";
    }
  }

  std::string Text(int depth) {
    if (depth <= 0)
      return Pick({"e.url", "e.country", "'x'", "''", "'é''q'", "e.place.city", "e.payload->>'name'",
                   "e.kind::VARCHAR"});
    const std::string a = Text(depth - 1);
    switch (Below(10)) {
      case 0:
        return "upper(" + a + ")";
      case 1:
        return "(" + a + " || " + Text(depth - 1) + ")";
      case 2:
        return "left(" + a + ", 3)";
      case 3:
        return "coalesce(" + a + ", " + Text(depth - 1) + ")";
      case 4:
        return "CAST(" + Number(depth - 1) + " AS VARCHAR)";
      case 5:
        return "regexp_extract(" + a + ", '([a-z]+)', 1)";
      case 6:
        return "CASE " + a + " WHEN 'x' THEN 'y' WHEN e.country THEN " + Text(depth - 1) + " END";
      case 7:
        return "(" + List(depth - 1) + ")[1]";
      case 8:
        return "strftime(" + Time(depth - 1) + ", '%Y-%m')";
      default:
        return "concat_ws('|', " + a + ", " + Number(depth - 1) + ")";
    }
  }

  std::string Time(int depth) {
    if (depth <= 0) return Pick({"e.ts", "e.ts", "e.day::TIMESTAMP", "TIMESTAMP '2024-01-15 10:30:00'"});
    const std::string a = Time(depth - 1);
    switch (Below(5)) {
      case 0:
        return "date_trunc('" + Pick({"hour", "day", "month"}) + "', " + a + ")";
      case 1:
        return "(" + a + " + INTERVAL " + Pick({"1 DAY", "3 HOUR", "'1 month 2 days'"}) + ")";
      case 2:
        return "time_bucket(INTERVAL 15 MINUTE, " + a + ")";
      case 3:
        return "coalesce(" + a + ", " + Time(depth - 1) + ")";
      default:
        return "(" + a + " + to_minutes(e.qty))";
    }
  }

  std::string List(int depth) {
    if (depth <= 0)
      return Pick({"e.tags", "[e.country, e.url]", "[]::VARCHAR[]", "string_split(e.url, '/')"});
    const std::string a = List(depth - 1);
    switch (Below(5)) {
      case 0:
        return "list_transform(" + a + ", lambda x: x || " + Text(depth - 1) + ")";
      case 1:
        return "list_filter(" + a + ", lambda x, i: i > e.qty OR x = " + Text(depth - 1) + ")";
      case 2:
        return "list_sort(" + a + ")";
      case 3:
        return a + "[1:2]";
      default:
        return "list_concat(" + a + ", " + List(depth - 1) + ")";
    }
  }

  std::string Condition(int depth) {
    if (depth <= 0)
      return Pick({"e.ok", "e.qty > 2", "e.country IS NOT NULL", "true", "e.price < 50",
                   "e.country IN ('de', 'fr')"});
    switch (Below(13)) {
      case 0:
        return "(" + Condition(depth - 1) + " AND " + Condition(depth - 1) + ")";
      case 1:
        return "(" + Condition(depth - 1) + " OR " + Condition(depth - 1) + ")";
      case 2:
        return "(NOT " + Condition(depth - 1) + ")";
      case 3:
        return "(" + Number(depth - 1) + Pick({" > ", " <= ", " = ", " <> "}) + Number(depth - 1) + ")";
      case 4:
        return "(" + Text(depth - 1) +
               Pick({" LIKE '%s%'", " = 'de'", " IS NULL", " ILIKE 'D%'", " ~ '.*[0-9].*'"}) + ")";
      case 5:
        return "(" + Time(depth - 1) + " >= " + Time(depth - 1) + ")";
      case 6:
        return "(" + Number(depth - 1) + " BETWEEN " + Number(depth - 1) + " AND " + Number(depth - 1) + ")";
      case 7:
        return "(" + Decimal(depth - 1) + " IS DISTINCT FROM " + Decimal(depth - 1) + ")";
      case 8:
        return "list_contains(" + List(depth - 1) + ", " + Text(depth - 1) + ")";
      case 9:
        return "(e.user_id " + Pick({"IN", "NOT IN"}) + " (SELECT user_id FROM users WHERE level > " +
               Pick({"0", "2", "9"}) + "))";
      case 10:
        return "EXISTS (SELECT 1 FROM users x WHERE x.user_id = e.user_id AND x.level > 1)";
      case 11:
        return "((SELECT max(level) FROM users x WHERE x.user_id = e.user_id) > 2)";
      default:
        return "(" + Number(depth - 1) + " IN (1, 2, NULL, " + Number(depth - 1) + "))";
    }
  }

  std::mt19937 random_;
};

TEST(Random, StatementsGiveTheSameAsTheirFragments) {
  World& world = TheWorld();
  const char* wanted = std::getenv("QANAT_RANDOM_STATEMENTS");
  const int count = wanted != nullptr ? std::atoi(wanted) : 150;
  int compared = 0;
  world.Do("CREATE OR REPLACE TEMP TABLE all_events AS SELECT * FROM events");
  for (int i = 0; i < count; ++i) {
    const std::string sql = Grammar(static_cast<uint32_t>(i)).Statement();
    SCOPED_TRACE("seed " + std::to_string(i) + ": " + sql);
    if (!world.data->Describe(sql).ok()) continue;  // the grammar knows no types finer than its own
    const Result<Query> query = world.Compile(sql);
    if (!query.ok()) {
      ADD_FAILURE() << query.status().ToString();
      continue;
    }
    const std::string fragment = World::Take(WriteFragment(*query, {}));
    SCOPED_TRACE("fragment: " + fragment);
    const bool runs = world.data->Query("CREATE OR REPLACE TEMP TABLE a AS " + sql).ok();
    const Result<duck::Rows> again = world.data->Query("CREATE OR REPLACE TEMP TABLE b AS " + fragment);
    if (!runs) continue;  // a value out of range, say
    EXPECT_TRUE(again.ok()) << again.status().ToString();
    EXPECT_EQ(World::Take(world.data->Describe("FROM a")), World::Take(world.data->Describe("FROM b")));
    EXPECT_EQ(world.Number(
                  "SELECT count(*) FROM ((FROM a EXCEPT ALL FROM b) UNION ALL (FROM b EXCEPT ALL FROM a))"),
              0);
    ++compared;
  }
  EXPECT_GE(compared, count * 8 / 10);
  RecordProperty("compared", compared);
}

}  // namespace
}  // namespace qn::plan
