// Bounds are true, or not there.
#include "connectors/delta/stats.h"

#include <gtest/gtest.h>

namespace qn::delta {
namespace {

ColumnStats Stat(const std::string& column, const std::string& min, const std::string& max,
                 uint64_t nulls = 0) {
  ColumnStats stats;
  stats.column = column;
  stats.has_min_max = true;
  stats.min = min;
  stats.max = max;
  stats.null_count = nulls;
  return stats;
}

// {min, max} of a single column of `type` as the log has them; "" when absent.
std::pair<std::string, std::string> Bounds(const Type& type, const std::string& min, const std::string& max) {
  StagedFile file;
  file.rows = 3;
  file.stats = {Stat("\"c\"", min, max)};
  const std::string json = StatsJson(file, {{"c", type, true, ""}}, {}, -1);
  EXPECT_TRUE(Json::Parse(json).ok()) << json;
  const auto part = [&](const std::string& name) {
    const size_t begin = json.find("\"" + name + "\":{") + name.size() + 4;
    const std::string inner = json.substr(begin, json.find('}', begin) - begin);
    return inner.empty() ? "" : inner.substr(4);
  };
  return {part("minValues"), part("maxValues")};
}

using Pair = std::pair<std::string, std::string>;

TEST(Stats, NumbersAreCopiedAsTheyStand) {
  EXPECT_EQ(Bounds(Type::Of(TypeId::kBigInt), "-9223372036854775808", "9223372036854775807"),
            (Pair{"-9223372036854775808", "9223372036854775807"}));
  EXPECT_EQ(Bounds(Type::Decimal(38, 2), "-999999999999999999999999999999999999.99", "0.01"),
            (Pair{"-999999999999999999999999999999999999.99", "0.01"}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kDouble), "-1e+300", "1.5"), (Pair{"-1e+300", "1.5"}));
}

TEST(Stats, ZeroBoundsHoldBothZeros) {
  EXPECT_EQ(Bounds(Type::Of(TypeId::kDouble), "0.0", "-0.0"), (Pair{"-0.0", "0.0"}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kFloat), "-0.0", "0.0"), (Pair{"-0.0", "0.0"}));
}

TEST(Stats, WhatJsonCannotSayIsLeftOut) {
  EXPECT_EQ(Bounds(Type::Of(TypeId::kDouble), "-inf", "inf"), (Pair{"", ""}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kDouble), "nan", "nan"), (Pair{"", ""}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kBoolean), "0", "1"), (Pair{"", ""}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kBlob), "78", "79"), (Pair{"", ""}));
  EXPECT_EQ(Bounds(Type::Of(TypeId::kDate), "0044-03-15 (BC)", "infinity"), (Pair{"", ""}));
}

TEST(Stats, NanAndInexactGiveNoBounds) {
  StagedFile file;
  file.rows = 2;
  file.stats = {Stat("\"a\"", "1.0", "2.0"), Stat("\"b\"", "x", "y")};
  file.stats[0].has_nan = true;
  file.stats[1].is_exact = false;
  const Schema schema = {{"a", Type::Of(TypeId::kDouble), true, ""},
                         {"b", Type::Of(TypeId::kVarchar), true, ""}};
  EXPECT_EQ(StatsJson(file, schema, {}, -1),
            R"({"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{"a":0,"b":0}})");
}

TEST(Stats, TimestampsAreWidenedToMilliseconds) {
  const Type ntz = Type::Of(TypeId::kTimestamp);
  EXPECT_EQ(Bounds(ntz, "2024-01-01 10:00:00.123456", "2024-12-31 23:59:59.999001"),
            (Pair{"\"2024-01-01T10:00:00.123\"", "\"2025-01-01T00:00:00.000\""}));
  EXPECT_EQ(Bounds(ntz, "2024-01-01 10:00:00", "2024-01-01 10:00:00.5"),
            (Pair{"\"2024-01-01T10:00:00.000\"", "\"2024-01-01T10:00:00.500\""}));
  EXPECT_EQ(Bounds(ntz, "1969-12-31 23:59:59.999999", "1960-02-29 00:00:00.000001"),
            (Pair{"\"1969-12-31T23:59:59.999\"", "\"1960-02-29T00:00:00.001\""}));
  EXPECT_EQ(Bounds(ntz, "-infinity", "infinity"), (Pair{"", ""}));
  EXPECT_EQ(Bounds(ntz, "9999-12-31 23:59:59.9995", "9999-12-31 23:59:59.9995").second, "");
}

TEST(Stats, TimestampsWithZoneAreUtc) {
  const Type tz = Type::Of(TypeId::kTimestampTz);
  EXPECT_EQ(Bounds(tz, "2024-01-01 08:00:00.123456+00", "2024-01-01 08:00:00+05:30"),
            (Pair{"\"2024-01-01T08:00:00.123Z\"", "\"2024-01-01T02:30:00.000Z\""}));
  EXPECT_EQ(Bounds(tz, "2024-01-01 00:00:00-08", "2024-01-01 00:00:00+00:19:32").first,
            "\"2024-01-01T08:00:00.000Z\"");
}

TEST(Stats, TextIsCutWithATrueUpperBound) {
  std::string bound;
  const std::string exact(32, 'a');
  ASSERT_TRUE(TextBound(exact, true, &bound));
  EXPECT_EQ(bound, exact);
  ASSERT_TRUE(TextBound(exact + "z", false, &bound));
  EXPECT_EQ(bound, exact);
  ASSERT_TRUE(TextBound(exact + "z", true, &bound));
  EXPECT_EQ(bound, std::string(31, 'a') + "b");
  EXPECT_GT(bound, exact + "z");
  // 32 characters, not bytes; the bound stays UTF-8.
  std::string accents;
  for (int i = 0; i < 40; ++i) accents += "é";
  ASSERT_TRUE(TextBound(accents, true, &bound));
  EXPECT_EQ(bound.size(), 64u);
  EXPECT_GT(bound, accents);
  ASSERT_TRUE(TextBound(accents, false, &bound));
  EXPECT_LT(bound, accents);
}

