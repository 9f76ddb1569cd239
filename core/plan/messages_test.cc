// What a user reads when a statement is refused.
#include "plan/test_world.h"

namespace qn::plan {
namespace {

std::string Refusal(const std::string& sql, std::vector<Rule> rules = {}) {
  Result<Query> query = TheWorld().Compile(sql, std::move(rules));
  return query.ok() ? "accepted" : query.status().ToString();
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string RuleRefusal(const std::string& condition) {
  return Refusal("SELECT sid, user_id, price AS amount, url FROM events",
                 {{"positive", condition, "flows/shop.py:30"}});
}

TEST(Messages, UnknownColumnInARule) {
  EXPECT_EQ(RuleRefusal("amout > 0"),
            "QN-1203  Column 'amout' does not exist in dataset 'result'.\n"
            "  at flows/shop.py:30, in the expectation 'positive':  amout > 0\n"
            "  'result' has: sid, user_id, amount, url\n"
            "  Did you mean 'amount'?\n"
            "  Nothing was started.");
}

TEST(Messages, UnknownColumnInTheSql) {
  EXPECT_EQ(Refusal("SELECT user_id, nme\nFROM users"),
            "QN-1203  Column 'nme' does not exist in dataset 'users'.\n"
            "  at flows/shop.py:31, in the dataset 'result', line 1:  SELECT user_id, nme\n"
            "  'users' has: user_id, name, country, born, level\n"
            "  Did you mean 'name'?\n"
            "  Nothing was started.");
  EXPECT_EQ(FirstLine(Refusal("SELECT e.sid, contry FROM orders e JOIN users u USING (user_id)")),
            "QN-1203  Column 'contry' does not exist in what dataset 'result' reads.");
  EXPECT_EQ(FirstLine(Refusal("SELECT users.nme FROM users JOIN countries ON country = code")),
            "QN-1203  Column 'nme' does not exist in dataset 'users'.");
  EXPECT_EQ(FirstLine(Refusal("SELECT labl FROM shouting")),
            "QN-1203  Column 'labl' does not exist in dataset 'shouting'.");
}

TEST(Messages, ColumnThatASubqueryKeepsBack) {
  EXPECT_EQ(
      Refusal("SELECT level FROM (SELECT user_id, name FROM users)"),
      "QN-1203  Column 'level' of 'users' does not reach this place of the SQL.\n"
      "  at flows/shop.py:31, in the dataset 'result':  SELECT level FROM (SELECT user_id, name FROM users)\n"
      "  A subquery or a WITH in between does not hand it on.\n"
      "  Here there is, for example: name\n"
      "  Nothing was started.");
}

TEST(Messages, UnknownDataset) {
  EXPECT_EQ(Refusal("SELECT sid FROM evnts"),
            "QN-1201  There is no dataset or source 'evnts'.\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT sid FROM evnts\n"
            "  The pipeline has: events, orders, users, countries, prices, shouting, levels\n"
            "  Did you mean 'events'?\n"
            "  Nothing was started.");
  EXPECT_EQ(Refusal("SELECT x.sid FROM events e"),
            "QN-1201  'x' is not among the tables of this SELECT.\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT x.sid FROM events e\n"
            "  It has: e\n"
            "  Nothing was started.");
}

TEST(Messages, UnknownFunction) {
  EXPECT_EQ(Refusal("SELECT uper(url) AS u FROM events"),
            "QN-1216  Function 'uper' does not exist.\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT uper(url) AS u FROM events\n"
            "  Did you mean 'upper'?\n"
            "  Nothing was started.");
}

TEST(Messages, TypeClash) {
  EXPECT_EQ(Refusal("SELECT name + level AS x FROM users"),
            "QN-1205  Types do not fit in dataset 'result': there is no operator +(VARCHAR, INTEGER).\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT name + level AS x FROM users\n"
            "  'users' has: name VARCHAR, level INTEGER\n"
            "  Say which type is meant, for example CAST(x AS BIGINT).\n"
            "  Nothing was started.");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid FROM events WHERE country > 5")),
            "QN-1205  Types do not fit in dataset 'result': Cannot compare values of type VARCHAR and type "
            "INTEGER - an "
            "explicit cast is required.");
  EXPECT_EQ(FirstLine(RuleRefusal("url + 1 > 2")),
            "QN-1205  Types do not fit in expectation 'positive': there is no operator +(VARCHAR, INTEGER).");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid, NULL AS x FROM events")),
            "QN-1205  Column 'x' is always NULL and has no type.");
}

TEST(Messages, RuleThatIsNoCondition) {
  EXPECT_EQ(RuleRefusal("amount"),
            "QN-1205  The condition of expectation 'positive' is DECIMAL(10,2), not BOOLEAN.\n"
            "  at flows/shop.py:30, in the expectation 'positive':  amount\n"
            "  Compare it with something: a rule holds or does not.\n"
            "  Nothing was started.");
  EXPECT_EQ(FirstLine(RuleRefusal("NULL")),
            "QN-1205  The condition of expectation 'positive' is always NULL.");
  EXPECT_EQ(FirstLine(RuleRefusal(" -- none")), "QN-1206  The condition of expectation 'positive' is empty.");
  EXPECT_EQ(FirstLine(RuleRefusal("amount > 0, sid > 0")),
            "QN-1206  The condition of expectation 'positive' is not one expression.");
  EXPECT_EQ(FirstLine(RuleRefusal("true FROM users")),
            "QN-1206  The condition of expectation 'positive' is not one expression.");
  EXPECT_EQ(FirstLine(RuleRefusal("amount > 0; DROP TABLE users")),
            "QN-1206  The condition of expectation 'positive' is not one expression.");
  EXPECT_EQ(RuleRefusal("amount > 0)"),
            "QN-1206  The condition of expectation 'positive' is not complete or has a slip near ')'.\n"
            "  at flows/shop.py:30, in the expectation 'positive':\n"
            "    amount > 0)\n"
            "              ^\n"
            "  Nothing was started.");
}

TEST(Messages, RuleOverManyRows) {
  EXPECT_EQ(RuleRefusal("sum(amount) > 1"),
            "QN-1210  The condition of expectation 'positive' looks at more than one row: an aggregate.\n"
            "  at flows/shop.py:30, in the expectation 'positive':  sum(amount) > 1\n"
            "  A rule is checked row by row, as rows come in. Compute the value in the SQL of a materialized "
            "view.\n"
            "  Nothing was started.");
  EXPECT_EQ(
      FirstLine(RuleRefusal("count(*) OVER () > 1")),
      "QN-1210  The condition of expectation 'positive' looks at more than one row: a window function.");
}

TEST(Messages, Syntax) {
  EXPECT_EQ(Refusal("SELECT sid,\n       url\nFRM events\nWHERE qty > 1"),
            "QN-1206  The SQL of dataset 'result' is not complete or has a slip near 'events'.\n"
            "  at flows/shop.py:31, in the dataset 'result', line 3 of its SQL:\n"
            "    FRM events\n"
            "        ^\n"
            "  Nothing was started.");
  EXPECT_EQ(Refusal(" -- nothing\n;"),
            "QN-1206  The SQL of dataset 'result' is empty.\n"
            "  at flows/shop.py:31, in the dataset 'result'\n"
            "  Nothing was started.");
}

TEST(Messages, NotOneSelect) {
  EXPECT_EQ(Refusal("INSERT INTO events VALUES (1)"),
            "QN-1209  The SQL of dataset 'result' is not a SELECT.\n"
            "  at flows/shop.py:31, in the dataset 'result':  INSERT INTO events VALUES (1)\n"
            "  A dataset is one SELECT that gives its rows; Qanat writes them.\n"
            "  Nothing was started.");
  EXPECT_EQ(FirstLine(Refusal("SELECT 1 AS a; SELECT 2 AS b")),
            "QN-1209  The SQL of dataset 'result' is more than one statement.");
  EXPECT_NE(Refusal("PIVOT events ON country USING sum(price)").find("PIVOT has to name its columns"),
            std::string::npos);
  EXPECT_EQ(FirstLine(Refusal("SELECT sum(qty) AS s, country FROM events")),
            "QN-1209  DuckDB cannot compile dataset 'result': column \"country\" must appear in the GROUP BY "
            "clause or must "
            "be part of an aggregate function.");
}

TEST(Messages, OutputNames) {
  EXPECT_EQ(Refusal("SELECT * FROM orders JOIN users ON orders.user_id = users.user_id"),
            "QN-1207  Column 'user_id' comes out twice.\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT * FROM orders JOIN users ON "
            "orders.user_id = users.user_id\n"
            "  Name one of them anew with AS, or leave it out with * EXCLUDE (user_id).\n"
            "  Nothing was started.");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid, qty AS SID FROM events")),
            "QN-1207  Column 'SID' comes out twice.");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid, qty + 1 FROM events")),
            "QN-1207  Column 2 has no name that a table can keep: '(qty + 1)'.");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid AS __qn_raw FROM events")),
            "QN-1207  Names with '__qn_' are kept for inner use.");
}

