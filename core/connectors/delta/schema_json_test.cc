// Types and paths as the Delta protocol spells them.
#include "connectors/delta/schema_json.h"

#include <gtest/gtest.h>

#include "connectors/delta/path.h"

namespace qn::delta {
namespace {

TEST(SchemaJson, IsTheProtocolsForm) {
  Type place = Type::Of(TypeId::kStruct);
  place.children = {{"lat", Type::Of(TypeId::kDouble), false, "degrees"}};
  Type map = Type::Of(TypeId::kMap);
  map.children = {{"key", Type::Of(TypeId::kVarchar), false, ""},
                  {"value", Type::Of(TypeId::kInteger), true, ""}};
  const Schema schema = {{"id", Type::Of(TypeId::kBigInt), false, "the \"id\""},
                         {"place", place, true, ""},
                         {"tags", Type::ListOf(Type::Of(TypeId::kVarchar)), true, ""},
                         {"m", map, true, ""},
                         {"price", Type::Decimal(10, 2), true, ""},
                         {"at", Type::Of(TypeId::kTimestamp), true, ""},
                         {"z", Type::Of(TypeId::kTimestampTz), true, ""}};
  const std::string text = SchemaToJson(schema);
  EXPECT_EQ(
      text,
      R"j({"type":"struct","fields":[)j"
      R"j({"name":"id","type":"long","nullable":false,"metadata":{"comment":"the \"id\""}},)j"
      R"j({"name":"place","type":{"type":"struct","fields":[{"name":"lat","type":"double","nullable":false,)j"
      R"j("metadata":{"comment":"degrees"}}]},"nullable":true,"metadata":{}},)j"
      R"j({"name":"tags","type":{"type":"array","elementType":"string","containsNull":true},)j"
      R"j("nullable":true,"metadata":{}},)j"
      R"j({"name":"m","type":{"type":"map","keyType":"string","valueType":"integer",)j"
      R"j("valueContainsNull":true},"nullable":true,"metadata":{}},)j"
      R"j({"name":"price","type":"decimal(10,2)","nullable":true,"metadata":{}},)j"
      R"j({"name":"at","type":"timestamp_ntz","nullable":true,"metadata":{}},)j"
      R"j({"name":"z","type":"timestamp","nullable":true,"metadata":{}}]})j");
  const Result<Schema> back = SchemaFromJson(text);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, schema);
}

TEST(SchemaJson, RefusesTypesItDoesNotKnow) {
  const auto of = [](const std::string& type) {
    return SchemaFromJson("{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"" + type + "\"}]}");
  };
  EXPECT_EQ(of("variant").status().code(), "QN-3311");
  EXPECT_NE(of("variant").status().text().find("'variant'"), std::string::npos);
  for (const char* bad : {"decimal(39,0)", "decimal(5,6)", "decimal(x,1)", "decimal(5)", ""}) {
    EXPECT_FALSE(of(bad).ok()) << bad;
  }
  for (const char* bad : {"", "[]", R"({"type":"struct","fields":[{}]})", "not json"}) {
    EXPECT_EQ(SchemaFromJson(bad).status().code(), "QN-3311") << bad;
  }
  EXPECT_EQ(of("decimal(5, 2)")->at(0).type, Type::Decimal(5, 2));
}

TEST(StoredType, GivesEveryTypeAPlace) {
  const auto sql = [](TypeId id) { return StoredType(Type::Of(id))->ToSql(); };
  EXPECT_EQ(sql(TypeId::kUTinyInt), "SMALLINT");
  EXPECT_EQ(sql(TypeId::kUSmallInt), "INTEGER");
  EXPECT_EQ(sql(TypeId::kUInteger), "BIGINT");
  EXPECT_EQ(sql(TypeId::kUBigInt), "DECIMAL(20,0)");
  EXPECT_EQ(sql(TypeId::kHugeInt), "DECIMAL(38,0)");
  EXPECT_EQ(sql(TypeId::kUuid), "VARCHAR");
  EXPECT_EQ(sql(TypeId::kTimestampNs), "TIMESTAMP");
  Type array = Type::Of(TypeId::kArray);
  array.array_size = 3;
  array.children = {{"element", Type::Of(TypeId::kUInteger), true, ""}};
  EXPECT_EQ(StoredType(array)->ToSql(), "BIGINT[]");
  EXPECT_EQ(StoredType(Type::Of(TypeId::kNull)).status().code(), "QN-3311");
}

TEST(StoredSchema, RefusesNamesThatDifferOnlyInCase) {
  const Schema schema = {{"Id", Type::Of(TypeId::kBigInt), true, ""},
                         {"id", Type::Of(TypeId::kBigInt), true, ""}};
  EXPECT_EQ(StoredSchema(schema).status().code(), "QN-3311");
  EXPECT_FALSE(StoredSchema({}).ok());
}

TEST(Path, GoesThereAndBack) {
  EXPECT_EQ(EncodePath("p=K%3D%2F%20/part 1.parquet"), "p=K%253D%252F%2520/part%201.parquet");
  for (const std::string path : {"a b/ü%41#?.parquet", "p=a:b/c+d&e;f@g.parquet", "日本/\"x\".parquet"}) {
    EXPECT_EQ(*DecodePath(EncodePath(path)), path);
  }
  EXPECT_EQ(*DecodePath("a%2Fb%zz%"), "a/b%zz%");
}

TEST(Path, StaysInsideTheTable) {
  for (const char* bad :
       {"../x.parquet", "a/../../x", "a/%2e%2E/x", "..", "", "a%00b", "s3://bucket/x", "http://h/x"}) {
    EXPECT_EQ(DecodePath(bad).status().code(), "QN-3307") << bad;
  }
  EXPECT_EQ(*DecodePath("a/..b/x"), "a/..b/x");
  EXPECT_EQ(*DecodePath("file:///lake/a%20b.parquet"), "/lake/a b.parquet");
  EXPECT_EQ(FullPath("/lake/t", *DecodePath("file:///lake/a.parquet")), "/lake/a.parquet");
  EXPECT_EQ(FullPath("/lake/t", "a.parquet"), "/lake/t/a.parquet");
}

}  // namespace
}  // namespace qn::delta
