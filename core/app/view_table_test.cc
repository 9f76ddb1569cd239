// Views' tables against a model: a multiset of encoded rows. Every file is really written and read.
#include <random>

#include "app/test_view.h"

namespace qn::app {
namespace {

namespace fs = std::filesystem;
using World = ViewWorld;

void ExpectRefused(const Status& status, const std::string& code, const std::vector<std::string>& words) {
  EXPECT_EQ(status.code(), code) << status.ToString();
  for (const std::string& word : words)
    EXPECT_NE(status.ToString().find(word), std::string::npos) << word << "\n" << status.ToString();
}

// Rows that look like a view: a key, numbers, text of any length, NULLs, and some that occur twice.
std::string Rows(int from, int to) {
  return "SELECT i // 2 AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE 'c' || (i % 3) END AS city, "
         "((i % 11) * 0.25)::DECIMAL(12,2) AS price, repeat('x', i % 40) AS note, DATE '2024-01-01' + (i % "
         "4)::INTEGER AS day "
         "FROM range(" +
         std::to_string(from) + ", " + std::to_string(to) + ") t(i)";
}

// Adds and takes back at random, for many steps, with restarts and other writers between.
void RunAgainstModel(World::Shape shape, uint64_t seed, bool has_others) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  World world(Rows(0, 1), std::move(shape));
  std::mt19937_64 random(seed);
  const auto pool = world.Encode(Rows(0, 1500));
  ASSERT_EQ(pool.size(), 1500u);
  Model model;
  for (int step = 0; step < 25; ++step) {
    if (random() % 6 == 0) world.Open();
    if (has_others && random() % 8 == 0 && !model.empty()) world.Optimize();
    const bool starts_empty = random() % 20 == 0;
    if (starts_empty) model.clear();
    const uint64_t sizes[] = {0, 1, 3, 20, 200, 600};
    Model change;
    for (uint64_t n = sizes[random() % 6]; n > 0; --n) ++change[pool[random() % pool.size()]];
    const uint64_t one_in = uint64_t{1} << (random() % 8);
    for (const auto& [row, count] : model) {
      if (random() % one_in == 0)
        change[row] -= 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(count));
    }
    world.Step(change, starts_empty);
    Add(model, change);
    ASSERT_EQ(world.Stored(), model) << "step " << step;
  }
}

TEST(ViewTable, RandomStepsAgreeWithAModel) {
  for (uint64_t seed = 1; seed <= 3; ++seed) RunAgainstModel({}, seed, false);
}
TEST(ViewTable, RandomStepsWithKeys) {
  for (uint64_t seed = 11; seed <= 12; ++seed) RunAgainstModel({{}, {"id", "city"}, 100}, seed, false);
}
TEST(ViewTable, RandomStepsWithPartitions) {
  for (uint64_t seed = 21; seed <= 22; ++seed) RunAgainstModel({{"city", "day"}, {}, 40}, seed, false);
}
TEST(ViewTable, RandomStepsWithOtherWriters) {
  for (uint64_t seed = 31; seed <= 32; ++seed) RunAgainstModel({}, seed, true);
  for (uint64_t seed = 41; seed <= 41; ++seed) RunAgainstModel({{"city", "price"}, {"id"}, 20}, seed, true);
}