TEST(Messages, Memory) {
  EXPECT_EQ(Refusal("SELECT country, count(*) AS n FROM events GROUP BY country"),
            "QN-1210  Dataset 'result' needs memory across steps: an aggregate over 'events'.\n"
            "  at flows/shop.py:31, in the dataset 'result':  SELECT country, count(*) AS n FROM events "
            "GROUP BY country\n"
            "  The operator: Aggregate by country: count_star()\n"
            "  A streaming table only appends what each step brings; rows of later steps would change this "
            "answer.\n"
            "  Make it a @qn.materialized_view, which follows its inputs step by step and may change rows. "
            "Or leave the operator out.\n"
            "  Nothing was started.");
  EXPECT_EQ(
      Refusal("SELECT user_id FROM events UNION ALL SELECT user_id FROM users"),
      "QN-1210  Dataset 'result' needs memory across steps: rows of a bounded input beside a stream "
      "('events').\n"
      "  at flows/shop.py:31, in the dataset 'result':  SELECT user_id FROM events UNION ALL SELECT user_id "
      "FROM users\n"
      "  The operator: Union all\n"
      "  A streaming table appends what each step brings; these rows would be appended again in every step.\n"
      "  Append them by a flow of their own: @qn.append_flow(target=\"result\", once=True).\n"
      "  Nothing was started.");
}

