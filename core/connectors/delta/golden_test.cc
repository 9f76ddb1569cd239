// Tables written through DuckDB and our log, log checkpoints included: others must read them. With
// QANAT_GOLDEN_DIR set, the tables stay there for tests/golden, which reads them with deltalake and DuckDB.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/test_folder.h"
#include "connectors/delta/parquet_checkpoint.h"
#include "connectors/delta/sink.h"
#include "contract/memory_files.h"

namespace qn::delta {
namespace {

namespace fs = std::filesystem;

// The plain disk: what is promised about syncing is tested elsewhere.
class PlainFiles final : public Files {
 public:
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    QN_GET(const std::string bytes, Read(path));
    MemoryFiles memory;
    memory.WriteUnsynced("/x", bytes);
    return memory.Open("/x");
  }
  Result<std::string> Read(const std::string& path) override {
    std::ifstream in(path, std::ios::binary);
    if (!in) return Status(Kind::kNotFound, "QN-3105", path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  Result<FileInfo> Stat(const std::string& path) override {
    if (!fs::exists(path)) return Status(Kind::kNotFound, "QN-3105", path);
    return FileInfo{path, fs::file_size(path), 0, 0};
  }
  Result<std::vector<FileInfo>> List(const std::string& folder) override {
    std::vector<FileInfo> found;
    if (!fs::exists(folder)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) found.push_back({entry.path().string(), entry.file_size(), 0, 0});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return found;
  }
  Result<std::vector<FileInfo>> Glob(const std::string&) override { return std::vector<FileInfo>(); }
  Status MakeFolder(const std::string& path) override {
    fs::create_directories(path);
    return Ok();
  }
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    if (fs::exists(path)) return Status(Kind::kConflict, "QN-3106", path);
    return Put(path, bytes);
  }
  Status Put(const std::string& path, std::string_view bytes) override {
    std::ofstream(path, std::ios::binary) << bytes;
    return Ok();
  }
  Status Remove(const std::string& path) override {
    fs::remove(path);
    return Ok();
  }
  Status Sync(const std::string&) override { return Ok(); }
  Status SyncFolder(const std::string&) override { return Ok(); }
};

class FixedClock final : public Clock {
 public:
  int64_t WallMs() const override { return 1'700'000'000'123; }
  int64_t MonotonicNs() const override { return 0; }
};

class Golden : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* library = std::getenv("QANAT_DUCKDB");
    auto api = duck::LoadApi(library != nullptr ? library : "");
    ASSERT_TRUE(api.ok()) << api.status().ToString();
    duck::Options options;
    options.threads = 2;
    auto database = duck::Database::Open(*api, options);
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    database_ = std::move(database).value();
    connection_ = std::move(database_->Connect()).value();
    if (const char* folder = std::getenv("QANAT_GOLDEN_DIR"); folder != nullptr) {
      root_ = folder;
    } else {
      root_ = MakeTestFolder("golden");
      is_temporary_ = true;
    }
    checkpoints_ = std::make_unique<ParquetCheckpoints>(*connection_, files_, root_ + "/scratch");
  }
  void TearDown() override {
    if (is_temporary_) fs::remove_all(root_);
  }

  std::unique_ptr<DeltaSink> Open(const std::string& name, const std::string& query, TextMap properties,
                                  std::vector<std::string> partition_cols = {}) {
    DeltaOptions options;
    options.folder = root_ + "/" + name;
    options.app_id = "golden/" + name;
    options.name = name;
    options.comment = "Written by the golden test.";
    const auto described = connection_->Describe(query);
    EXPECT_TRUE(described.ok()) << described.status().ToString();
    options.schema = *described;
    options.schema[0].comment = "the first column";
    options.partition_cols = std::move(partition_cols);
    options.properties = std::move(properties);
    auto sink = DeltaSink::Open(
        options, {files_, clock_, [this] { return seed_ += 0x9E3779B97F4A7C15u; }, checkpoints_.get()});
    EXPECT_TRUE(sink.ok()) << sink.status().ToString();
    return std::move(sink).value();
  }