TEST(ViewTable, EveryStoredTypeComesBackAsItWas) {
  const std::string types = R"(
    SELECT * FROM (VALUES
      (1::BIGINT, true, 1::TINYINT, 2::SMALLINT, 3::INTEGER, 255::UTINYINT, 18446744073709551615::UBIGINT,
       '-0.0'::FLOAT, '-0.0'::DOUBLE, 12.34::DECIMAL(4,2), -1.5::DECIMAL(9,3), 12.34::DECIMAL(18,2),
       99999999999999999999999999999999999999::DECIMAL(38,0), 'text',
       'bytes\x00\xFF'::BLOB, DATE '2024-02-29', TIMESTAMP '2024-01-01 10:00:00.123456',
       TIMESTAMPTZ '2024-01-01 10:00:00.123456+02', {'lat': 1.0::DOUBLE, 'tags': ['a', NULL]},
       [1, 2, NULL]::INTEGER[], MAP {'k': [{'x': 1::TINYINT}]},
       uuid '00000000-0000-4000-8000-000000000000', TIME '12:00:00', [[NULL, 'long enough to be a pointer'], []]),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL),
      (-9223372036854775808, false, -128, -32768, -2147483648, 0, 0, 'nan'::FLOAT, '-nan'::DOUBLE, -99.99,
       999999.999, -9999999999999999.99, -99999999999999999999999999999999999999,
       repeat('é', 40) || '"\' || chr(0), ''::BLOB, DATE '5877642-06-25 (BC)', TIMESTAMP '290309-12-22 (BC) 00:00:00',
       TIMESTAMPTZ '294247-01-10 04:00:54.775806+00', {'lat': NULL, 'tags': NULL}, [], MAP {}, NULL, NULL, [NULL]),
      (9223372036854775807, false, 127, 32767, 2147483647, 0, 0, 'inf'::FLOAT, '-inf'::DOUBLE, 0, 0, 0, 0,
       '', NULL, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.999999',
       TIMESTAMPTZ '1900-01-01 00:00:00+00', {'lat': 'nan'::DOUBLE, 'tags': []}, NULL, MAP {'': NULL, 'b': [NULL]},
       NULL, NULL, NULL),
      (1, NULL, NULL, NULL, NULL, NULL, NULL, 0.0::FLOAT, 0.0::DOUBLE, NULL, NULL, NULL, NULL, NULL, NULL,
       'infinity'::DATE, 'infinity'::TIMESTAMP, '-infinity'::TIMESTAMPTZ, NULL, NULL, NULL, NULL, NULL, NULL))
    t(id, b, i8, i16, i32, u8, u64, f, d, d4, d9, d18, d38, name, bytes, day, ts, z, place, list, m, u, tm, deep))";
  World world(types, {});
  const auto rows = world.Encode(types);
  ASSERT_EQ(rows.size(), 5u);
  Model model = Added(rows);
  ASSERT_EQ(model.size(), 5u) << "-0.0 and 0.0 are two rows";
  world.Step(model);
  EXPECT_EQ(world.Stored(), model);
  // Each goes alone: it is found by its bytes.
  for (const std::string& row : rows) {
    world.Open();
    world.Step({{row, -1}});
    model.erase(row);
    EXPECT_EQ(world.Stored(), model);
  }
  EXPECT_EQ(world.FilesInTable(), 0u);
}

TEST(ViewTable, AnEmptyDeltaChangesNothing) {
  World world(Rows(0, 1), {});
  const auto rows = world.Encode(Rows(0, 4));
  Delta delta;
  for (const int64_t weight : {2, -1, -1}) delta.rows.push_back({delta.bytes.Store(rows[0]), {}, weight});
  const auto staged = world.table().Apply(delta, 1);
  ASSERT_TRUE(staged.ok());
  EXPECT_TRUE(delta.rows.empty());
  EXPECT_TRUE(staged->files.empty() && staged->removes.empty() && !staged->replaces_all);
  EXPECT_EQ(world.FilesOnDisk(), 0u);
}

TEST(ViewTable, TheDeltaIsConsolidated) {
  World world(Rows(0, 1), {});
  const auto rows = world.Encode("SELECT * FROM (" + Rows(0, 40) + ") WHERE id >= 10 ORDER BY ALL");
  Delta delta;
  for (const int64_t weight : {3, -1}) {
    for (const std::string& row : {rows[0], rows[5]})
      delta.rows.push_back({delta.bytes.Store(row), {}, weight});
  }
  delta.rows.push_back({delta.bytes.Store(rows[5]), {}, -2});
  ASSERT_TRUE(world.table().Apply(delta, 1).ok());
  ASSERT_EQ(delta.rows.size(), 1u);
  EXPECT_EQ(delta.rows[0].row, rows[0]);
  EXPECT_EQ(delta.rows[0].weight, 2);
}

TEST(ViewTable, RowsThatAreEqualAreCounted) {
  World world(Rows(0, 1), {});
  const auto row = world.Encode(Rows(0, 1))[0];
  world.Step({{row, 200}});  // more than a bucket, and no way to cut them
  EXPECT_EQ(world.Stored(), (Model{{row, 200}}));
  world.Step({{row, -150}});
  EXPECT_EQ(world.Stored(), (Model{{row, 50}}));
  world.Step({{row, -50}});
  EXPECT_EQ(world.Stored(), Model{});
  EXPECT_EQ(world.FilesInTable(), 0u);
}