// Statement, and what must stand behind "needs memory across steps: ".
TEST(Messages, EveryOperatorThatNeedsMemory) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"SELECT max(price) AS top FROM events", "an aggregate over 'events'."},
      {"SELECT country FROM events GROUP BY country", "GROUP BY over 'events'."},
      {"SELECT country, price FROM events GROUP BY ALL HAVING count(*) > 1", "an aggregate over 'events'."},
      {"SELECT DISTINCT country FROM events", "DISTINCT over 'events'."},
      {"SELECT DISTINCT ON (country) country, sid FROM events", "DISTINCT ON over 'events'."},
      {"SELECT sid FROM events ORDER BY sid", "ORDER BY over 'events'."},
      {"SELECT sid FROM events LIMIT 10", "LIMIT over 'events'."},
      {"SELECT sid, row_number() OVER (ORDER BY ts) AS n FROM events", "a window function over 'events'."},
      {"SELECT sid, row_number() OVER () AS n FROM events", "a window function over 'events'."},
      {"SELECT sid FROM events QUALIFY row_number() OVER (PARTITION BY country ORDER BY ts) = 1",
       "a window function over 'events'."},
      {"SELECT e.sid, o.amount FROM events e JOIN orders o USING (user_id)",
       "a join of streams ('events', 'orders')."},
      {"SELECT e.sid FROM events e LEFT JOIN orders o USING (user_id)",
       "a join of streams ('events', 'orders')."},
      {"SELECT a.sid FROM events a JOIN events b ON a.user_id = b.user_id", "a join of streams ('events')."},
      {"SELECT e.sid FROM events e, orders o", "a join of streams ('events', 'orders')."},
      {"SELECT sid FROM events WHERE user_id IN (SELECT user_id FROM orders)",
       "a join of streams ('events', 'orders')."},
      {"WITH q AS MATERIALIZED (SELECT sid, user_id FROM events) SELECT a.sid FROM q a JOIN q b ON a.sid = "
       "b.sid",
       "a join of streams ('events')."},
      {"SELECT u.name, e.sid FROM users u LEFT JOIN events e USING (user_id)",
       "an outer join that keeps unmatched rows of the bounded side over 'events'."},
      {"SELECT u.name, e.sid FROM events e RIGHT JOIN users u USING (user_id)",
       "an outer join that keeps unmatched rows of the bounded side over 'events'."},
      {"SELECT u.name, e.sid FROM events e FULL JOIN users u USING (user_id)",
       "an outer join that keeps unmatched rows of the bounded side over 'events'."},
      {"SELECT name FROM users WHERE user_id IN (SELECT user_id FROM events)",
       "a subquery over a stream ('events')."},
      {"SELECT name FROM users u WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.user_id = u.user_id)",
       "a subquery over a stream ('events')."},
      {"SELECT name FROM users SEMI JOIN events USING (user_id)", "a subquery over a stream ('events')."},
      {"SELECT sid, (SELECT max(amount) FROM orders) AS m FROM events", "an aggregate over 'orders'."},
      {"SELECT sid, (SELECT count(*) FROM orders o WHERE o.user_id = e.user_id) AS m FROM events e",
       "an aggregate over 'orders'."},
      {"SELECT sid, (SELECT amount FROM orders o WHERE o.user_id < e.user_id LIMIT 1) AS m FROM events e",
       "a window function over 'events', 'orders'."},
      {"SELECT sid FROM events UNION SELECT sid FROM orders", "UNION without ALL over 'events', 'orders'."},
      {"SELECT sid FROM events EXCEPT SELECT sid FROM orders", "EXCEPT over 'events', 'orders'."},
      {"SELECT user_id FROM users INTERSECT SELECT user_id FROM events", "INTERSECT over 'events'."},
      {"SELECT sid FROM events UNION ALL SELECT 5", "rows of a bounded input beside a stream ('events')."},
      {"SELECT sid FROM events WHERE qty > 1 UNION ALL BY NAME SELECT 5 AS sid",
       "rows of a bounded input beside a stream ('events')."},
      {"WITH RECURSIVE t(n) AS (SELECT sid FROM events UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n "
       "FROM t",
       "a recursive CTE over 'events'."},
      {"SELECT sid FROM events USING SAMPLE 10", "SAMPLE over 'events'."},
      {"SELECT name FROM users ASOF JOIN events e ON users.born >= e.ts",
       "an ASOF join that looks up rows of a stream ('events')."},
      {"SELECT e.sid FROM events e ASOF JOIN orders o ON e.ts >= o.placed",
       "a join of streams ('events', 'orders')."},
      {"SELECT sid, name FROM events POSITIONAL JOIN (SELECT name FROM users)",
       "POSITIONAL_JOIN over 'events'."},
      {"SELECT label, count(*) AS n FROM shouting GROUP BY label", "an aggregate over 'events'."},
      {"PIVOT (SELECT sid, country FROM events) ON country IN ('de', 'fr') USING count(*)",
       "an aggregate over 'events'."},
      {"SELECT list(sid) AS l FROM (SELECT sid, unnest(tags) AS t FROM events)",
       "an aggregate over 'events'."},
  };
  for (const auto& [sql, what] : cases) {
    EXPECT_EQ(FirstLine(Refusal(sql)),
              std::string("QN-1210  Dataset 'result' needs memory across steps: ") + what)
        << sql;
  }
}

