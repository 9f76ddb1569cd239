// The circuits of some statements, as text in tests/fixtures/plans/circuits: what becomes an operator, what
// it remembers, what stays in fragments. After reading the differences:
//   QANAT_UPDATE_GOLDEN=1 ./qn_plan_test --gtest_filter='CircuitGolden*'
#include <regex>

#include "plan/circuit.h"
#include "plan/test_world.h"

namespace qn::plan {
namespace {

struct Case {
  const char* name;
  const char* sql;
  bool is_weighted = false;  // orders may be taken back; events only come
};

std::vector<Case> Cases() {
  return {
      {"filter", "SELECT sid, upper(country) AS c FROM events WHERE qty > 0"},
      {"filter_weighted", "SELECT sid, upper(note) AS c FROM orders WHERE amount > 0", true},
      {"union_all_weighted", "SELECT sid, country FROM events UNION ALL SELECT sid, currency FROM orders",
       true},
      {"bounded_beside_stream",
       "SELECT country FROM events UNION ALL SELECT code FROM countries UNION ALL SELECT 'xx'"},
      {"group_by",
       "SELECT country, count(*) AS n, sum(price) AS s, avg(qty) AS a, min(ts) AS t FROM events GROUP BY "
       "country"},
      {"group_by_weighted",
       "SELECT currency, count(*) AS n, sum(amount) AS s, avg(amount) AS a, count(note) FILTER (WHERE "
       "user_id > 3) AS c FROM orders GROUP BY currency",
       true},
      {"group_by_max_weighted", "SELECT currency, max(placed) AS last FROM orders GROUP BY currency", true},
      {"group_by_nothing", "SELECT count(*) AS n, max(price) AS m FROM events"},
      {"having", "SELECT user_id FROM events GROUP BY user_id HAVING sum(qty) > 100"},
      {"other_aggregates",
       "SELECT country, median(price) AS m, list(sid ORDER BY sid) AS l FROM events GROUP BY country"},
      {"ordered_below",
       "SELECT user_id, list(url) AS urls FROM (SELECT user_id, url FROM events ORDER BY ts) GROUP BY "
       "user_id"},
      {"count_distinct", "SELECT country, count(DISTINCT user_id) AS users FROM events GROUP BY country"},
      {"count_distinct_and_more",
       "SELECT country, count(DISTINCT user_id) AS users, count(DISTINCT url) FILTER (WHERE ok) AS urls, "
       "count(*) AS n FROM events GROUP BY country"},
      {"count_distinct_filters",
       "SELECT day, count(DISTINCT user_id) AS a, count(DISTINCT user_id) FILTER (WHERE price < 10) AS b, "
       "count(DISTINCT user_id) FILTER (WHERE price >= 10) AS c FROM events GROUP BY day"},
      {"rollup",
       "SELECT country, day, grouping(day) AS g, sum(qty) AS s FROM events GROUP BY ROLLUP (country, day)"},
      {"distinct", "SELECT DISTINCT country, qty FROM events"},
      {"union", "SELECT user_id FROM events UNION SELECT user_id FROM orders"},
      {"except", "SELECT user_id FROM events EXCEPT SELECT user_id FROM orders"},
      {"intersect_all", "SELECT user_id FROM events INTERSECT ALL SELECT user_id FROM orders"},
      {"distinct_on", "SELECT DISTINCT ON (user_id) user_id, url, ts FROM events ORDER BY user_id, ts DESC"},
      {"join_reference", "SELECT e.sid, u.name FROM events e LEFT JOIN users u ON u.user_id = e.user_id"},
      {"join_streams", "SELECT e.sid, o.amount FROM events e JOIN orders o ON e.user_id = o.user_id"},
      {"join_comma",
       "SELECT e.sid, u.name, o.amount FROM events e, users u, orders o WHERE o.user_id = e.user_id AND "
       "e.qty > 3 AND u.user_id = o.user_id AND o.amount > e.price"},
      {"join_left", "SELECT e.sid, o.amount FROM events e LEFT JOIN orders o ON e.user_id = o.user_id"},
      {"join_left_condition",
       "SELECT e.sid, o.amount FROM events e LEFT JOIN orders o ON e.user_id = o.user_id AND o.placed > "
       "e.ts"},
      {"join_full", "SELECT e.sid, o.sid AS oid FROM events e FULL JOIN orders o USING (user_id)"},
      {"join_keeps_reference",
       "SELECT u.name, e.sid FROM users u LEFT JOIN events e ON e.user_id = u.user_id"},
      {"join_range",
       "SELECT e.sid, o.sid AS oid FROM events e JOIN orders o ON o.placed BETWEEN e.ts AND e.ts + INTERVAL "
       "1 HOUR"},
      {"semi", "SELECT sid FROM events WHERE user_id IN (SELECT user_id FROM orders WHERE amount > 10)"},
      {"not_exists",
       "SELECT sid FROM events e WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = e.user_id AND "
       "o.amount > e.price)"},
      {"not_in", "SELECT sid FROM events WHERE user_id NOT IN (SELECT user_id FROM orders)"},
      {"scalar_subquery",
       "SELECT sid, (SELECT max(amount) FROM orders o WHERE o.user_id = e.user_id) AS m FROM events e"},
      {"above_average", "SELECT sid FROM events WHERE price > (SELECT avg(amount) FROM orders)"},
      {"asof",
       "SELECT e.sid, o.amount FROM events e ASOF JOIN orders o ON e.user_id = o.user_id AND e.ts >= "
       "o.placed"},
      {"window", "SELECT sid, lag(ts) OVER (PARTITION BY user_id ORDER BY ts) AS before FROM events"},
      {"top_per_key",
       "SELECT user_id, url FROM events QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts DESC) <= "
       "3"},
      {"top_per_key_numbered",
       "SELECT * FROM (SELECT user_id, url, row_number() OVER (PARTITION BY user_id ORDER BY ts DESC) AS "
       "place FROM events) WHERE place <= 3"},
      {"top_per_key_weighted",
       "SELECT user_id, note FROM orders QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY placed "
       "DESC) = 1",
       true},
      {"limit", "SELECT sid, price FROM events ORDER BY price DESC, sid LIMIT 10"},
      {"limit_offset", "SELECT sid, price FROM events ORDER BY price DESC, sid LIMIT 10 OFFSET 5"},
      {"cte_shared",
       "WITH c AS (SELECT country, count(*) AS n FROM events GROUP BY country) SELECT a.country, b.country "
       "AS other FROM c a JOIN c b ON a.n = b.n AND a.country < b.country"},
      {"recursive",
       "WITH RECURSIVE r(n) AS (SELECT qty FROM events UNION SELECT n + 1 FROM r WHERE n < 20) SELECT n FROM "
       "r"},
      {"rows_of_lists",
       "SELECT sid, (SELECT count(*) FROM unnest(tags) AS t(x) WHERE x LIKE 'r%') AS n FROM events"},
      {"unnest_grouped",
       "SELECT tag, count(*) AS n FROM (SELECT unnest(tags) AS tag FROM events) GROUP BY tag"},
  };
}

// DuckDB 2.0.1 gives text constants the type that they have anyway; 2.0.0 does not.
std::string Plain(const std::string& text) {
  static const std::regex kTyped("('(?:[^']|'')*')::VARCHAR");
  return std::regex_replace(text, kTyped, "$1");
}

CircuitOptions OptionsOf(bool is_weighted) {
  CircuitOptions options;
  options.is_stream = [](const std::string& name) { return name == "events" || name == "orders"; };
  options.is_weighted = [is_weighted](const std::string& name) { return is_weighted && name == "orders"; };
  return options;
}

Result<Circuit> CircuitOf(const std::string& sql, bool is_weighted = false) {
  QN_GET(const Query query, TheWorld().compiler->Compile({"result", "flows/shop.py:31", sql, {}, true}));
  return PlanCircuit(*query.tree, OptionsOf(is_weighted));
}

TEST(CircuitGolden, CircuitsAreAsRecorded) {
  for (const Case& one : Cases()) {
    SCOPED_TRACE(one.name);
    const Circuit circuit = World::Take(CircuitOf(one.sql, one.is_weighted));
    const std::string text = std::string(one.sql) + "\n\n" + circuit.Print();
    const std::string path = FixturePath("circuits/" + std::string(one.name) + ".txt");
    if (std::getenv("QANAT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
    EXPECT_EQ(Plain(text), Plain(ReadFile(path)));
  }
}

std::string Refusal(const std::string& sql) {
  const Result<Circuit> circuit = CircuitOf(sql);
  return circuit.ok() ? "" : circuit.status().ToString();
}

TEST(Circuit, RefusesWhatCannotFollow) {
  EXPECT_EQ(Refusal("SELECT sid, random() AS r FROM events"),
            "QN-1217  'random' cannot be kept up to date: it answers differently every time, also for rows "
            "of old.\n"
            "  A materialized view over streams is changed by each step, by what the step brings.\n"
            "  Write the statement another way, or let it read tables that are finished.");
  EXPECT_NE(Refusal("SELECT e.sid, o.amount FROM events e POSITIONAL JOIN orders o").find("POSITIONAL"),
            std::string::npos);
  EXPECT_NE(Refusal("SELECT * FROM events USING SAMPLE 3").find("'SAMPLE' cannot be kept up to date"),
            std::string::npos);
}

TEST(Circuit, RefusesTypesThatCannotBeRemembered) {
  const std::string text = Refusal("SELECT DISTINCT (country, qty) AS pair FROM events");
  EXPECT_NE(text.find("which cannot be remembered"), std::string::npos) << text;
}

TEST(Circuit, EqualPartsAreComputedOnce) {
  const Circuit circuit = World::Take(
      CircuitOf("SELECT a.country, a.n, b.n AS m FROM (SELECT country, count(*) AS n FROM events GROUP BY "
                "country) a JOIN (SELECT "
                "country, count(*) AS n FROM events GROUP BY country) b ON a.country = b.country"));
  EXPECT_EQ(circuit.ops.size(), 2U);
}

// median() has no states, so the way by distinct values is left again: nothing of it may stay.
TEST(Circuit, OperatorsThatNobodyReadsAreDropped) {
  const Circuit circuit = World::Take(CircuitOf(
      "SELECT country, count(DISTINCT user_id) AS u, median(price) AS m FROM events GROUP BY country"));
  ASSERT_EQ(circuit.ops.size(), 1U);
  EXPECT_EQ(circuit.ops[0].kind, CircuitOp::Kind::kRecompute);
  EXPECT_EQ(circuit.output.reads, std::vector<std::string>{"#0"});
}

TEST(Circuit, FingerprintsTellWhatStatesDependOn) {
  const auto fingerprint = [](const char* sql, bool is_weighted = false) {
    return World::Take(CircuitOf(sql, is_weighted)).Fingerprint();
  };
  const char* base = "SELECT currency, sum(amount) AS s FROM orders GROUP BY currency";
  EXPECT_EQ(fingerprint(base), fingerprint(base));
  EXPECT_EQ(fingerprint(base), fingerprint("SELECT currency, sum(amount) AS total FROM orders GROUP BY 1"));
  EXPECT_NE(fingerprint(base), fingerprint(base, true));
  EXPECT_NE(fingerprint(base),
            fingerprint("SELECT currency, sum(amount + 1) AS s FROM orders GROUP BY currency"));
  EXPECT_NE(fingerprint(base),
            fingerprint("SELECT currency, min(amount) AS s FROM orders GROUP BY currency"));
}

TEST(Circuit, JsonNamesOperatorsAndWhatTheyRead) {
  const Circuit circuit =
      World::Take(CircuitOf("SELECT e.country, median(o.amount) AS m FROM events e JOIN orders o ON "
                            "e.user_id = o.user_id GROUP BY e.country",
                            true));
  const Json json = circuit.ToJson();
  ASSERT_EQ(json["ops"].Items().size(), 2U);
  const Json& join = json["ops"].At(0);
  EXPECT_EQ(join["kind"].Str(), "join");
  EXPECT_TRUE(join["native"].Bool());
  EXPECT_TRUE(join["weighted"].Bool());
  EXPECT_EQ(join["inputs"].Dump(), R"(["events","orders"])");
  EXPECT_EQ(join["label"].Str(), "JOIN ON user_id = user_id");
  const Json& median = json["ops"].At(1);
  EXPECT_FALSE(median["native"].Bool());
  EXPECT_EQ(median["how"].Str(), "recomputed by key");
  EXPECT_EQ(median["columns"].Dump(), R"([{"name":"country","type":"VARCHAR"},{"name":"median(amount)","type":"DOUBLE"
}])");
  EXPECT_EQ(json["inputs"].At(1).Dump(), R"({"name":"orders","once":false,"weighted":true})");
EXPECT_EQ(json["output"].Dump(), R"({"inputs":["#1"],"weighted":true})");
}

// Only what is looked at above goes into memory.
TEST(Circuit, OperatorsRememberNeededColumnsOnly) {
  const Circuit circuit = World::Take(
      CircuitOf("SELECT e.sid FROM events e JOIN orders o ON e.user_id = o.user_id WHERE e.qty > 1"));
  ASSERT_EQ(circuit.ops.size(), 1U);
  EXPECT_EQ(ColumnNames(circuit.ops[0].inputs[0].columns), "user_id, sid");
  EXPECT_EQ(ColumnNames(circuit.ops[0].inputs[1].columns), "user_id");
}

TEST(Circuit, ABoundedStatementIsGivenOnce) {
  const Circuit circuit = World::Take(CircuitOf("SELECT level, count(*) AS n FROM users GROUP BY level"));
  ASSERT_EQ(circuit.ops.size(), 1U);
  EXPECT_TRUE(circuit.ops[0].inputs.empty());
  EXPECT_FALSE(circuit.output.is_weighted);
  const Circuit scan = World::Take(CircuitOf("SELECT name FROM users WHERE level > 1"));
  EXPECT_TRUE(scan.ops.empty());
  ASSERT_EQ(scan.inputs.size(), 1U);
  EXPECT_TRUE(scan.inputs[0].is_once);
}

}  // namespace
}  // namespace qn::plan
