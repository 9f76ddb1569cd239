// What goes through the sink comes back by the scan, in the real DuckDB: types, NULLs, weights, threads.
#include <gtest/gtest.h>

#include <algorithm>

#include "ops/delta_scan.h"
#include "ops/delta_sink.h"
#include "ops/test_duck.h"

namespace qn::ops {
namespace {

using duck::Encoding;
using duck::RowCodec;

// Columns of many types over `i`, each NULL at times.
const std::vector<std::string>& Values() {
  static const std::vector<std::string> kValues = {
      "i::INTEGER",
      "'text ' || repeat('x', (i % 40)::INT)",
      "CASE WHEN i % 3 > 0 THEN (i / 7)::DECIMAL(38,3) END",
      "CASE WHEN i % 5 > 0 THEN [i, NULL, i + 1] END",
      "CASE WHEN i % 4 > 0 THEN {'a': i, 'b': CASE WHEN i % 7 > 0 THEN ['é', i::VARCHAR] END} END",
      "CASE WHEN i % 6 > 0 THEN MAP {'k': i::DOUBLE, 'l' || i: NULL} END",
      "CASE WHEN i % 9 > 0 THEN [(i % 1000)::SMALLINT, NULL, 3::SMALLINT]::SMALLINT[3] END",
      "CASE WHEN i % 2 > 0 THEN TIMESTAMP '2024-02-29 12:00:00' + to_seconds(i) END",
      "CASE WHEN i % 2 > 0 THEN INTERVAL (i) MONTH + INTERVAL 40 DAY END",
      "CASE WHEN i % 3 > 0 THEN md5(i::VARCHAR)::UUID END",
      "(i % 2)::BOOLEAN",
      "CASE WHEN i % 3 > 0 THEN (i::VARCHAR)::BLOB END",
  };
  return kValues;
}

std::string Select(size_t rows) {
  std::string sql = "SELECT ";
  for (size_t i = 0; i < Values().size(); ++i) {
    sql += (i > 0 ? ", " : "") + Values()[i] + " AS c" + std::to_string(i);
  }
  return sql + " FROM range(" + std::to_string(rows) + ") AS r(i)";
}

// Takes rows in with the first `keys` columns as key, and shows them again.
struct Round {
  Round(Duck& duck, const std::string& sql, size_t keys, bool is_weighted_in, bool is_weighted_out) {
    Schema columns = duck.Describe(sql);
    if (is_weighted_in) columns.pop_back();
    const std::vector<Type> key = TypesOf(columns, 0, keys);
    const std::vector<Type> row = TypesOf(columns, keys);
    sink = std::make_unique<DeltaSink>(key, row, keys, is_weighted_in, budget);
    EXPECT_TRUE(RegisterRowSink(*duck.connection, "take_in", sink->Arguments(), *sink).ok());
    taken = duck.Encode(*sink, "take_in", sql);
    for (const KeyedRow& in : taken.rows) delta.rows.push_back({in.key, in.row, in.weight});
    scan = std::make_unique<DeltaScan>(columns, RowCodec(key, Encoding::kKey), RowCodec(row, Encoding::kRow),
                                       is_weighted_out);
    EXPECT_TRUE(RegisterScan(*duck.connection, "shown", *scan).ok());
    scan->Set(&delta);
  }
  trace::Budget budget{uint64_t{1} << 40};
  std::unique_ptr<DeltaSink> sink;
  std::unique_ptr<DeltaScan> scan;
  KeyedDelta taken;
  Delta delta;
};

TEST(DeltaScan, ShowsWhatTheSinkTook) {
  for (const size_t rows : {size_t{0}, size_t{1}, size_t{2048}, size_t{2049}, size_t{50'000}}) {
    Duck duck;
    Round round(duck, Select(rows), 3, false, false);
    EXPECT_EQ(round.delta.rows.size(), rows);
    EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown()"), std::to_string(rows));
    const std::string all = "(" + Select(rows) + ")";
    EXPECT_EQ(duck.Ask("SELECT count(*) FROM (FROM shown() EXCEPT ALL FROM " + all + ")"), "0");
    EXPECT_EQ(duck.Ask("SELECT count(*) FROM (FROM " + all + " EXCEPT ALL FROM shown())"), "0");
  }
}

TEST(DeltaScan, ReadsOnlyTheColumnsAskedFor) {
  Duck duck;
  Round round(duck, Select(10'000), 3, false, false);
  EXPECT_EQ(duck.Ask("SELECT sum(c0) FROM shown()"), "49995000");
  EXPECT_EQ(duck.Ask("SELECT count(c9) FROM shown() WHERE c0 % 2 = 0"),
            duck.Ask("SELECT count(c9) FROM (" + Select(10'000) + ") WHERE c0 % 2 = 0"));
  // Twice in one statement.
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown() a JOIN shown() b ON a.c0 = b.c0 + 1"), "9999");
}

TEST(DeltaScan, ShowsWeightsOrRepeats) {
  const std::string sql = "SELECT i AS c0, 'row' AS c1, (i % 5) AS c2 FROM range(7000) AS r(i)";
  {
    Duck duck;
    Round round(duck, sql, 1, true, true);
    EXPECT_EQ(round.delta.rows.size(), 5600u);  // without those of weight 0
    EXPECT_EQ(round.scan->Columns().back().name, "__qn_weight");
    EXPECT_EQ(duck.Ask("SELECT sum(__qn_weight)::INT FROM shown()"), "14000");
    EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown() WHERE __qn_weight <> c0 % 5"), "0");
  }
  Duck duck;
  Round round(duck, sql, 1, true, false);
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown()"), "14000");
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM (SELECT c0 FROM shown() GROUP BY c0 HAVING count(*) <> c0 % 5)"),
            "0");
}

TEST(DeltaScan, OneRowManyTimes) {
  Duck duck;
  Round round(duck, "SELECT 1 AS c0, 'x' AS c1, 100000::BIGINT AS c2", 1, true, false);
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown() WHERE c1 = 'x'"), "100000");
}

TEST(DeltaScan, APartThatIsNotThereIsNull) {
  Duck duck;
  Round round(duck, "SELECT i::INT AS c0, [i] AS c1, {'a': i} AS c2 FROM range(10) AS r(i)", 1, false, true);
  for (size_t i = 0; i < 10; ++i) {
    if (i % 2 == 0) round.delta.rows[i].right = {};
    if (i % 3 == 0) round.delta.rows[i].row = {};
  }
  EXPECT_EQ(duck.Ask("SELECT [count(*), count(c0), count(c1), count(c2), count(c2.a)] FROM shown()"),
            "[10,6,5,5,5]");
}

TEST(DeltaScan, NothingIsShownWhenNothingIsSet) {
  Duck duck;
  Round round(duck, Select(10), 1, false, false);
  round.scan->Set(nullptr);
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM shown()"), "0");
}

TEST(DeltaScan, OfAJoinAndAnAggregateAndAnAntiJoin) {
  plan::CircuitOp op;
  op.kind = plan::CircuitOp::Kind::kJoin;
  op.inputs.resize(2);
  op.inputs[0].key_count = op.inputs[1].key_count = 1;
  const Field number{"n", Type::Of(TypeId::kBigInt), true, ""};
  const Field text{"t", Type::Of(TypeId::kVarchar), true, ""};
  op.inputs[0].columns = {number, number, text};
  op.inputs[1].columns = {number, text};
  op.columns = {number, text, text};
  op.is_weighted = true;
  auto scan = DeltaScan::Make(op);
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(ColumnNames((*scan)->Columns()), "n, t, t, __qn_weight");
  op.columns = {number, text};
  scan = DeltaScan::Make(op);
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(ColumnNames((*scan)->Columns()), "n, t, __qn_weight");
  op.kind = plan::CircuitOp::Kind::kAggregate;
  op.inputs.resize(1);
  op.columns = {number, number, text};
  op.is_weighted = false;
  scan = DeltaScan::Make(op);
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(ColumnNames((*scan)->Columns()), "n, n, t");
  Type other = Type::Of(TypeId::kOther);
  other.text = "VARIANT";
  op.columns = {{"v", other, true, ""}};
  EXPECT_EQ(DeltaScan::Make(op).status().code(), "QN-1810");
}

TEST(DeltaSink, MarksRowsWithANullInAStrictKey) {
  Duck duck;
  trace::Budget budget(uint64_t{1} << 32);
  DeltaSink sink({Type::Of(TypeId::kInteger), Type::Of(TypeId::kInteger)}, {Type::Of(TypeId::kInteger)}, 1,
                 false, budget);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_in", sink.Arguments(), sink).ok());
  const KeyedDelta delta =
      duck.Encode(sink, "take_in", "FROM (VALUES (1, NULL, NULL), (NULL, 1, 1)) AS t(c0, c1, c2)");
  ASSERT_EQ(delta.rows.size(), 2u);
  EXPECT_FALSE(delta.rows[0].has_null_key);
  EXPECT_TRUE(delta.rows[1].has_null_key);
}

TEST(DeltaSink, IsEmptyAgainAfterMoveTo) {
  Duck duck;
  trace::Budget budget(uint64_t{1} << 32);
  DeltaSink sink({Type::Of(TypeId::kBigInt)}, {}, 0, false, budget);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_in", sink.Arguments(), sink).ok());
  const std::string sql = "SELECT i AS c0 FROM range(300000) AS r(i)";
  EXPECT_EQ(duck.Encode(sink, "take_in", sql).rows.size(), 300'000u);
  KeyedDelta nothing;
  sink.MoveTo(nothing);
  EXPECT_TRUE(nothing.rows.empty());
  EXPECT_EQ(duck.Encode(sink, "take_in", sql).rows.size(), 300'000u);
  // A statement that fails leaves rows; they are not the next one's.
  EXPECT_FALSE(
      duck.connection
          ->Query("SELECT count(*) FROM (SELECT CASE WHEN i > 200000 THEN error('no') ELSE i END AS c0 "
                  "FROM range(300000) AS r(i)) WHERE take_in(c0)")
          .ok());
  sink.MoveTo(nothing);
  EXPECT_EQ(duck.Encode(sink, "take_in", sql).rows.size(), 300'000u);
}

// A statement's rows are told to the budget while they come, by whichever thread, and are MoveTo's caller's
// then.
TEST(DeltaSink, IsChargedForWhatItHolds) {
  Duck duck;
  const std::string sql = "SELECT i AS c0 FROM range(300000) AS r(i)";
  const std::string into = "SELECT count(*) FROM (" + sql + ") WHERE take_in(c0)";
  trace::Budget budget(uint64_t{8} << 20);
  DeltaSink sink({Type::Of(TypeId::kBigInt)}, {}, 0, false, budget);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_in", sink.Arguments(), sink).ok());
  EXPECT_FALSE(duck.connection->Query(into).ok());
  EXPECT_EQ(sink.failure().code(), "QN-3601");
  EXPECT_LE(budget.used(), budget.bytes_max());
  KeyedDelta left;
  sink.MoveTo(left);
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_TRUE(sink.failure().ok());

  trace::Budget enough(uint64_t{64} << 20);
  DeltaSink large({Type::Of(TypeId::kBigInt)}, {}, 0, false, enough);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_more", large.Arguments(), large).ok());
  EXPECT_TRUE(duck.connection->Query("SELECT count(*) FROM (" + sql + ") WHERE take_more(c0)").ok());
  EXPECT_GE(enough.used(), 300'000u * (sizeof(KeyedRow) + 8));
  KeyedDelta all;
  large.MoveTo(all);
  EXPECT_EQ(enough.used(), 0u);
  EXPECT_GE(all.held(), 300'000u * (sizeof(KeyedRow) + 8));
}

// Gathered rows: of a hot key, of small ones, and rows beside the trace.
TEST(GatherScan, ShowsTheRowsOfTheKeys) {
  Duck duck;
  const std::string sql =
      "SELECT CASE WHEN i % 2 = 0 THEN 0 ELSE i % 1000 END AS c0, i AS c1, 'a text of some length ' || i AS "
      "c2, "
      "1 + i % 3 AS c3 FROM range(100000) AS r(i)";
  const std::vector<Type> row = {Type::Of(TypeId::kBigInt), Type::Of(TypeId::kVarchar)};
  trace::Budget budget(uint64_t{1} << 32);
  DeltaSink sink({Type::Of(TypeId::kBigInt)}, row, 0, true, budget);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_in", sink.Arguments(), sink).ok());
  const KeyedDelta all = duck.Encode(sink, "take_in", sql);
  trace::RowTrace trace(budget, false);
  std::vector<trace::KeyRef> places;
  ASSERT_TRUE(trace.Add(all.rows, &places).ok());

  GatheredRows rows(2);
  rows[1].trace = &trace;
  for (const char* key : {"0", "1", "777"}) {
    const KeyedDelta wanted =
        duck.Encode(sink, "take_in", "SELECT " + std::string(key) + " AS c0, 0 AS c1, '' AS c2, 1 AS c3");
    rows[1].keys.push_back(trace.Find(wanted.rows[0].key));
  }
  GatherScan scan(row);
  ASSERT_TRUE(RegisterScan(*duck.connection, "gathered", scan).ok());
  scan.Set(&rows, 1);
  const std::string want =
      "(SELECT c1, c2 FROM (" + sql + "), LATERAL (FROM range(c3)) WHERE c0 IN (0, 1, 777))";
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM gathered()"), duck.Ask("SELECT count(*) FROM " + want));
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM (FROM " + want + " EXCEPT ALL FROM gathered())"), "0");

  rows[1].added = {{all.rows[0].key, all.rows[0].row, 2, false}};
  rows[1].keys.clear();
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM gathered()"), "2");
  scan.Set(&rows, 0);
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM gathered()"), "0");
  scan.Set(nullptr, 0);
  EXPECT_EQ(duck.Ask("SELECT count(*) FROM gathered()"), "0");
}

}  // namespace
}  // namespace qn::ops