  // Files by COPY, with its statistics.
  std::vector<StagedFile> Copy(DeltaSink& sink, const std::string& name, Epoch epoch,
                               const std::string& query, const std::string& partition_by) {
    const std::string sql =
        "COPY (SELECT " + TypedColumns(sink) + " FROM (" + query + ")) TO " + QuoteText(root_ + "/" + name) +
        " (FORMAT parquet, COMPRESSION zstd, RETURN_STATS, APPEND, FILENAME_PATTERN " +
        QuoteText(sink.FilenamePattern(epoch)) +
        (partition_by.empty() ? ", PER_THREAD_OUTPUT" : ", PARTITION_BY (" + partition_by + ")") + ")";
    const auto rows = connection_->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString();
    std::vector<StagedFile> files;
    if (!rows.ok()) return files;
    for (const auto& row : rows->rows) {
      if (row[1].Uint() > 0) files.push_back(FromStats(row));
    }
    return files;
  }

  static std::string TypedColumns(const DeltaSink& sink) {
    std::string columns;
    for (const Field& field : sink.schema()) {
      columns += (columns.empty() ? "" : ", ") + QuoteName(field.name) + "::" + field.type.ToSql() + " AS " +
                 QuoteName(field.name);
    }
    return columns;
  }

  // As the engine writes a table: COPY, its statistics, Stage, Commit.
  void Append(DeltaSink& sink, const std::string& name, Epoch epoch, const std::string& query,
              const std::string& partition_by = "", bool replaces_all = false) {
    // What readers must find: one SELECT a line.
    std::ofstream(root_ + "/" + name + ".sql", replaces_all ? std::ios::trunc : std::ios::app)
        << Json("SELECT " + TypedColumns(sink) + " FROM (" + query + ")").Dump() << "\n";
    StagedDelta delta;
    delta.replaces_all = replaces_all;
    delta.files = Copy(sink, name, epoch, query, partition_by);
    const auto receipt = sink.Stage(epoch, delta);
    ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
    const Status committed = sink.Commit(epoch, *receipt);
    ASSERT_TRUE(committed.ok()) << committed.ToString();
  }

  static StagedFile FromStats(const std::vector<Json>& row) {
    StagedFile file;
    file.path = row[0].Str();
    file.rows = row[1].Uint();
    file.bytes = row[2].Uint();
    for (const auto& [column, json] : row[4].Members()) {
      ColumnStats stats;
      stats.column = column;
      stats.has_min_max = json.Has("min") && json.Has("max");
      stats.min = json["min"].Str();
      stats.max = json["max"].Str();
      stats.is_exact = json["min_is_exact"].Str() == "true" && json["max_is_exact"].Str() == "true";
      stats.null_count = std::strtoull(json["null_count"].Str().c_str(), nullptr, 10);
      stats.has_nan = json["has_nan"].Str() == "true";
      file.stats.push_back(std::move(stats));
    }
    for (const auto& [column, value] : row[5].Members()) {
      if (value.IsNull()) {
        file.partition_nulls.push_back(column);
      } else {
        file.partition.emplace_back(column, value.Str());
      }
    }
    return file;
  }

  PlainFiles files_;
  FixedClock clock_;
  uint64_t seed_ = 7;
  bool is_temporary_ = false;
  std::string root_;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
  std::unique_ptr<ParquetCheckpoints> checkpoints_;
};

