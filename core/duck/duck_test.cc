// The door keeps its promises against the real library: QANAT_DUCKDB names it (make test does).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "duck/database.h"
#include "duck/row_sink.h"
#include "duck/scan.h"

namespace qn::duck {
namespace {

std::string Library() {
  const char* library = std::getenv("QANAT_DUCKDB");
  return library != nullptr ? library : "";
}

std::unique_ptr<Database> OpenOrDie() {
  auto api = LoadApi(Library());
  EXPECT_TRUE(api.ok()) << api.status().ToString();
  Options options;
  options.threads = 2;
  auto database = Database::Open(*api, options);
  EXPECT_TRUE(database.ok()) << database.status().ToString();
  return std::move(database).value();
}

Schema Nested() {
  Type place = Type::Of(TypeId::kStruct);
  place.children = {{"lat", Type::Of(TypeId::kDouble), true, ""},
                    {"name", Type::Of(TypeId::kVarchar), true, ""}};
  return {{"id", Type::Of(TypeId::kBigInt), true, ""},
          {"name", Type::Of(TypeId::kVarchar), true, ""},
          {"place", place, true, ""},
          {"tags", Type::ListOf(Type::Of(TypeId::kVarchar)), true, ""}};
}

// Rows 0..n-1 of Nested(): every third name is NULL, every fifth place, row i has i % 40 tags.
class Counting final : public Scan {
 public:
  explicit Counting(int64_t rows) : rows_(rows) {}
  const Schema& Columns() const override { return schema_; }
  Result<std::unique_ptr<ScanRun>> Begin(std::span<const int> columns) override {
    last_projection.assign(columns.begin(), columns.end());
    return std::unique_ptr<ScanRun>(new Run(*this));
  }
  std::vector<int> last_projection;

 private:
  class Thread final : public ScanThread {
   public:
    explicit Thread(Counting& all, std::atomic<int64_t>& next) : all_(all), next_(next) {}
    Result<size_t> Fill(ChunkOut& out) override {
      const int64_t first = next_.fetch_add(kChunkRows);
      const int64_t end = std::min<int64_t>(first + kChunkRows, all_.rows_);
      texts_.clear();
      texts_.reserve(kChunkRows);
      for (int64_t i = first; i < end; ++i) {
        for (size_t c = 0; c < out.columns.size(); ++c) {
          Put(out.columns[c], all_.last_projection[c], i, static_cast<size_t>(i - first));
        }
      }
      for (size_t c = 0; c < out.columns.size(); ++c) {
        if (all_.last_projection[c] == 3) out.columns[c].SetChildSize(tags_);
      }
      tags_ = 0;
      return first >= end ? 0 : static_cast<size_t>(end - first);
    }

   private:
    void Put(ColumnOut& out, int column, int64_t i, size_t row) {
      if (column == 0) out.data<int64_t>()[row] = i;
      if (column == 1) {
        texts_.push_back("a rather long name number " + std::to_string(i));
        out.SetString(row, texts_.back().data(), texts_.back().size());
        if (i % 3 == 0) out.SetNull(row);
      }
      if (column == 2) {
        if (i % 5 == 0) return out.SetNull(row);
        out.children()[0].data<double>()[row] = static_cast<double>(i);
        out.children()[1].SetString(row, "x", 1);
      }
      if (column == 3) {
        const auto count = static_cast<uint64_t>(i % 40);
        out.data<ListEntry>()[row] = {tags_, count};
        out.ReserveChild(tags_ + count);
        for (uint64_t t = 0; t < count; ++t) out.children()[0].SetString(tags_ + t, "tag", 3);
        tags_ += count;
      }
    }
    Counting& all_;
    std::atomic<int64_t>& next_;
    std::vector<std::string> texts_;
    uint64_t tags_ = 0;
  };
  class Run final : public ScanRun {
   public:
    explicit Run(Counting& all) : all_(all) {}
    Result<std::unique_ptr<ScanThread>> OpenThread() override {
      return std::unique_ptr<ScanThread>(new Thread(all_, next_));
    }
    int ThreadsMax() const override { return 2; }

   private:
    Counting& all_;
    std::atomic<int64_t> next_{0};
  };

  int64_t rows_;
  Schema schema_ = Nested();
};

TEST(DuckDoor, AMissingLibraryIsToldWithWhatToDo) {
  const auto api = LoadApi("/nowhere/libduckdb.so");
  ASSERT_FALSE(api.ok());
  EXPECT_TRUE(api.status().code() == "QN-1802" || api.status().code() == "QN-1808");
}

TEST(DuckDoor, CellsComeBackAsJson) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  auto rows = connection->Query("SELECT 1, 'x', NULL, [1,2], {'a': true}, MAP {'k': 1.5::DOUBLE}");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(Json(rows->rows[0]).Dump(), R"([1,"x",null,[1,2],{"a":true},{"k":1.5}])");
}

TEST(DuckDoor, ErrorsKeepDuckDbsWords) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  const auto rows = connection->Query("SELECT nothing FROM (SELECT 1 AS something)");
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.status().code(), "QN-1801");
  EXPECT_EQ(SplitSqlError(rows.status().text()).type, "Binder Error");
}