TEST(ViewTable, ALargeTableIsCutAndASmallChangeRewritesOneFile) {
  World world(Rows(0, 1), {{}, {}, 100});
  const auto rows = world.Encode(Rows(0, 20'000));
  Model model = Added(rows);
  world.Step(model);
  EXPECT_EQ(world.Stored(), model);
  const size_t files = world.FilesInTable();
  EXPECT_GE(files, 200u);  // of 100 rows at most, but for chance
  EXPECT_LE(files, 512u);
  const Model change = {{model.begin()->first, -1}};
  const auto staged = world.Step(change);
  Add(model, change);
  EXPECT_EQ(staged.removes.size(), 1u);
  EXPECT_EQ(staged.files.size(), 1u);
  EXPECT_LT(staged.files[0].rows, 200u);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, AKeysOldAndNewRowsShareABucket) {
  World world(Rows(0, 1), {{}, {"id"}, 100});
  Model model = Added(world.Encode("SELECT * REPLACE (i.id AS id) FROM (" + Rows(0, 4'000) + ") i"));
  world.Step(model);
  // All rows of one key: one file has them.
  const auto old = world.Encode("SELECT * FROM (" + Rows(0, 4'000) + ") WHERE id = 77");
  ASSERT_EQ(old.size(), 2u);
  EXPECT_EQ(world.Step(Added(old, -1)).removes.size(), 1u);
}

TEST(ViewTable, ManySmallStepsLeaveFewFiles) {
  World world(Rows(0, 1), {{}, {}, 1'000});
  const auto rows = world.Encode(Rows(0, 600));
  Model model;
  size_t files_max = 0;
  uint64_t written = 0;
  for (size_t i = 0; i < rows.size(); i += 3) {
    const Model change = Added({rows[i], rows[i + 1], rows[i + 2]});
    for (const StagedFile& file : world.Step(change).files) written += file.rows;
    Add(model, change);
    files_max = std::max(files_max, world.FilesInTable());
  }
  EXPECT_EQ(world.Stored(), model);
  EXPECT_LE(files_max, 9u);      // log2(200) and one
  EXPECT_LE(written, 600u * 9);  // each row is rewritten as often
}

TEST(ViewTable, RowsThatWereJustAddedGoWithoutTouchingOldFiles) {
  World world(Rows(0, 1), {{}, {}, 1'000});
  Model model = Added(world.Encode(Rows(0, 900)));
  world.Step(model);
  ASSERT_EQ(world.FilesInTable(), 1u);
  const std::string old = world.sink().snapshot().files.begin()->first;
  for (int i = 0; i < 10; ++i) {
    Model change = Added(world.Encode(Rows(1000 + 20 * i, 1020 + 20 * i)));
    if (i > 0) Add(change, Added(world.Encode(Rows(980 + 20 * i, 1000 + 20 * i)), -1));
    world.Step(change);
    Add(model, change);
  }
  EXPECT_EQ(world.sink().snapshot().files.count(old), 1u);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, BucketsThatBecameSmallArePutTogether) {
  World world(Rows(0, 1), {{}, {}, 100});
  Model model = Added(world.Encode(Rows(0, 8'000)));
  world.Step(model);
  const size_t files = world.FilesInTable();
  Model change;
  std::mt19937_64 random(5);
  for (const auto& [row, count] : model) {
    if (random() % 40 != 0) change[row] = -count;
  }
  world.Step(change);
  Add(model, change);
  ASSERT_GT(model.size(), 50u);
  EXPECT_EQ(world.Stored(), model);
  const Model last = {{model.begin()->first, -1}};
  world.Step(last);
  Add(model, last);
  EXPECT_EQ(world.Stored(), model);
  EXPECT_LT(world.FilesInTable(), files / 10);
}

TEST(ViewTable, OnlyPartitionsThatChangeAreTouched) {
  World world(Rows(0, 1), {{"DAY"}, {}, 100});  // names of columns have no case
  Model model = Added(world.Encode(Rows(0, 400)));
  world.Step(model);
  EXPECT_EQ(world.FilesInTable(), 4u);
  const Model change =
      Added(world.Encode("SELECT * FROM (" + Rows(0, 400) + ") WHERE day = DATE '2024-01-02' LIMIT 3"), -1);
  const auto staged = world.Step(change);
  Add(model, change);
  ASSERT_EQ(staged.removes.size(), 1u);
  EXPECT_NE(staged.removes[0].find("day=2024-01-02"), std::string::npos);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, PartitionsOfEveryType) {
  const std::string query = R"(
    SELECT * FROM (VALUES
      (1, 'K=/ ü%*[x]?', DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00:00.5', TIMESTAMPTZ '2024-01-01 10:00:00+02',
       1.50::DECIMAL(5,2), 9::TINYINT, -1::BIGINT, 12345678901234567890123.5::DECIMAL(30,1), true),
      (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (3, '日本 a text of more than 12 bytes', DATE '9999-12-31', TIMESTAMP '1960-01-01', TIMESTAMPTZ '1960-01-01', -1, -128, 5,
       -0.5, false))
    t(id, city, day, ts, z, d, i8, i64, big, b))";
  World world(query, {{"city", "day", "ts", "z", "d", "i8", "i64", "big", "b"}, {}, 100});
  const auto rows = world.Encode(query);
  Model model = Added(rows);
  world.Step(model);
  EXPECT_EQ(world.FilesInTable(), 3u);
  EXPECT_EQ(world.Stored(), model);
  world.Optimize();
  for (const std::string& row : rows) {
    world.Open();
    world.Step({{row, -1}});
    model.erase(row);
    EXPECT_EQ(world.Stored(), model);
  }
}

TEST(ViewTable, AnEmptyTextAndNullShareAPartition) {
  const std::string query = "SELECT i AS id, CASE WHEN i % 2 = 0 THEN '' END AS city FROM range(100) t(i)";
  World world(query, {{"city"}, {}, 10});
  const auto rows = world.Encode(query);
  world.Step(Added(rows));
  for (size_t i = 0; i < rows.size(); i += 20) world.Step(Added({rows[i], rows[i + 1]}, -1));
  uint64_t left = 0;
  for (const auto& [path, add] : world.sink().snapshot().files) {
    EXPECT_FALSE(add->partition[0].second.has_value());
    left += static_cast<uint64_t>(delta::RowsOf(add->stats));
  }
  EXPECT_EQ(left, 90u);
}

TEST(ViewTable, AColumnThatCameLaterIsNullInOldRows) {
  const std::string rows = "SELECT i AS id, 'n' || i AS name FROM range(300) t(i)";
  World world(rows, {{}, {}, 100});
  world.Step(Added(world.Encode(rows)));
  world.AddColumn({"more", Type::Of(TypeId::kDouble), true, ""});
  Model model = Added(world.Encode("SELECT *, NULL AS more FROM (" + rows + ")"));
  const Model change = Added(world.Encode("SELECT *, NULL AS more FROM (" + rows + ") WHERE id % 9 = 0"), -1);
  world.Step(change);
  Add(model, change);
  EXPECT_EQ(world.Stored(), model);
  const Model more = Added(world.Encode("SELECT *, 0.5 AS more FROM (" + rows + ") WHERE id % 9 = 0"));
  world.Step(more);
  Add(model, more);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, OtherKeysMakeOtherBuckets) {
  World world(Rows(0, 1), {{}, {"id"}, 20});
  Model model = Added(world.Encode(Rows(0, 500)));
  world.Step(model);
  world.SetKeys({"city"});
  Model change;
  for (const auto& [row, count] : model) {
    if (change.size() < 40) change[row] = -count;
  }
  world.Step(change);
  Add(model, change);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, WhatOthersAppendStays) {
  World world(Rows(0, 1), {{}, {}, 100});
  Model model = Added(world.Encode(Rows(0, 300)));
  world.Step(model);
  world.Ask("COPY (" + Rows(5000, 5003) + ") TO " + QuoteText(world.folder() + "/theirs.parquet") +
            " (FORMAT parquet)");
  LocalFiles files;
  const std::string add =
      R"({"add":{"path":"theirs.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":3}"}})";
  ASSERT_TRUE(files.PutIfAbsent(delta::EntryPath(world.folder(), 1), add + "\n").ok());
  Add(model, Added(world.Encode(Rows(5000, 5003))));
  const Model change = {{model.begin()->first, -1}};
  world.Step(change);
  Add(model, change);
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, ARowThatIsNotThereIsTold) {
  for (const int rows : {30, 3'000}) {
    World world(Rows(0, 1), {{}, {}, 100});
    const Model model = Added(world.Encode(Rows(0, rows)));
    world.Step(model);
    const size_t on_disk = world.FilesOnDisk();
    Model change = {{world.Encode(Rows(7000, 7001))[0], -1}, {model.begin()->first, -1}};
    for (const std::string& row : world.Encode(Rows(8000, 8030))) change[row] = 1;
    const auto staged = world.TryApply(change, 2);
    ExpectRefused(staged.status(), "QN-3320",
                  {"A row that the view 'sales' takes back is not in its table.", "'id': 3500",
                   "changed by somebody else", "--full-refresh sales"});
    EXPECT_EQ(world.FilesOnDisk(), on_disk) << "nothing is left of the step";
    EXPECT_EQ(world.Stored(), model);
    // Too often is as wrong.
    ExpectRefused(world.TryApply({{model.begin()->first, -1000}}, 2).status(), "QN-3320", {});
    ExpectRefused(world.TryApply({{model.begin()->first, -1}}, 2, true).status(), "QN-3320", {});
    EXPECT_EQ(world.FilesOnDisk(), on_disk);
  }
}

TEST(ViewTable, AFileThatCannotBeReadIsTold) {
  World world(Rows(0, 1), {});
  const Model model = Added(world.Encode(Rows(0, 30)));
  world.Step(model);
  const std::string path = world.folder() + "/" + world.sink().snapshot().files.begin()->first;
  fs::resize_file(path, fs::file_size(path) - 5);
  ExpectRefused(world.TryApply({{model.begin()->first, -1}}, 2).status(), "QN-3321",
                {"A file of the view 'sales' cannot be read.", path, "--full-refresh sales"});
  fs::remove(path);
  ExpectRefused(world.TryApply({{model.begin()->first, -1}}, 2).status(), "QN-3321", {path});
}

TEST(ViewTable, ACrashBeforeTheCommitLeavesTheOldTable) {
  World world(Rows(0, 1), {{}, {}, 100});
  Model model = Added(world.Encode(Rows(0, 500)));
  world.Step(model);
  Model change = Added(world.Encode(Rows(600, 900)));
  for (const auto& [row, count] : model) {
    if (change.size() < 400) change[row] = -1;
  }
  const auto staged = world.TryApply(change, 2);
  ASSERT_TRUE(staged.ok());
  const auto receipt = world.sink().Stage(2, *staged);
  ASSERT_TRUE(receipt.ok());
  EXPECT_EQ(world.Stored(), model);
  // The checkpoint was not written: the files are nobody's.
  world.Open();
  EXPECT_EQ(*world.sink().SweepOrphans({}), staged->files.size());
  EXPECT_EQ(world.Stored(), model);
  // Computed again, and killed after the checkpoint: the commit is repeated.
  const auto again = world.TryApply(change, 2);
  ASSERT_TRUE(again.ok());
  const auto kept = world.sink().Stage(2, *again);
  ASSERT_TRUE(kept.ok());
  world.Open();
  ASSERT_TRUE(world.sink().Commit(2, *kept).ok());
  ASSERT_TRUE(world.sink().Commit(2, *kept).ok());
  Add(model, change);
  EXPECT_EQ(world.Stored(), model);
  EXPECT_EQ(*world.sink().SweepOrphans({}), 0u);
}

TEST(ViewTable, ACompactionDuringTheStepIsAConflict) {
  World world(Rows(0, 1), {});
  const Model model = Added(world.Encode(Rows(0, 40)));
  world.Step(model);
  const auto staged = world.TryApply({{model.begin()->first, -1}}, 2);
  ASSERT_TRUE(staged.ok());
  const auto receipt = world.sink().Stage(2, *staged);
  world.Optimize();
  EXPECT_EQ(world.sink().Commit(2, *receipt).code(), "QN-3319");
  EXPECT_EQ(world.Stored(), model);
}

TEST(ViewTable, StartingEmptyReplacesAll) {
  World world(Rows(0, 1), {{}, {}, 100});
  world.Step(Added(world.Encode(Rows(0, 500))));
  const Model model = Added(world.Encode(Rows(100, 400)));
  const auto staged = world.Step(model, true);
  EXPECT_TRUE(staged.replaces_all);
  EXPECT_TRUE(staged.removes.empty());
  EXPECT_EQ(world.Stored(), model);
  EXPECT_TRUE(world.Step({}, true).replaces_all);
  EXPECT_EQ(world.Stored(), Model{});
}

}  // namespace
}  // namespace qn::app
