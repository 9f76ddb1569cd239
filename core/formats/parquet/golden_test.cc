// Files for other readers: with QANAT_GOLDEN_DIR set, each query's file stays there as <name>/, with the
// query beside it as <name>.sql; tests/golden reads them with pyarrow, Polars, DuckDB and delta-rs.
#include <gtest/gtest.h>

#include <fstream>

#include "formats/parquet/test_queries.h"
#include "formats/parquet/test_world.h"

namespace qn::parquet {
namespace {

class Golden : public ::testing::Test {
 protected:
  void Leave(const std::string& name, const std::string& select, uint64_t rows_max = 122'880,
             const std::vector<std::string>& partition_cols = {}) {
    WriterOptions options = world_.OptionsFor(select);
    const char* folder = std::getenv("QANAT_GOLDEN_DIR");
    const std::string root = folder != nullptr ? folder : world_.folder();
    options.folder = root + "/" + name;
    options.rows_max = rows_max;
    options.partition_cols = partition_cols;
    const auto files = world_.Write(select, options);
    ASSERT_TRUE(files.ok()) << files.status().ToString();
    EXPECT_EQ(world_.Differences(select, World::ReadSql(*files)), 0) << name;
    std::ofstream(root + "/" + name + ".sql") << select;
  }

  World world_;
};

TEST_F(Golden, LeavesAFileOfEachQuery) {
  world_.Ask("SET TimeZone = 'UTC'");
  int number = 0;
  for (const std::string& select : ScalarQueries()) Leave("scalar_" + std::to_string(number++), select);
  number = 0;
  for (const std::string& select : NestedQueries()) Leave("nested_" + std::to_string(number++), select, 3);
  Leave("random", RandomQuery(50'000), 20'000);
  Leave(
      "mixed",
      "SELECT CASE WHEN i < 200000 THEN i % 700 ELSE i END AS n, CASE WHEN i < 200000 THEN 'x' || (i % 700) "
      "WHEN i % 10 = 0 THEN NULL ELSE 'y' || i END AS s FROM range(250000) t(i)",
      1'000'000);
  Leave("pages",
        "SELECT i, repeat('x', (i * 500)::INTEGER) || i AS s, range(i * 50) AS l, hash(i)::DOUBLE AS h "
        "FROM range(300) t(i)");
  Leave(
      "deltas",
      "SELECT CASE i % 1000 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775808 ELSE i * 7 END "
      "AS wide, CASE i % 1000 WHEN 0 THEN 2147483647 WHEN 1 THEN -2147483648 ELSE i END::INTEGER AS small, "
      "CASE WHEN i % 7 > 0 THEN (i - 20000)::DECIMAL(18,3) END AS price, DATE '2024-01-01' + i::INTEGER AS "
      "day, TIMESTAMP '2024-01-01' + to_milliseconds(i * 26) AS ts, CASE WHEN i % 11 > 2 THEN 'ü' || "
      "repeat('-', (i % 90)::INTEGER) || i WHEN i % 11 > 0 THEN '' END AS s, encode('b' || i) AS b, "
      "[i, NULL, i + 1] AS l, CASE WHEN i > 30000 THEN i::VARCHAR END AS late FROM range(40000) t(i)",
      25'000);
  Leave("partitioned",
        "SELECT i, (['a/b', 'K=ü %', NULL, '..'])[i % 4 + 1] AS city, DATE '2024-02-28' + (i % 3)::INTEGER "
        "AS day "
        "FROM range(1000) t(i)",
        122'880, {"city", "day"});
}

}  // namespace
}  // namespace qn::parquet