TEST(Messages, VolatileFunctions) {
  EXPECT_EQ(
      Refusal("SELECT sid, random() AS r FROM events"),
      "QN-1215  'random' in dataset 'result' answers differently every time.\n"
      "  at flows/shop.py:31, in the dataset 'result':  SELECT sid, random() AS r FROM events\n"
      "  A step that is repeated after a crash must give the same rows again.\n"
      "  Take the value from the data, or make the dataset a @qn.materialized_view over bounded inputs.\n"
      "  Nothing was started.");
  for (const char* sql :
       {"SELECT sid, now() AS t FROM events", "SELECT sid, uuid() AS u FROM events",
        "SELECT sid FROM events WHERE ts < current_timestamp - INTERVAL 1 DAY",
        "SELECT sid FROM events WHERE day = current_date + 1", "SELECT sid, localtimestamp AS l FROM events",
        "SELECT sid, today() AS t FROM events",
        "SELECT sid, list_transform(tags, lambda t: t || gen_random_uuid()) AS l FROM events",
        "SELECT e.sid, r.x FROM events e JOIN (SELECT user_id, random() AS x FROM users) r USING "
        "(user_id)"}) {
    EXPECT_EQ(FirstLine(Refusal(sql)).substr(0, 7), "QN-1215") << sql;
  }
  EXPECT_EQ(FirstLine(RuleRefusal("random() > 0.5")),
            "QN-1215  'random' in expectation 'positive' answers differently every time.");
}

TEST(Messages, WhatCannotBeCarried) {
  EXPECT_EQ(FirstLine(Refusal("SELECT rowid AS r FROM events")),
            "QN-1208  The SQL of dataset 'result' cannot be cut into a fragment: 'rowid' cannot be carried "
            "into a fragment.");
  EXPECT_EQ(FirstLine(Refusal("SELECT sid, content FROM events, read_text('" + FixturePath("statements.sql") +
                              "')")),
            "QN-1208  Dataset 'result' reads the stream 'events' and files beside the pipeline.");
  // DuckDB 2.0.0 writes glob into the plan, 2.0.1 does not.
  const std::string glob = FirstLine(Refusal("SELECT sid, file FROM events, glob('*')"));
  EXPECT_TRUE(glob == "QN-1208  Dataset 'result' reads the stream 'events' and files beside the pipeline." ||
              glob ==
                  "QN-1208  The SQL of dataset 'result' cannot be cut into a fragment: 'glob' reads beside "
                  "the pipeline; declare it as a reference and read that.")
      << glob;
}

TEST(Messages, ValuesWithoutNames) {
  EXPECT_EQ(
      Refusal("SELECT sid, (SELECT (max(rate), min(rate)) FROM prices) AS q FROM events"),
      "QN-1205  Column 'q' has a type that a table cannot keep: TUPLE.\n"
      "  at flows/shop.py:31, in the dataset 'result':  SELECT sid, (SELECT (max(rate), min(rate)) FROM "
      "prices) AS q FROM events\n"
      "  Name the values: {'a': …, 'b': …} AS q, in place of (…, …).\n"
      "  Nothing was started.");
}

}  // namespace
}  // namespace qn::plan