TEST(DuckDoor, DescribeGivesEveryType) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  const std::string types =
      "DECIMAL(10,2) STRUCT(\"lat\" DOUBLE, \"n\" VARCHAR[]) MAP(VARCHAR, INTEGER[]) UUID TIMESTAMPTZ JSON "
      "HUGEINT "
      "INTEGER[3] ENUM('a', 'b') TIMESTAMP_NS";
  auto schema = connection->Describe(
      "SELECT NULL::DECIMAL(10,2) a, NULL::STRUCT(lat DOUBLE, n VARCHAR[]) b, NULL::MAP(VARCHAR, INTEGER[]) "
      "c, "
      "NULL::UUID d, NULL::TIMESTAMPTZ e, NULL::JSON f, NULL::HUGEINT g, NULL::INTEGER[3] h, "
      "NULL::ENUM('a','b') i, NULL::TIMESTAMP_NS j");
  ASSERT_TRUE(schema.ok()) << schema.status().ToString();
  std::string found;
  for (const Field& field : *schema) found += (found.empty() ? "" : " ") + field.type.ToSql();
  EXPECT_EQ(found, types);
}

TEST(DuckDoor, AScanGivesNestedRowsAndOnlyTheColumnsAskedFor) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  Counting scan(100'000);
  ASSERT_TRUE(RegisterScan(*connection, "counting", scan).ok());
  auto rows = connection->Query(
      "SELECT count(*), count(name), count(place), sum(len(tags)), sum(place.lat)::BIGINT, "
      "count(*) FILTER (name = 'a rather long name number ' || id) FROM counting()");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(Json(rows->rows[0]).Dump(), "[100000,66666,80000,1950000,4000000000,66666]");
  rows = connection->Query("SELECT sum(id)::BIGINT FROM counting()");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows->rows[0][0].Int(), 4999950000);
  EXPECT_EQ(scan.last_projection, std::vector<int>{0});
  rows = connection->Query("SELECT count(*) FROM counting()");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows->rows[0][0].Int(), 100'000);
}

// Sums what it is given; refuses when told to.
class Summing final : public RowSink {
 public:
  class Thread final : public RowSinkThread {
   public:
    explicit Thread(Summing& all) : all_(all) {}
    Status Take(std::span<const ColumnIn> columns, size_t rows) override {
      for (size_t row = 0; row < rows; ++row) {
        if (columns[0].IsNull(row)) {
          ++all_.nulls;
          continue;
        }
        all_.sum += columns[0].as<int64_t>()[row];
        const ListEntry tags = columns[1].as<ListEntry>()[row];
        for (uint64_t i = 0; i < tags.length; ++i) {
          all_.tag_bytes += columns[1].children[0].as<String>()[tags.offset + i].view().size();
        }
        if (!columns[2].IsNull(row))
          all_.lat += static_cast<int64_t>(columns[2].children[0].as<double>()[row]);
      }
      all_.taken += rows;
      return all_.fail ? Failed("QN-3501", "No more.") : Ok();
    }

   private:
    Summing& all_;
  };
  Result<std::unique_ptr<RowSinkThread>> OpenThread() override {
    ++threads;
    return std::unique_ptr<RowSinkThread>(new Thread(*this));
  }
  std::atomic<int64_t> sum{0}, nulls{0}, tag_bytes{0}, lat{0};
  std::atomic<size_t> taken{0}, threads{0};
  bool fail = false;
};

TEST(DuckDoor, ARowSinkTakesEveryRowOnceWithItsNestedValues) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  Summing sink;
  Type place = Type::Of(TypeId::kStruct);
  place.children = {{"lat", Type::Of(TypeId::kDouble), true, ""}};
  ASSERT_TRUE(RegisterRowSink(*connection, "summing",
                              {Type::Of(TypeId::kBigInt), Type::ListOf(Type::Of(TypeId::kVarchar)), place},
                              sink)
                  .ok());
  auto rows = connection->Query(
      "SELECT count(*) FROM (SELECT nullif(i, 7) AS i, list_transform(range(i % 3), lambda x: 'tag' || i) AS "
      "tags, "
      "CASE WHEN i % 2 = 0 THEN {'lat': i::DOUBLE} END AS place FROM range(10000) t(i)) "
      "WHERE summing(i, tags, place)");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ(rows->rows[0][0].Int(), 0);
  EXPECT_EQ(sink.taken, 10000u);
  EXPECT_EQ(sink.nulls, 1);
  EXPECT_EQ(sink.sum, 49995000 - 7);
  EXPECT_EQ(sink.lat, 24995000);
  auto expected = connection->Query(
      "SELECT sum(length('tag' || i) * (i % 3))::BIGINT FROM range(10000) t(i) WHERE i <> 7");
  EXPECT_EQ(sink.tag_bytes, expected->rows[0][0].Int());
  EXPECT_GE(sink.threads, 1u);
  sink.fail = true;
  rows = connection->Query("SELECT count(*) FROM range(10) t(i) WHERE summing(i, [], NULL)");
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.status().text().find("QN-3501  No more."), std::string::npos) << rows.status().text();
}

TEST(DuckDoor, SettingsThatDuckDbRefusesAreNamed) {
  auto api = LoadApi(Library());
  Options options;
  options.memory_limit = "a lot";
  const auto database = Database::Open(*api, options);
  ASSERT_FALSE(database.ok());
  EXPECT_EQ(database.status().code(), "QN-1805");
  EXPECT_NE(database.status().ToString().find("a lot"), std::string::npos);
}

}  // namespace
}  // namespace qn::duck