TEST(Stats, TheHighestCharacterIsCarriedOver) {
  const std::string top = "\xF4\x8F\xBF\xBF";  // U+10FFFF
  std::string text = "a";
  for (int i = 0; i < 40; ++i) text += top;
  std::string bound;
  ASSERT_TRUE(TextBound(text, true, &bound));
  EXPECT_EQ(bound, "b");
  EXPECT_FALSE(TextBound(text.substr(1), true, &bound));
  // Before the surrogates comes the character after them.
  const std::string low = std::string(31, 'x') + "\xED\x9F\xBF" + "tail";
  ASSERT_TRUE(TextBound(low, true, &bound));
  EXPECT_EQ(bound, std::string(31, 'x') + "\xEE\x80\x80");
  EXPECT_FALSE(TextBound("\xFF\xFE", false, &bound));
}

TEST(Stats, EmptyAndControlTextIsJson) {
  EXPECT_EQ(Bounds(Type::Of(TypeId::kVarchar), "", "\x01\"\\\n").first, "\"\"");
  EXPECT_EQ(Bounds(Type::Of(TypeId::kVarchar), "", "\x01\"\\\n").second, R"("\u0001\"\\\n")");
}

TEST(Stats, NestedStructsMirrorTheSchema) {
  Type geo = Type::Of(TypeId::kStruct);
  geo.children = {{"lat", Type::Of(TypeId::kDouble), true, ""},
                  {"lon \"x\"", Type::Of(TypeId::kDouble), true, ""}};
  const Schema schema = {{"geo", geo, true, ""},
                         {"tags", Type::ListOf(Type::Of(TypeId::kInteger)), true, ""},
                         {"day", Type::Of(TypeId::kDate), true, ""}};
  StagedFile file;
  file.rows = 5;
  file.stats = {Stat("\"geo\".\"lat\"", "1.0", "2.0", 1), Stat("\"geo\".\"lon \"\"x\"\"\"", "3.5", "4.5", 2),
                Stat("\"tags\".\"element\"", "1", "9", 7), Stat("\"day\"", "2024-01-01", "2024-01-01")};
  ColumnStats list;
  list.column = "\"tags\"";
  list.null_count = 3;
  file.stats.push_back(list);
  EXPECT_EQ(StatsJson(file, schema, {"day"}, -1),
            R"({"numRecords":5,"minValues":{"geo":{"lat":1.0,"lon \"x\"":3.5}},)"
            R"("maxValues":{"geo":{"lat":2.0,"lon \"x\"":4.5}},)"
            R"("nullCount":{"geo":{"lat":1,"lon \"x\"":2},"tags":3}})");
}

TEST(Stats, OnlyTheFirstColumnsHaveThem) {
  Schema schema;
  StagedFile file;
  for (int i = 0; i < 40; ++i) {
    schema.push_back({"c" + std::to_string(i), Type::Of(TypeId::kInteger), true, ""});
    file.stats.push_back(Stat("\"c" + std::to_string(i) + "\"", "1", "2"));
  }
  const std::string json = StatsJson(file, schema, {}, kStatsColumnsDefault);
  EXPECT_EQ((*Json::Parse(json))["minValues"].Members().size(), 32u);
  EXPECT_EQ((*Json::Parse(StatsJson(file, schema, {}, 0)))["nullCount"].Members().size(), 0u);
}

TEST(PartitionValues, AreDeltasText) {
  const Schema schema = {
      {"day", Type::Of(TypeId::kDate), true, ""},      {"at", Type::Of(TypeId::kTimestamp), true, ""},
      {"z", Type::Of(TypeId::kTimestampTz), true, ""}, {"name", Type::Of(TypeId::kVarchar), true, ""},
      {"none", Type::Of(TypeId::kVarchar), true, ""},  {"blank", Type::Of(TypeId::kVarchar), true, ""}};
  StagedFile file;
  file.partition = {{"day", "2024-01-01"},
                    {"at", "2024-01-01 10:00:00.5"},
                    {"z", "2024-01-01 10:00:00+02"},
                    {"name", "K=/ ü%"},
                    {"blank", ""}};
  file.partition_nulls = {"none"};
  const auto values = PartitionValuesOf(file, schema, {"day", "at", "z", "name", "none", "blank"});
  ASSERT_TRUE(values.ok());
  const PartitionValues expected = {{"day", "2024-01-01"},
                                    {"at", "2024-01-01 10:00:00.500000"},
                                    {"z", "2024-01-01T08:00:00.000000Z"},
                                    {"name", "K=/ ü%"},
                                    {"none", std::nullopt},
                                    {"blank", std::nullopt}};
  EXPECT_EQ(*values, expected);
  EXPECT_EQ(PartitionValuesOf(StagedFile{}, schema, {"day"}).status().code(), "QN-3313");
}

TEST(ColumnKeys, AreSplitAtTheirQuotes) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(SplitColumnKey("\"a.b\".\"c\"\"d\""), (Names{"a.b", "c\"d"}));
  EXPECT_EQ(SplitColumnKey("plain.name"), (Names{"plain", "name"}));
  EXPECT_EQ(SplitColumnKey("\"\""), (Names{""}));
}

}  // namespace
}  // namespace qn::delta
