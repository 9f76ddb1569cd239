// What a circuit's planner refuses and why, and what stays the same when a tree is planned again. What
// circuits answer is in circuit_law_test.cc.
#include "plan/circuit.h"

#include "plan/test_world.h"

namespace qn::plan {
namespace {

CircuitOptions Options() {
  CircuitOptions options;
  options.is_stream = [](const std::string& name) { return name == "events" || name == "orders"; };
  options.is_weighted = [](const std::string&) { return false; };
  return options;
}

Query Compiled(const std::string& sql) {
  return World::Take(TheWorld().compiler->Compile({"result", "flows/shop.py:31", sql, {}, true}));
}

std::string Refusal(const std::string& sql) {
  const Query query = Compiled(sql);
  const Result<Circuit> circuit = PlanCircuit(*query.tree, Options());
  return circuit.ok() ? circuit->Print() : circuit.status().ToString();
}

TEST(CircuitPlan, TellsTheAggregateThatComesOutOnceAgainBehindWaysNotTaken) {
  // avg(DISTINCT ts) is begun natively and then computed anew by key: what was begun goes.
  const Query query = Compiled(
      "SELECT day, sum(n) AS n, count(a) AS k FROM (SELECT day, country, count(*) AS n, avg(DISTINCT ts) AS "
      "a "
      "FROM events GROUP BY ALL) GROUP BY day");
  CircuitOptions options = Options();
  const Circuit first = World::Take(PlanCircuit(*query.tree, options));
  ASSERT_EQ(first.output.reads.size(), 1U);
  const CircuitOp& top = first.ops.at(std::stoul(first.output.reads[0].substr(1)));
  ASSERT_EQ(top.kind, CircuitOp::Kind::kAggregate);
  EXPECT_TRUE(first.output.is_weighted);
  options.emits_once = top.identity;
  const Circuit second = World::Take(PlanCircuit(*query.tree, options));
  EXPECT_FALSE(second.output.is_weighted);
  size_t once = 0;
  for (const CircuitOp& op : second.ops) {
    if (!op.is_weighted) ++once;
    EXPECT_EQ(op.is_weighted, op.identity != top.identity) << op.label;
  }
  EXPECT_EQ(once, 1U);
}

TEST(CircuitPlan, RefusesSetOperationsOverTextsWithACollation) {
  for (const char* word : {"EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"}) {
    const std::string told = Refusal("SELECT country COLLATE NOCASE AS c FROM events " + std::string(word) +
                                     " SELECT currency FROM orders");
    EXPECT_NE(told.find("QN-1217"), std::string::npos) << told;
    EXPECT_NE(told.find("over texts with a collation cannot be kept up to date: texts that differ are equal"),
              std::string::npos)
        << told;
  }
  const std::string plain = Refusal(
      "SELECT country FROM events WHERE country COLLATE NOCASE = 'DE' EXCEPT SELECT currency FROM orders");
  EXPECT_EQ(plain.find("QN-1217"), std::string::npos) << plain;
}

TEST(CircuitPlan, RefusesAnOrderThatItCannotFollow) {
  for (const char* sql : {"SELECT unnest(nums) AS e FROM (SELECT nums FROM events ORDER BY sid) LIMIT 3",
                          "SELECT * FROM (SELECT sid, sum(qty) OVER (PARTITION BY country) AS s FROM "
                          "(SELECT * FROM events ORDER BY sid)) LIMIT 3",
                          "SELECT e, row_number() OVER () AS n FROM (SELECT unnest(nums) AS e FROM "
                          "(SELECT nums FROM events ORDER BY sid))"}) {
    const std::string told = Refusal(sql);
    EXPECT_NE(told.find("QN-1217"), std::string::npos) << told;
    EXPECT_NE(told.find("below which ORDER BY stands; put it above that"), std::string::npos) << told;
  }
}

}  // namespace
}  // namespace qn::plan
