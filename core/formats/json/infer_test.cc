// What a sample says about its schema.
#include "formats/json/infer.h"

#include <gtest/gtest.h>

namespace qn::json {
namespace {

std::string Inferred(std::string_view sample) {
  const Result<Schema> schema = InferJsonSchema(sample);
  if (!schema.ok()) return schema.status().ToString();
  std::string out;
  for (const Field& field : *schema) out += (out.empty() ? "" : ", ") + field.name + " " + field.type.ToSql();
  return out;
}

TEST(InferJsonSchema, FindsTheTypesOfAnEvent) {
  EXPECT_EQ(
      Inferred(
          R"({"id":"717b35bc-d612-4bce-f7e4-3dd4fa1fbfe0","n":1,"at":"2026-03-01T20:00:00.000Z","day":"2026-03-01",)"
          R"("price":"7.51","ok":true,"geo":{"lat":25.2,"lon":95},"tags":["a"]})"
          "\n"),
      "id UUID, n BIGINT, at TIMESTAMP, day DATE, price VARCHAR, ok BOOLEAN, "
      "geo STRUCT(\"lat\" DOUBLE, \"lon\" BIGINT), tags VARCHAR[]");
}

TEST(InferJsonSchema, MergesWhatDiffers) {
  EXPECT_EQ(Inferred("{\"a\":1,\"b\":1,\"c\":\"2024-01-01\",\"d\":null,\"e\":[],\"f\":{}}\n"
                     "{\"a\":1.5,\"B\":\"x\",\"c\":\"2024-01-01 10:00:00\",\"g\":18446744073709551615}\n"
                     "{\"d\":true,\"g\":-1,\"h\":[{\"x\":1},{\"y\":\"z\"}],\"i\":{\"k\":[]}}\n"),
            "a DOUBLE, b VARCHAR, c TIMESTAMP, d BOOLEAN, e JSON, f JSON, g HUGEINT, "
            "h STRUCT(\"x\" BIGINT, \"y\" VARCHAR)[], i STRUCT(\"k\" JSON)");
  EXPECT_EQ(Inferred("{\"a\":1}\n{\"a\":[1]}\n"), "a JSON");
  EXPECT_EQ(Inferred("{\"a\":null}\n"), "a JSON");
  EXPECT_EQ(Inferred("{\"a\":\"2024-01-01\"}\n{\"a\":\"soon\"}\n"), "a VARCHAR");
}

TEST(InferJsonSchema, LeavesOutWhatIsDamagedOrCut) {
  EXPECT_EQ(Inferred("\xef\xbb\xbf{\"a\":1}\r\nnonsense\n[1]\n\n{\"b\":2}\n{\"c\":3}"), "a BIGINT, b BIGINT");
  EXPECT_EQ(Inferred("{\"a\":1}"), "a BIGINT");
}

TEST(InferJsonSchema, SaysWhenThereIsNothing) {
  EXPECT_EQ(Inferred("id;name;price\n1;x;2\n"),
            "QN-2030  No schema can be found: the sample has no JSON object on a line of its own.\n"
            "  The first line is: id;name;price");
  EXPECT_EQ(Inferred("").substr(0, 7), "QN-2030");
  std::string many = "{";
  for (int i = 0; i < 600; ++i) many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
  EXPECT_EQ(Inferred(many + "}\n").substr(0, 7), "QN-2030");
  EXPECT_EQ(Inferred("{\"a\":" + many + "}}\n"), "a JSON");
}

}  // namespace
}  // namespace qn::json