// Every type, with NULLs, extremes and text that must be quoted.
constexpr char kTypes[] = R"(
  SELECT * FROM (VALUES
    (1::BIGINT, true, 1::TINYINT, 2::SMALLINT, 3::INTEGER, 255::UTINYINT, 18446744073709551615::UBIGINT,
     1.5::FLOAT, 2.5::DOUBLE, 12.34::DECIMAL(10,2), 99999999999999999999999999999999999999::HUGEINT, 'text',
     'bytes'::BLOB, DATE '2024-02-29', TIMESTAMP '2024-01-01 10:00:00.123456',
     TIMESTAMPTZ '2024-01-01 10:00:00.123456+02', {'lat': 1.0, 'tags': ['a', NULL]}, [1, 2, NULL], MAP {'k': 1},
     uuid '00000000-0000-4000-8000-000000000000', TIME '12:00:00'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL),
    (-9223372036854775808, false, -128, -32768, -2147483648, 0, 0, 'nan'::FLOAT, '-inf'::DOUBLE, -99999999.99, -1,
     repeat('é', 40) || '"\', ''::BLOB, DATE '0001-01-01', TIMESTAMP '1969-12-31 23:59:59.999999',
     TIMESTAMPTZ '1900-01-01 00:00:00+00', {'lat': NULL, 'tags': NULL}, [], MAP {}, NULL, NULL))
  t(id, b, i8, i16, i32, u8, u64, f, d, price, huge, name, bytes, day, ts, z, place, list, m, u, tm))";

TEST_F(Golden, Types) {
  auto sink = Open("types", kTypes, {});
  Append(*sink, "types", 1, kTypes);
  EXPECT_EQ(sink->snapshot().protocol.reader, 3);
  Append(*sink, "types", 2, kTypes);
}

TEST_F(Golden, Plain) {
  const std::string query = "SELECT i AS id, 'n' || i AS name FROM range(1000) t(i)";
  auto sink = Open("plain", query, {{"delta.appendOnly", "true"}, {"owner", "qanat"}});
  Append(*sink, "plain", 1, query);
  EXPECT_EQ(sink->snapshot().protocol.reader, 1);
  EXPECT_EQ(sink->snapshot().protocol.writer, 2);
}

TEST_F(Golden, Partitioned) {
  const std::string query = R"(
    SELECT * FROM (VALUES (1, 'K=/ ü%', DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00:00.5', 1.50::DECIMAL(5,2), true),
      (2, NULL, NULL, NULL, NULL, NULL), (3, 'a:b+c&d?#[x]*', DATE '1960-01-01', TIMESTAMP '1960-01-01', -1, false),
      (4, '日本 "x"''y''', DATE '9999-12-31', TIMESTAMP '2024-01-01 10:00:00', 0, true), (5, '..', NULL, NULL, NULL, NULL))
    t(id, city, day, ts, d, b))";
  auto sink = Open("partitioned", query, {}, {"city", "day", "ts", "d", "b"});
  Append(*sink, "partitioned", 1, query, "city, day, ts, d, b");
  EXPECT_EQ(sink->snapshot().files.size(), 5u);
}

