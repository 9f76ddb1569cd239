// What is written is read back by DuckDB and compared with the query that it came from, value by value.
#include "formats/parquet/writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <map>
#include <set>

#include "formats/parquet/test_queries.h"
#include "formats/parquet/test_world.h"

namespace qn::parquet {
namespace {

namespace fs = std::filesystem;

size_t FilesIn(const std::string& folder) {
  size_t count = 0;
  if (!fs::exists(folder)) return 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

uint64_t RowsOf(const std::vector<StagedFile>& files) {
  uint64_t rows = 0;
  for (const StagedFile& file : files) rows += file.rows;
  return rows;
}

// DuckDB prints DECIMAL(2,2) as ".99", which is no number to the table's log; ours is "0.99".
std::string WithZero(const std::string& text) {
  if (text.starts_with(".")) return "0" + text;
  return text.starts_with("-.") ? "-0" + text.substr(1) : text;
}

class ParquetWriter : public ::testing::Test {
 protected:
  // Writes `select`, expects to read the same rows back.
  std::vector<StagedFile> RoundTrip(const std::string& select,
                                    const std::function<void(WriterOptions&)>& set = nullptr) {
    WriterOptions options = world_.OptionsFor(select);
    if (set != nullptr) set(options);
    auto files = world_.Write(select, options);
    EXPECT_TRUE(files.ok()) << files.status().ToString();
    if (!files.ok()) return {};
    for (const StagedFile& file : *files) EXPECT_EQ(fs::file_size(file.path), file.bytes);
    EXPECT_EQ(world_.Differences(select, World::ReadSql(*files)), 0) << select;
    return std::move(files).value();
  }

  // One value of parquet_metadata of a file: "SELECT <what> FROM parquet_metadata(file)".
  duck::Rows Metadata(const StagedFile& file, const std::string& what) {
    return world_.Ask("SELECT " + what + " FROM parquet_metadata(" + QuoteText(file.path) + ")");
  }

  World world_;
};

TEST_F(ParquetWriter, GivesBackEveryTypeWithItsExtremes) {
  for (const std::string& select : ScalarQueries()) {
    RoundTrip(select);
    RoundTrip(select, [](WriterOptions& options) { options.zstd_level = 0; });
  }
}

TEST_F(ParquetWriter, GivesBackNestedValuesWithNullsAtEveryLevel) {
  for (const std::string& select : NestedQueries()) {
    RoundTrip(select);
    RoundTrip(select, [](WriterOptions& options) { options.rows_max = 3; });
  }
}

TEST_F(ParquetWriter, TypesComeBackAsTheyWere) {
  for (const std::string& select : ScalarQueries()) {
    const auto files = RoundTrip(select);
    const auto found = world_.connection().Describe(World::ReadSql(files));
    const auto wanted = world_.connection().Describe(select);
    ASSERT_EQ(found->size(), wanted->size());
    for (size_t i = 0; i < found->size(); ++i) {
      EXPECT_EQ((*found)[i].name, (*wanted)[i].name);
      EXPECT_EQ((*found)[i].type.ToSql(), (*wanted)[i].type.ToSql());
    }
  }
}

TEST_F(ParquetWriter, ManyRowsOfRandomNestedValuesInManyRowGroups) {
  for (const uint64_t rows_max : {1'000ULL, 4'096ULL, 122'880ULL}) {
    RoundTrip(RandomQuery(30'000), [&](WriterOptions& options) { options.rows_max = rows_max; });
  }
}

TEST_F(ParquetWriter, OnlyTheChosenRowsAreWritten) {
  const std::string select = "SELECT i, 'v' || i AS v, [i, i + 1] AS l FROM range(10000) t(i)";
  for (const size_t step : {2, 3, 64, 2048}) {
    auto files = world_.Write(select, world_.OptionsFor(select), [&](size_t row) { return row % step == 0; });
    ASSERT_TRUE(files.ok());
    // Vectors of a range hold 2048 rows each.
    EXPECT_EQ(world_.Differences(select + " WHERE (i % 2048) % " + std::to_string(step) + " = 0",
                                 World::ReadSql(*files)),
              0);
  }
}

TEST_F(ParquetWriter, NoRowsMakeNoFile) {
  const std::string select = "SELECT i, {'a': i} AS s FROM range(10) t(i) WHERE i < 0";
  auto files = world_.Write(select);
  ASSERT_TRUE(files.ok());
  EXPECT_TRUE(files->empty());
  EXPECT_EQ(FilesIn(world_.folder()), 0u);
}

TEST_F(ParquetWriter, AFileWithoutRowGroupsCanBeRead) {
  auto schema =
      ParquetSchema::Make(world_.connection().Describe("SELECT 1::BIGINT AS i, ['a'] AS l").value());
  ASSERT_TRUE(schema.ok());
  auto file = ParquetFile::Open(*schema, world_.folder() + "/empty.parquet", "qanat version 0.0.0");
  ASSERT_TRUE(file.ok());
  auto summary = (*file)->Finish();
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->rows, 0u);
  EXPECT_EQ(world_
                .Ask("SELECT count(*), count(i), count(l) FROM read_parquet(" +
                     QuoteText(world_.folder() + "/empty.parquet") + ")")
                .rows[0][0]
                .Int(),
            0);
}

TEST_F(ParquetWriter, RowGroupsHaveTheirRows) {
  World one(1);
  const std::string select = "SELECT i FROM range(10000) t(i)";
  WriterOptions options = one.OptionsFor(select);
  options.rows_max = 3000;
  auto files = one.Write(select, options);
  ASSERT_EQ(files->size(), 1u);
  const duck::Rows groups = one.Ask("SELECT row_group_num_rows FROM parquet_metadata(" +
                                    QuoteText((*files)[0].path) + ") ORDER BY row_group_id");
  ASSERT_EQ(groups.rows.size(), 4u);
  EXPECT_EQ(groups.rows[2][0].Int(), 3000);
  EXPECT_EQ(groups.rows[3][0].Int(), 1000);
}

// ---- Dictionaries and pages

TEST_F(ParquetWriter, FewValuesGetADictionary) {
  const auto files = RoundTrip(
      "SELECT 'name ' || (i % 100) AS s, (i % 7)::INTEGER AS n, (i % 50) * 1.5::DOUBLE AS d, i AS id "
      "FROM range(60000) t(i)");
  const duck::Rows rows = Metadata(files.at(0), "path_in_schema, encodings");
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const bool is_id = rows.rows[i][0].Str() == "id";
    EXPECT_EQ(rows.rows[i][1].Str().find("RLE_DICTIONARY") == std::string::npos, is_id)
        << rows.rows[i][0].Str();
  }
}

TEST_F(ParquetWriter, ADictionaryThatGrewTooLargeIsLeftWithThePagesItServes) {
  World one(1);
  // Repeats for 200,000 rows, then never again; and values so long that 1 MB of them is soon reached.
  const std::string select =
      "SELECT CASE WHEN i < 200000 THEN i % 700 ELSE i END AS n, "
      "CASE WHEN i < 200000 THEN 'x' || (i % 700) WHEN i % 10 = 0 THEN NULL ELSE 'y' || i END AS s, "
      "repeat('long ', 100) || (i // 20) AS l FROM range(300000) t(i)";
  WriterOptions options = one.OptionsFor(select);
  options.rows_max = 1'000'000;
  options.thread_bytes_max = size_t{1} << 30;
  auto files = one.Write(select, options);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(one.Differences(select, World::ReadSql(*files)), 0);
  for (const auto& row :
       one.Ask("SELECT encodings FROM parquet_metadata(" + QuoteText((*files)[0].path) + ")").rows) {
    EXPECT_NE(row[0].Str().find("RLE_DICTIONARY"), std::string::npos);
    EXPECT_NE(row[0].Str().find("PLAIN"), std::string::npos);
  }
}

TEST_F(ParquetWriter, ADictionaryIsTriedAgainInLaterRowGroups) {
  World one(1);
  const std::string select = "SELECT CASE WHEN i < 20000 THEN i ELSE 7 END AS n FROM range(100000) t(i)";
  WriterOptions options = one.OptionsFor(select);
  options.rows_max = 4096;
  auto files = one.Write(select, options);
  EXPECT_EQ(one.Differences(select, World::ReadSql(*files)), 0);
  const duck::Rows rows = one.Ask("SELECT encodings FROM parquet_metadata(" + QuoteText((*files)[0].path) +
                                  ") ORDER BY row_group_id");
  EXPECT_EQ(rows.rows.front()[0].Str().find("RLE_DICTIONARY"), std::string::npos);
  EXPECT_NE(rows.rows.back()[0].Str().find("RLE_DICTIONARY"), std::string::npos);
}

TEST_F(ParquetWriter, LongTextsAndLongListsAreCutIntoPages) {
  RoundTrip("SELECT i, repeat(chr((97 + i % 26)::INTEGER), (i * 1000)::INTEGER) AS s FROM range(200) t(i)");
  RoundTrip("SELECT i, repeat('x', 9000000) || i AS s FROM range(4) t(i)");
  RoundTrip("SELECT i, range(i * 100) AS l FROM range(300) t(i)");
  RoundTrip("SELECT i, list_transform(range(200000), lambda x: 'v' || (x + i)) AS l FROM range(4) t(i)");
  RoundTrip("SELECT i, [repeat('z', 3000000), NULL, repeat('a', 3000000)] AS l FROM range(3) t(i)");
}

TEST_F(ParquetWriter, WhatDoesNotShrinkIsStoredAsItIs) {
  const auto files = RoundTrip(
      "SELECT hash(i)::HUGEINT::DECIMAL(38,0) AS r, (hash(i)::HUGEINT - 9223372036854775808)::BIGINT AS d, i "
      "% 2 = 0 AS b, "
      "repeat('a', 100) || i AS s FROM range(20000) t(i)");
  for (const auto& row : Metadata(files.at(0), "path_in_schema, compression").rows) {
    if (row[0].Str() == "s") {
      EXPECT_EQ(row[1].Str(), "ZSTD");
    }
    if (row[0].Str() == "d") {
      EXPECT_EQ(row[1].Str(), "UNCOMPRESSED");
    }
  }
}

std::map<std::string, std::string> EncodingsOf(const duck::Rows& rows) {
  std::map<std::string, std::string> encodings;
  for (const auto& row : rows.rows) encodings[row[0].Str()] += row[1].Str() + ";";
  return encodings;
}

TEST_F(ParquetWriter, DistancesAreToldWhereTheyAreShorter) {
  World one(1);
  const std::string select =
      "SELECT i AS up, DATE '2024-01-01' + (i // 2)::INTEGER AS day, (i * 7 % 60000)::INTEGER AS turns, "
      "TIMESTAMP '2024-01-01' + INTERVAL (i) SECONDS AS ts, 'x' || i AS s, "
      "(hash(i) >> 1)::BIGINT AS wild, (hash(i) >> 33)::INTEGER AS wild32, "
      // More values than a dictionary has, far from each other, each of them again soon.
      "(hash(i % 30000) >> 20)::BIGINT AS again, CASE WHEN i % 3 > 0 THEN -i END AS down "
      "FROM range(120000) t(i)";
  for (const int level : {0, 1, 3}) {
    WriterOptions options = one.OptionsFor(select);
    options.zstd_level = level;
    const auto files = one.Write(select, options);
    ASSERT_TRUE(files.ok());
    EXPECT_EQ(one.Differences(select, World::ReadSql(*files)), 0);
    auto encodings = EncodingsOf(one.Ask("SELECT path_in_schema, encodings FROM parquet_metadata(" +
                                         QuoteText((*files)[0].path) + ")"));
    for (const char* column : {"up", "day", "turns", "ts", "down"})
      EXPECT_EQ(encodings[column], "RLE, DELTA_BINARY_PACKED;") << column << level;
    EXPECT_EQ(encodings["s"], "RLE, DELTA_LENGTH_BYTE_ARRAY;");
    for (const char* column : {"wild", "wild32"}) EXPECT_EQ(encodings[column], "RLE, PLAIN;") << column;
    EXPECT_EQ(encodings["again"], level > 0 ? "RLE, PLAIN;" : "RLE, DELTA_BINARY_PACKED;");
  }
}

// What was found out about a column is no more than a guess about its next pages.
TEST_F(ParquetWriter, AColumnThatChangesIsStillSmall) {
  World one(1);
  const std::string select =
      "SELECT CASE WHEN i < 20000 OR i > 180000 THEN i ELSE (hash(i) >> 1)::BIGINT END AS n, "
      "CASE WHEN i < 20000 THEN NULL ELSE repeat('ab', (i % 50)::INTEGER) || i END AS s, "
      "CASE WHEN i < 100000 THEN md5(i::VARCHAR) ELSE 'the same words, and a number: ' || i END AS t "
      "FROM range(200000) t(i)";
  for (const uint64_t rows_max : {uint64_t{5000}, uint64_t{50'000}}) {
    WriterOptions options = one.OptionsFor(select);
    options.rows_max = rows_max;
    const auto files = one.Write(select, options);
    ASSERT_TRUE(files.ok());
    EXPECT_EQ(one.Differences(select, World::ReadSql(*files)), 0);
    const duck::Rows sizes = one.Ask(
        "SELECT path_in_schema, sum(total_compressed_size)::BIGINT, sum(total_uncompressed_size)::BIGINT "
        "FROM "
        "parquet_metadata(" +
        QuoteText((*files)[0].path) + ") GROUP BY ALL ORDER BY ALL");
    EXPECT_LT(sizes.rows[0][1].Int(), 160'000 * 8 + 40'000 * 2);
    EXPECT_LT(sizes.rows[1][1].Int(), 180'000 * 8);
    EXPECT_LT(sizes.rows[2][1].Int(), 100'000 * 18 + 100'000 * 12);
  }
}

TEST_F(ParquetWriter, AValueThatNoPageHoldsIsRefused) {
  auto writer = PartitionedWriter::Make(world_.OptionsFor("SELECT 'a' AS note"));
  duck::String texts[2] = {};
  texts[1].size = 1'200'000'000;  // refused before it is read
  texts[1].pointer = "";
  const duck::ColumnIn column{texts, nullptr, {}};
  const uint32_t rows[] = {0, 1};
  const Status status = (*writer)->ThisThread().Append({&column, 1}, rows);
  EXPECT_EQ(status.ToString(),
            "QN-2061  A value of column 'note' is too large to be stored: 1200000004 bytes.\n"
            "  A Parquet page holds at most 1073741824 bytes of one row and column.");
  EXPECT_EQ((*writer)->Finish().status().code(), "QN-2061");
  EXPECT_EQ(FilesIn(world_.folder()), 0u);
}

TEST_F(ParquetWriter, ATypeThatTablesDoNotStoreIsRefused) {
  for (const char* select :
       {"SELECT 1::UBIGINT AS c", "SELECT [INTERVAL 1 DAY] AS c", "SELECT {'a': 1::HUGEINT} AS c",
        "SELECT 'x'::JSON AS c", "SELECT '1:00'::TIME AS c"}) {
    const auto writer = PartitionedWriter::Make(world_.OptionsFor(select));
    ASSERT_FALSE(writer.ok()) << select;
    EXPECT_EQ(writer.status().code(), "QN-2060");
    EXPECT_NE(writer.status().text().find("Column 'c' has a type"), std::string::npos)
        << writer.status().text();
  }
}

// ---- Partitions

TEST_F(ParquetWriter, PartitionsWithSpecialCharactersAndNull) {
  const std::string select =
      "SELECT i, v AS \"we/ird = col\", CASE WHEN i % 3 = 0 THEN NULL ELSE DATE '2024-02-28' + (i % "
      "5)::INTEGER END AS day "
      "FROM range(7000) t(i), LATERAL (SELECT (['plain', 'K=/ ü%', 'a:b+c&d?#[x]*', '..', '', NULL, "
      "'__HIVE_DEFAULT_PARTITION__', '__hive_default_partition__', '日本', 'line\nbreak', chr(0) || 'z'])[i "
      "% 11 + 1]) v(v)";
  const auto files = RoundTrip(select, [](WriterOptions& options) {
    options.partition_cols = {"we/ird = col", "day"};
    options.rows_max = 100;
  });
  EXPECT_EQ(files.size(), 11u * 6u);
  std::set<std::string> folders;
  for (const StagedFile& file : files) {
    folders.insert(fs::path(file.path).parent_path());
    EXPECT_EQ(file.partition.size() + file.partition_nulls.size(), 2u);
    std::string where = "true";
    for (const auto& [column, text] : file.partition) {
      where += " AND " + QuoteName(column) + "::VARCHAR IS NOT DISTINCT FROM " + QuoteText(text);
    }
    for (const std::string& column : file.partition_nulls) where += " AND " + QuoteName(column) + " IS NULL";
    if (where.find('\0') != std::string::npos) continue;  // not a thing to put into a statement
    EXPECT_EQ(
        world_.Ask("SELECT count(*) FROM (" + World::ReadSql({file}) + ") WHERE " + where).rows[0][0].Uint(),
        file.rows);
  }
  EXPECT_EQ(folders.size(), files.size());
}

TEST_F(ParquetWriter, FoldersAreCalledAsDuckDBCallsThem) {
  const std::string select =
      "SELECT i, (['plain', 'K=/ ü%', '..', '', NULL, '__hive_default_partition__', '日~_-.'])[i % 7 + 1] AS "
      "\"c d\", "
      "(i % 3) * 1.25::DECIMAL(9,2) AS dec, i % 2 = 0 AS b, TIMESTAMP '2024-01-01 10:00:00.5' + INTERVAL (i "
      "% 2) HOUR AS ts "
      "FROM range(100) t(i)";
  const auto ours = RoundTrip(select, [](WriterOptions& options) {
    options.partition_cols = {"c d", "dec", "b", "ts"};
  });
  world_.Ask("COPY (" + select + ") TO " + QuoteText(world_.folder() + "/copy") +
             " (FORMAT parquet, PARTITION_BY (\"c d\", dec, b, ts))");
  std::set<std::string> found, wanted;
  for (const StagedFile& file : ours) {
    found.insert(fs::relative(fs::path(file.path).parent_path(), world_.folder() + "/table").string());
  }
  for (const auto& entry : fs::recursive_directory_iterator(world_.folder() + "/copy")) {
    if (entry.is_regular_file()) {
      wanted.insert(fs::relative(entry.path().parent_path(), world_.folder() + "/copy").string());
    }
  }
  EXPECT_EQ(found, wanted);
}

TEST_F(ParquetWriter, EveryKindOfKey) {
  for (const char* key :
       {"(i % 5)::TINYINT - 2", "(i % 5)::SMALLINT", "(i % 5)::INTEGER", "i % 5", "(i % 5)::DECIMAL(4,1)",
        "(i % 5)::DECIMAL(9,1)", "(i % 5)::DECIMAL(18,1)", "-(i % 5)::DECIMAL(38,1)", "i % 2 = 0",
        "'k' || i % 5", "repeat('key', 10) || i % 5", "DATE '2020-01-01' + (i % 5)::INTEGER",
        "TIMESTAMP '2020-01-01' + INTERVAL (i % 5) SECOND",
        "TIMESTAMPTZ '2020-01-01 00:00:00+00' + INTERVAL (i % 5) SECOND"}) {
    const std::string select = "SELECT " + std::string(key) + " AS k, i FROM range(5000) t(i)";
    const auto files = RoundTrip(select, [](WriterOptions& options) { options.partition_cols = {"k"}; });
    EXPECT_EQ(files.size(), std::string(key) == "i % 2 = 0" ? 2u : 5u) << key;
    for (const StagedFile& file : files) {
      EXPECT_EQ(world_.Ask("SELECT count(DISTINCT k) FROM (" + World::ReadSql({file}) + ")").rows[0][0].Int(),
                1);
    }
  }
}

TEST_F(ParquetWriter, MoreFilesThanMayBeOpen) {
  const auto files = RoundTrip("SELECT (i * 7919) % 400 AS k, i, 'text ' || i AS s FROM range(40000) t(i)",
                               [](WriterOptions& options) {
                                 options.partition_cols = {"k"};
                                 options.rows_max = 30;
                               });
  EXPECT_EQ(files.size(), 400u);
}

TEST_F(ParquetWriter, ALittleMemoryMakesSmallerRowGroups) {
  const auto files = RoundTrip("SELECT i % 20 AS k, i, repeat('text ' || i, 10) AS s FROM range(50000) t(i)",
                               [](WriterOptions& options) {
                                 options.partition_cols = {"k"};
                                 options.thread_bytes_max = 1 << 20;
                               });
  EXPECT_EQ(files.size(), 20u);
  EXPECT_GT(Metadata(files[0], "count(DISTINCT row_group_id)").rows[0][0].Int(), 1);
}

TEST_F(ParquetWriter, FilesAreCutWhenTheyAreLarge) {
  const auto files =
      RoundTrip("SELECT i, hash(i)::DOUBLE AS h FROM range(100000) t(i)", [](WriterOptions& options) {
        options.rows_max = 10'000;
        options.file_bytes_max = 150'000;
      });
  EXPECT_GT(files.size(), 3u);
  EXPECT_EQ(RowsOf(files), 100'000u);
}

// ---- Statistics

TEST_F(ParquetWriter, StatisticsAreToldAsDuckDBTellsThem) {
  size_t compared = 0;
  for (const std::string& select : StatsQueries()) {
    const auto files = RoundTrip(select);
    ASSERT_EQ(files.size(), 1u);
    world_.Ask("CREATE OR REPLACE TEMP TABLE copied AS SELECT 1");
    const duck::Rows told =
        world_.Ask("COPY (" + select + ") TO " + QuoteText(world_.folder() + "/stats.parquet") +
                   " (FORMAT parquet, RETURN_STATS)");
    for (const ColumnStats& stats : files[0].stats) {
      const Json& theirs = told.rows[0][4][stats.column];
      ASSERT_FALSE(theirs.IsNull()) << stats.column;
      EXPECT_EQ(std::to_string(stats.null_count), theirs["null_count"].Str()) << stats.column;
      if (stats.has_nan) continue;
      EXPECT_EQ(stats.has_min_max, theirs.Has("min")) << stats.column;
      EXPECT_EQ(stats.min, WithZero(theirs["min"].Str())) << stats.column << " in " << select;
      EXPECT_EQ(stats.max, WithZero(theirs["max"].Str())) << stats.column << " in " << select;
      ++compared;
    }
  }
  EXPECT_GT(compared, 25u);
}

TEST_F(ParquetWriter, NullsAreCountedThroughTheirParents) {
  const auto files = RoundTrip(
      "SELECT * FROM (VALUES ({'a': 1, 'l': [1]}, ['x']), ({'a': NULL, 'l': NULL}, []), (NULL, NULL), "
      "({'a': 2, 'l': []}, [NULL])) t(s, l)");
  ASSERT_EQ(files.size(), 1u);
  std::vector<std::string> told;
  for (const ColumnStats& stats : files[0].stats)
    told.push_back(stats.column + " " + std::to_string(stats.null_count));
  EXPECT_EQ(told, (std::vector<std::string>{"\"s\".\"a\" 2", "\"s\".\"l\" 2", "\"l\" 1"}));
}

TEST_F(ParquetWriter, NoBoundsWhereANaNIsAndBothZerosAreInside) {
  const auto files =
      RoundTrip("SELECT * FROM (VALUES (0.0::DOUBLE, 'nan'::DOUBLE, 1::FLOAT), (0.0, 1.0, 2)) t(z, n, f)");
  const duck::Rows rows = Metadata(files.at(0), "path_in_schema, stats_min_value, stats_max_value");
  for (const auto& row : rows.rows) {
    if (row[0].Str() == "z") {
      EXPECT_EQ(row[1].Str() + "/" + row[2].Str(), "-0.0/0.0");
    }
    if (row[0].Str() == "n") {
      EXPECT_TRUE(row[1].IsNull());
    }
  }
  EXPECT_TRUE(files[0].stats[1].has_nan);
  EXPECT_FALSE(files[0].stats[1].has_min_max);
  EXPECT_EQ(world_.Ask("SELECT count(*) FROM (" + World::ReadSql(files) + ") WHERE n > 5").rows[0][0].Int(),
            1);
}

TEST_F(ParquetWriter, LongTextsHaveNoBounds) {
  const auto files = RoundTrip("SELECT repeat('a', 300) AS m, repeat('a', 5000) AS l, 'a' AS s");
  EXPECT_TRUE(files.at(0).stats[0].has_min_max);  // told to the table
  EXPECT_FALSE(files.at(0).stats[1].has_min_max);
  const duck::Rows rows = Metadata(files[0], "stats_min_value IS NULL");
  EXPECT_TRUE(rows.rows[0][0].Bool());  // not in the footer
  EXPECT_TRUE(rows.rows[1][0].Bool());
  EXPECT_FALSE(rows.rows[2][0].Bool());
}

TEST_F(ParquetWriter, FiltersOnBoundsLoseNoRow) {
  World one(1);
  const std::string select =
      "SELECT i, (i * 37 % 1000 - 500)::DECIMAL(38,3) AS big, 'ü' || (i * 37 % 1000) AS s, "
      "(i - 5000)::SMALLINT AS small, DATE '1970-01-01' + (i - 5000)::INTEGER AS day FROM range(10000) t(i)";
  WriterOptions options = one.OptionsFor(select);
  options.rows_max = 500;
  const auto files = one.Write(select, options).value();
  for (const char* where :
       {"big = -500", "big > 498.5", "s = 'ü999'", "s < 'ü1'", "small < -4990", "small = 4999",
        "day < DATE '1956-05-01'", "i BETWEEN 4999 AND 5000", "big IS NULL"}) {
    EXPECT_EQ(one.Ask("SELECT count(*) FROM (" + World::ReadSql(files) + ") WHERE " + where).rows[0][0].Int(),
              one.Ask("SELECT count(*) FROM (" + select + ") WHERE " + where).rows[0][0].Int())
        << where;
  }
}

// ---- Failures

TEST_F(ParquetWriter, NothingIsLeftWhenItIsAbandoned) {
  const std::string select = "SELECT i % 3 AS k, i FROM range(20000) t(i)";
  WriterOptions options = world_.OptionsFor(select);
  options.partition_cols = {"k"};
  options.rows_max = 1000;
  options.file_bytes_max = 10'000;
  {
    auto writer = PartitionedWriter::Make(options);
    ASSERT_TRUE(world_.Pour(select, options.columns, writer->get()).ok());
    EXPECT_GT(FilesIn(world_.folder()), 0u);
    (*writer)->Abandon();
    EXPECT_EQ(FilesIn(world_.folder()), 0u);
  }
  {
    auto writer = PartitionedWriter::Make(options);
    ASSERT_TRUE(world_.Pour(select, options.columns, writer->get()).ok());
  }
  EXPECT_EQ(FilesIn(world_.folder()), 0u);
}

TEST_F(ParquetWriter, HalfWrittenFilesHaveANameThatNobodyReads) {
  const std::string select = "SELECT i FROM range(20000) t(i)";
  WriterOptions options = world_.OptionsFor(select);
  options.rows_max = 1000;
  auto writer = PartitionedWriter::Make(options);
  ASSERT_TRUE(world_.Pour(select, options.columns, writer->get()).ok());
  for (const auto& entry : fs::directory_iterator(options.folder)) {
    EXPECT_TRUE(entry.path().filename().string().starts_with(".qn-tmp-part-w-1-")) << entry.path();
  }
  const auto files = (*writer)->Finish();
  for (const auto& entry : fs::directory_iterator(options.folder)) {
    EXPECT_TRUE(entry.path().filename().string().starts_with("part-w-1-")) << entry.path();
  }
  EXPECT_EQ(files->size(), 1u);
}

TEST_F(ParquetWriter, AFileThatIsThereIsNotReplaced) {
  const std::string select = "SELECT 1 AS i";
  WriterOptions options = world_.OptionsFor(select);
  options.new_id = [] { return std::string("same"); };
  ASSERT_TRUE(world_.Write(select, options).ok());
  const auto again = world_.Write(select, options);
  EXPECT_EQ(again.status().code(), "QN-3106");
  EXPECT_EQ(again.status().kind(), Kind::kConflict);
  EXPECT_EQ(FilesIn(world_.folder()), 1u);
}

TEST_F(ParquetWriter, AFolderThatMayNotBeWrittenIsTold) {
  const std::string select = "SELECT 1 AS i";
  WriterOptions options = world_.OptionsFor(select);
  options.folder = "/proc/nowhere/table";
  const auto files = world_.Write(select, options);
  ASSERT_FALSE(files.ok());
  EXPECT_NE(files.status().text().find("/proc/nowhere"), std::string::npos) << files.status().ToString();
}

// A limit of the process stands for a disk that does not take any more: the write comes back short.
TEST_F(ParquetWriter, AWriteThatFailsEndsInAStatusAndLeavesNothing) {
  const std::string select = "SELECT hash(i)::DOUBLE AS h FROM range(300000) t(i)";
  WriterOptions options = world_.OptionsFor(select);
  options.rows_max = 20'000;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const rlim_t limit : {rlim_t{500'000}, rlim_t{2}}) {
    const auto old = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{limit, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    auto writer = PartitionedWriter::Make(options);
    const Status poured = world_.Pour(select, options.columns, writer->get());
    const auto files = (*writer)->Finish();
    ::setrlimit(RLIMIT_FSIZE, &before);
    ::signal(SIGXFSZ, old);
    EXPECT_FALSE(poured.ok());
    ASSERT_FALSE(files.ok());
    EXPECT_EQ(files.status().code(), "QN-3103");
    EXPECT_NE(files.status().text().find("File too large"), std::string::npos);
    EXPECT_EQ(FilesIn(world_.folder()), 0u);
  }
}

}  // namespace
}  // namespace qn::parquet
