// The decoder inside DuckDB: real vectors, projection, lists larger than a vector, compared with read_json.
// QANAT_DUCKDB names the library (make test does).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "duck/database.h"
#include "duck/scan.h"
#include "formats/json/format.h"
#include "formats/text/test_decode.h"

namespace qn::json {
namespace {

using text::Column;

class NoRejects final : public Rejects {
 public:
  void Add(uint32_t, int64_t line, std::string_view, std::string detail) override {
    ADD_FAILURE() << line << ": " << detail;
  }
};

// One block, one thread.
class BlockScan final : public duck::Scan {
 public:
  BlockScan(const Format& format, Schema schema, const std::string& text)
      : format_(format), schema_(std::move(schema)), block_(text::TestBlock(text)) {}
  const Schema& Columns() const override { return schema_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override {
    return std::unique_ptr<duck::ScanRun>(new Run(*this, columns));
  }

 private:
  class Thread final : public duck::ScanThread {
   public:
    Thread(BlockScan& scan, std::span<const int> columns)
        : scan_(scan), decoder_(scan.format_.NewDecoder(scan.schema_, columns)) {}
    Result<size_t> Fill(duck::ChunkOut& out) override {
      if (cursor_.at >= scan_.block_.size) return size_t{0};
      return decoder_->Decode(scan_.block_, cursor_, out, rejects_);
    }

   private:
    BlockScan& scan_;
    std::unique_ptr<Decoder> decoder_;
    Cursor cursor_{0, 1};
    NoRejects rejects_;
  };
  class Run final : public duck::ScanRun {
   public:
    Run(BlockScan& scan, std::span<const int> columns)
        : scan_(scan), columns_(columns.begin(), columns.end()) {}
    Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
      return std::unique_ptr<duck::ScanThread>(new Thread(scan_, columns_));
    }
    int ThreadsMax() const override { return 1; }

   private:
    BlockScan& scan_;
    std::vector<int> columns_;
  };

  const Format& format_;
  Schema schema_;
  Block block_;
};

TEST(JsonInDuckDb, GivesTheRowsOfReadJson) {
  const char* library = std::getenv("QANAT_DUCKDB");
  if (library == nullptr) GTEST_SKIP() << "QANAT_DUCKDB is not set";
  Type geo = Type::Of(TypeId::kStruct);
  geo.children = {Column("lat", TypeId::kDouble), Column("names", Type::ListOf(Type::Of(TypeId::kVarchar)))};
  Type map = Type::Of(TypeId::kMap);
  map.children = {Column("key", TypeId::kVarchar), Column("value", Type::ListOf(Type::Of(TypeId::kBigInt)))};
  const Schema schema = {Column("id", TypeId::kBigInt),
                         Column("text", TypeId::kVarchar),
                         Column("at", TypeId::kTimestamp),
                         Column("price", Type::Decimal(18, 3)),
                         Column("wide", Type::Decimal(30, 5)),
                         Column("uuid", TypeId::kUuid),
                         Column("geo", geo),
                         Column("spots", Type::ListOf(geo)),
                         Column("counts", map),
                         Column("ok", TypeId::kBoolean),
                         Column("day", TypeId::kDate),
                         Column("small", TypeId::kTinyInt),
                         Column("huge", TypeId::kHugeInt),
                         Column("more", TypeId::kJson)};
  std::string lines;
  for (int i = 0; i < 7000; ++i) {
    const std::string n = std::to_string(i);
    lines += "{\"id\":" + n;
    if (i % 3 != 0)
      lines += R"(,"text":"row \u00e9 )" + n + std::string(static_cast<size_t>(i % 20), 'x') + "\"";
    if (i % 4 != 0)
      lines += ",\"at\":\"2024-02-" + std::to_string(10 + i % 19) + "T01:02:03.00" + std::to_string(i % 10) +
               "Z\"";
    lines += ",\"price\":" + (i % 5 == 0 ? "null" : n + ".125") + ",\"wide\":\"-" + n + ".5\",\"huge\":1" +
             n + "00000000000000000000";
    lines += R"(,"uuid":"717b35bc-d612-4bce-f7e4-3dd4fa1f)" + std::to_string(1000 + i % 9000) + "\"";
    const std::string place =
        "{\"lat\":" + n + ".5,\"names\":[\"a long name of a place\",null,\"b" + n + "\"]}";
    lines += ",\"geo\":" + (i % 6 == 0 ? "null" : i % 7 == 0 ? "{}" : place);
    lines += ",\"spots\":[";
    for (int k = 0; k < i % 5; ++k) lines += (k == 0 ? "" : ",") + (k == 2 ? std::string("null") : place);
    lines += "],\"counts\":{";
    for (int k = 0; k < i % 4; ++k)
      lines += (k == 0 ? "\"k" : ",\"k") + std::to_string(k) + "\":" + (k == 1 ? "null" : "[1," + n + "]");
    lines += "},\"ok\":" + std::string(i % 2 == 0 ? "true" : "false") + ",\"day\":\"2024-01-1" +
             std::to_string(i % 10) + "\",\"small\":" + std::to_string(i % 128) + ",\"more\":{\"a\":[" + n +
             ",\"x\"]}}\n";
  }
  const auto format = std::move(NewFormat(Json(Json::Object{{"kind", "json"}})).value());
  BlockScan scan(*format, schema, lines);
  auto database = std::move(duck::Database::Open(std::move(duck::LoadApi(library)).value(), {})).value();
  auto connection = std::move(database->Connect()).value();
  ASSERT_TRUE(duck::RegisterScan(*connection, "ours", scan).ok());

  const std::string path =
      std::filesystem::temp_directory_path() / ("qanat_scan_test_" + std::to_string(getpid()) + ".jsonl");
  std::ofstream(path, std::ios::binary) << lines;
  std::string columns;
  for (const Field& field : schema)
    columns += (columns.empty() ? "" : ", ") + QuoteName(field.name) + ": " + QuoteText(field.type.ToSql());
  const std::string theirs =
      "read_json(" + QuoteText(path) + ", format = 'newline_delimited', columns = {" + columns + "})";
  const auto count = [&](const std::string& sql) {
    const auto rows = connection->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    return rows.ok() ? rows->rows[0][0].Int(-1) : -1;
  };
  EXPECT_EQ(count("SELECT count(*) FROM ours()"), 7000);
  EXPECT_EQ(count("SELECT count(*) FROM (SELECT * FROM ours() EXCEPT ALL SELECT * FROM " + theirs + ")"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM (SELECT * FROM " + theirs + " EXCEPT ALL SELECT * FROM ours())"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM (SELECT spots, id FROM ours() EXCEPT ALL SELECT spots, id FROM " +
                  theirs + ")"),
            0);
  EXPECT_EQ(count("SELECT sum(len(list_filter(geo.names, lambda x: x IS NOT NULL))) FROM ours()"),
            count("SELECT sum(len(list_filter(geo.names, lambda x: x IS NOT NULL))) FROM " + theirs));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace qn::json