TEST_F(Golden, CheckpointsAreReadBack) {
  const std::string columns = " AS id, 'city ' || (i % 3) AS city, ['x'] AS tags";
  const std::string first = "SELECT i" + columns + " FROM range(10) t(i)";
  auto sink = Open("checkpointed", first, {{"delta.checkpointInterval", "5"}}, {"city"});
  int written = 0;
  for (Epoch epoch = 1; epoch <= 13; ++epoch) {
    const std::string from = std::to_string(epoch * 10);
    Append(*sink, "checkpointed", epoch,
           "SELECT i" + columns + " FROM range(" + from + ", " + from + " + 10) t(i)", "city", epoch == 4);
    const auto maintained = sink->Maintain();
    ASSERT_TRUE(maintained.ok()) << maintained.status().ToString();
    written += *maintained ? 1 : 0;
  }
  EXPECT_EQ(written, 2);
  const std::string folder = root_ + "/checkpointed";
  ASSERT_TRUE(fs::exists(folder + "/_delta_log/00000000000000000010.checkpoint.parquet"));
  const Json hint = *Json::Parse(*files_.Read(folder + "/_delta_log/_last_checkpoint"));
  EXPECT_EQ(hint["version"].Int(), 10);
  // Entries below the checkpoint may go: nobody, we included, needs them any more.
  for (int version = 0; version < 10; ++version) ASSERT_TRUE(files_.Remove(EntryPath(folder, version)).ok());
  const auto again = LoadSnapshot(files_, folder, checkpoints_.get());
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(again->version, 12);
  EXPECT_EQ(again->metadata, sink->snapshot().metadata);
  EXPECT_EQ(again->protocol, sink->snapshot().protocol);
  EXPECT_EQ(again->txns.at("golden/checkpointed").version, 13);
  ASSERT_EQ(again->files.size(), sink->snapshot().files.size());
  for (const auto& [path, add] : sink->snapshot().files) {
    AddFile expected = *add;
    expected.data_change = again->files.at(path)->data_change;  // a checkpoint only tells what is there
    EXPECT_EQ(*again->files.at(path), expected);
  }
  EXPECT_EQ(again->tombstones.size(), sink->snapshot().tombstones.size());
  // A receipt from before the checkpoint is still recognised.
  auto reopened = Open("checkpointed", first, {{"delta.checkpointInterval", "5"}}, {"city"});
  EXPECT_EQ(*reopened->Committed(), 13);
}

// As a view's table: the second step rewrites the files of one city, with tags, and a log checkpoint follows.
TEST_F(Golden, Rewritten) {
  const std::string columns = "i AS id, 'city ' || (i % 3) AS city FROM range(30) t(i)";
  auto sink = Open("rewritten", "SELECT " + columns, {{"delta.checkpointInterval", "1"}}, {"city"});
  Append(*sink, "rewritten", 1, "SELECT " + columns, "city");
  StagedDelta delta;
  for (const auto& [path, add] : sink->snapshot().files) {
    if (add->partition[0].second == "city 1") delta.removes.push_back(path);
  }
  ASSERT_EQ(delta.removes.size(), 1u);
  delta.files = Copy(*sink, "rewritten", 2, "SELECT " + columns + " WHERE i % 3 = 1 AND i <> 16", "city");
  ASSERT_EQ(delta.files.size(), 1u);
  delta.files[0].tags = {{"qanat.bucket", "0/0"}};
  const auto receipt = sink->Stage(2, delta);
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  ASSERT_TRUE(sink->Commit(2, *receipt).ok());
  ASSERT_TRUE(*sink->Maintain());
  std::ofstream(root_ + "/rewritten.sql") << Json("SELECT " + columns + " WHERE i <> 16").Dump() << "\n";
  const auto again = LoadSnapshot(files_, root_ + "/rewritten", checkpoints_.get());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->checkpoint_version, 1);
  ASSERT_EQ(again->files.size(), 3u);
  size_t tagged = 0;
  for (const auto& [path, add] : again->files) {
    tagged += ConfigurationOr(add->tags, "qanat.bucket", "") == "0/0" ? 1 : 0;
  }
  EXPECT_EQ(tagged, 1u);
  EXPECT_EQ(again->tombstones.size(), 1u);
}

TEST_F(Golden, DamagedCheckpointsAreNotTrusted) {
  const std::string query = "SELECT 1 AS id";
  auto sink = Open("damaged", query, {{"delta.checkpointInterval", "1"}});
  Append(*sink, "damaged", 1, query);
  Append(*sink, "damaged", 2, query);
  ASSERT_TRUE(*sink->Maintain());
  const std::string path = root_ + "/damaged/_delta_log/00000000000000000001.checkpoint.parquet";
  ASSERT_TRUE(fs::exists(path));
  fs::resize_file(path, fs::file_size(path) - 3);
  const auto snapshot = LoadSnapshot(files_, root_ + "/damaged", checkpoints_.get());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  EXPECT_EQ(snapshot->files.size(), 2u);
  EXPECT_EQ(snapshot->warnings.size(), 1u);
}

}  // namespace
}  // namespace qn::delta
