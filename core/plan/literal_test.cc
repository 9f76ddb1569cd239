// A constant, read from DuckDB's plan and written back, is the same value of the same type.
#include "plan/literal.h"

#include "plan/test_world.h"

namespace qn::plan {
namespace {

// The JSON of a value: as the constant argument of a table function.
Json ValueJson(World& world, const std::string& sql) {
  const std::string text = "SELECT * FROM repeat(" + sql + ", 1)";
  const auto rows = World::Take(
      world.scratch->Query("SELECT json_serialize_plan(" + QuoteText(text) +
                           ", skip_empty := true, skip_null := true, skip_default := true)::VARCHAR"));
  Json json = World::Take(Json::Parse(rows.rows[0][0].Str()));
  const Json* node = &json["plans"].At(0);
  while ((*node)["type"].Str() != "LOGICAL_GET" && !(*node)["children"].Items().empty())
    node = &(*node)["children"].At(0);
  return (*node)["parameters"].At(0);
}

TEST(Literal, ComesBackAsTheSameValue) {
  World& world = TheWorld();
  const std::vector<std::string> values = {"true",
                                           "false",
                                           "NULL::BOOLEAN",
                                           "0",
                                           "7",
                                           "-7",
                                           "2147483647",
                                           "(-2147483648)::INTEGER",
                                           "3000000000",
                                           "(-9223372036854775808)::BIGINT",
                                           "9223372036854775807",
                                           "(-128)::TINYINT",
                                           "127::TINYINT",
                                           "(-5)::SMALLINT",
                                           "255::UTINYINT",
                                           "65535::USMALLINT",
                                           "4294967295::UINTEGER",
                                           "18446744073709551615::UBIGINT",
                                           "170141183460469231731687303715884105727",
                                           "(-170141183460469231731687303715884105728)::HUGEINT",
                                           "(-1)::HUGEINT",
                                           "0::HUGEINT",
                                           "18446744073709551616::HUGEINT",
                                           "340282366920938463463374607431768211455::UHUGEINT",
                                           "0.5",
                                           "-0.05",
                                           "123.456",
                                           "0::DECIMAL(4,4)",
                                           "(-1.5)::DECIMAL(4,2)",
                                           "99999999999999999999999999999999999.999",
                                           "(-0.001)::DECIMAL(38,3)",
                                           "5::DECIMAL(18,0)",
                                           "1.5::DOUBLE",
                                           "-0.0::DOUBLE",
                                           "1e300",
                                           "5e-324::DOUBLE",
                                           "0.1::DOUBLE",
                                           "123456789.123456789::DOUBLE",
                                           "0.1::FLOAT",
                                           "16777217::FLOAT",
                                           "3.4028235e38::FLOAT",
                                           "''",
                                           "'a''b'",
                                           "'über 東京 🦆'",
                                           "'tab\tand\nline'",
                                           "chr(0) || 'x' || chr(0)",
                                           "'-- no comment; /* */'",
                                           "'\\x00'",
                                           "'\\x00\\xFF'::BLOB",
                                           "''::BLOB",
                                           "'a\\x27b'::BLOB",
                                           "'{\"a\": [1, null]}'::JSON",
                                           "'550e8400-e29b-41d4-a716-446655440000'::UUID",
                                           "'00000000-0000-0000-0000-000000000000'::UUID",
                                           "'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID",
                                           "DATE '1970-01-01'",
                                           "DATE '2024-02-29'",
                                           "DATE '1969-12-31'",
                                           "DATE '0001-01-01'",
                                           "DATE '0001-01-01' - 1",
                                           "DATE '0044-03-15 (BC)'",
                                           "DATE '9999-12-31'",
                                           "DATE '5877642-06-25 (BC)'",
                                           "DATE '5881580-07-10'",
                                           "'infinity'::DATE",
                                           "'-infinity'::DATE",
                                           "TIME '00:00:00'",
                                           "TIME '23:59:59.999999'",
                                           "TIME '01:02:03.4'",
                                           "TIMESTAMP '2024-01-01 01:02:03.000001'",
                                           "TIMESTAMP '1969-12-31 23:59:59.5'",
                                           "TIMESTAMP '0001-01-01 (BC) 10:00:00'",
                                           "'infinity'::TIMESTAMP",
                                           "'-infinity'::TIMESTAMP",
                                           "TIMESTAMP_S '2024-01-01 01:02:03'",
                                           "TIMESTAMP_MS '2024-01-01 01:02:03.004'",
                                           "TIMESTAMP_NS '2024-01-01 01:02:03.000000009'",
                                           "TIMESTAMP_NS '1969-12-31 23:59:59.123456789'",
                                           "TIMESTAMPTZ '2024-01-01 01:02:03.5+02'",
                                           "'infinity'::TIMESTAMPTZ",
                                           "INTERVAL 0 DAY",
                                           "INTERVAL '-1 month 2 days -3 microseconds'",
                                           "INTERVAL '14 months 400 days 90061.5 seconds'",
                                           "'b'::ENUM('a', 'b', 'it''s')",
                                           "'it''s'::ENUM('a', 'b', 'it''s')",
                                           "[1, NULL, 3]",
                                           "[]::VARCHAR[]",
                                           "[[1], [], NULL]",
                                           "['x', NULL]",
                                           "[1, 2]::INTEGER[2]",
                                           "{'a': 1, 'b c': [NULL, 'y'], 'd': {'e': 1.5}}",
                                           "NULL::STRUCT(a INTEGER)",
                                           "MAP {'k': 1, 'l': NULL}",
                                           "MAP {}::MAP(VARCHAR, INTEGER)",
                                           "MAP {{'a': 1}: [DATE '2024-01-01']}",
                                           "NULL::INTEGER[]"};
  for (const std::string& value : values) {
    SCOPED_TRACE(value);
    const Json json = ValueJson(world, value);
    const Type type = World::Take(TypeFromPlanJson(json["type"]));
    const std::string text = World::Take(Literal(json, type));
    SCOPED_TRACE(text);
    EXPECT_EQ(world.Number("SELECT (typeof(" + value + ") = typeof(" + text + "))::INTEGER"), 1);
    EXPECT_EQ(world.Number("SELECT ((" + value + ") IS NOT DISTINCT FROM (" + text + "))::INTEGER"), 1);
    // Equal floats may still differ in sign or digits.
    EXPECT_EQ(world.Number("SELECT ((" + value + ")::VARCHAR IS NOT DISTINCT FROM (" + text +
                           ")::VARCHAR)::INTEGER"),
              1);
  }
}

TEST(Literal, RefusesWhatHasNoKnownForm) {
  Type unknown = Type::Of(TypeId::kOther);
  unknown.text = "GEOMETRY";
  const Json value = World::Take(Json::Parse(R"({"is_null": false, "value": "x"})"));
  EXPECT_EQ(Literal(value, unknown).status().ToString(),
            "QN-1208  A constant of type GEOMETRY cannot be carried into the plan.");
  EXPECT_FALSE(Literal(World::Take(Json::Parse(R"({"is_null": false})")), Type::Of(TypeId::kDouble)).ok());
  EXPECT_FALSE(Literal(value, Type::Of(TypeId::kBit)).ok());
  Type labels = Type::Of(TypeId::kEnum);
  labels.labels = {"a"};
  EXPECT_FALSE(Literal(World::Take(Json::Parse(R"({"is_null": false, "value": 1})")), labels).ok());
}

}  // namespace
}  // namespace qn::plan
