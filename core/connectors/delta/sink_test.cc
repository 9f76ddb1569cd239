// DeltaSink over files that forget what was not synced: nothing lost, nothing doubled, nothing visible too
// early.
#include "connectors/delta/sink.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "connectors/delta/path.h"
#include "contract/memory_files.h"

namespace qn::delta {
namespace {

class FixedClock final : public Clock {
 public:
  int64_t WallMs() const override { return 1'700'000'000'123; }
  int64_t MonotonicNs() const override { return 0; }
};

constexpr char kFolder[] = "/lake/clicks";

struct World {
  MemoryFiles files;
  FixedClock clock;
  uint64_t seed = 1;
  TextMap properties;

  DeltaOptions Options() {
    DeltaOptions options;
    options.folder = kFolder;
    options.app_id = "shop/clicks";
    options.name = "clicks";
    options.schema = {{"id", Type::Of(TypeId::kBigInt), true, ""},
                      {"day", Type::Of(TypeId::kDate), true, "the day"}};
    options.partition_cols = {"day"};
    options.engine = "Qanat test";
    options.properties = properties;
    return options;
  }
  Result<std::unique_ptr<DeltaSink>> TryOpen(const DeltaOptions& options) {
    return DeltaSink::Open(options, {files, clock, [this] { return seed++ * 0x9E3779B97F4A7C15u; }, nullptr});
  }
  std::unique_ptr<DeltaSink> Open() {
    auto sink = TryOpen(Options());
    EXPECT_TRUE(sink.ok()) << sink.status().ToString();
    return std::move(sink).value();
  }
  // What COPY leaves: a file that nobody has synced.
  StagedFile Write(DeltaSink& sink, Epoch epoch, const std::string& content,
                   const std::string& day = "2024-01-01", const std::string& below = "/") {
    std::string name = sink.FilenamePattern(epoch);
    name.replace(name.find("{uuidv7}"), 8, std::to_string(seed++));
    StagedFile file;
    file.path = kFolder + below + "day=" + day + "/" + name + ".parquet";
    file.rows = 1;
    file.bytes = content.size();
    file.partition = {{"day", day}};
    files.WriteUnsynced(file.path, content);
    return file;
  }
  // The rows that a step changes, beside it.
  StagedFile WriteChanges(DeltaSink& sink, Epoch epoch, const std::string& content) {
    return Write(sink, epoch, content, "2024-01-01", "/" + std::string(kChangesFolder) + "/");
  }
  // What the log's cdc actions name.
  std::set<std::string> Told() {
    std::set<std::string> contents;
    for (int64_t version = 0;; ++version) {
      const auto text = files.Read(EntryPath(kFolder, version));
      if (!text.ok()) return contents;
      const auto entry = ParseEntry(version, *text);
      for (const CdcFile& cdc : entry->cdcs) {
        auto content = files.Read(std::string(kFolder) + "/" + *DecodePath(cdc.path));
        EXPECT_TRUE(content.ok()) << content.status().ToString();
        if (content.ok()) contents.insert(*content);
      }
    }
  }
  std::set<std::string> Visible() {
    auto snapshot = LoadSnapshot(files, kFolder, nullptr);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status().ToString();
    std::set<std::string> contents;
    for (const auto& [path, add] : snapshot->files) {
      auto content = files.Read(std::string(kFolder) + "/" + path);
      EXPECT_TRUE(content.ok()) << content.status().ToString();
      if (content.ok()) contents.insert(*content);
    }
    return contents;
  }
};

using Set = std::set<std::string>;

TEST(DeltaSink, CommitsAreVisibleOnceAndSurviveAPowerCut) {
  World world;
  auto sink = world.Open();
  ASSERT_EQ(*sink->Committed(), 0);
  auto receipt =
      sink->Stage(1, {{world.Write(*sink, 1, "a"), world.Write(*sink, 1, "b", "2024-01-02")}, false});
  ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
  EXPECT_EQ(world.Visible(), Set{});
  ASSERT_TRUE(sink->Commit(1, *receipt).ok());
  ASSERT_TRUE(sink->Commit(1, *receipt).ok());
  world.files.PowerCut();
  EXPECT_EQ(world.Visible(), (Set{"a", "b"}));
  auto again = world.Open();
  EXPECT_EQ(*again->Committed(), 1);
  ASSERT_TRUE(again->Commit(1, *receipt).ok());
  EXPECT_EQ(again->snapshot().version, 0);
}

TEST(DeltaSink, StagedFilesSurviveAPowerCutBeforeTheCommit) {
  World world;
  auto sink = world.Open();
  auto receipt = sink->Stage(1, {{world.Write(*sink, 1, "a")}, false});
  ASSERT_TRUE(receipt.ok());
  world.files.PowerCut();
  auto again = world.Open();
  const Json stored = *Json::Parse(receipt->Dump());  // as it comes back from the checkpoint
  EXPECT_EQ(*again->SweepOrphans(std::vector<Receipt>{stored}), 0u);
  ASSERT_TRUE(again->Commit(1, stored).ok());
  EXPECT_EQ(world.Visible(), Set{"a"});
}

TEST(DeltaSink, AZombieWithStagedFilesIsFenced) {
  World world;
  auto zombie = world.Open();
  auto first = zombie->Stage(1, {{world.Write(*zombie, 1, "zombie")}, false});
  ASSERT_TRUE(first.ok());
  auto sink = world.Open();
  auto second = sink->Stage(1, {{world.Write(*sink, 1, "alive")}, false});
  ASSERT_TRUE(sink->Commit(1, *second).ok());
  const Status fenced = zombie->Commit(1, *first);
  EXPECT_EQ(fenced.code(), "QN-3301");
  EXPECT_EQ(fenced.kind(), Kind::kConflict);
  EXPECT_NE(fenced.ToString().find("by 'Qanat test' at 2023-11-14 22:13:20 UTC"), std::string::npos)
      << fenced.ToString();
  EXPECT_EQ(world.Visible(), Set{"alive"});
}

TEST(DeltaSink, StepsMayBeStagedAheadOfTheCommit) {
  World world;
  auto sink = world.Open();
  const auto first = *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false});
  const auto second = *sink->Stage(2, {});  // nothing
  const auto third = *sink->Stage(3, {{world.Write(*sink, 3, "b")}, false});
  EXPECT_EQ(second["follows"].Int(), 1);
  EXPECT_EQ(third["follows"].Int(), 1);
  ASSERT_TRUE(sink->Commit(1, first).ok());
  ASSERT_TRUE(sink->Commit(2, second).ok());
  EXPECT_EQ(*sink->Committed(), 1);
  const Status committed = sink->Commit(3, third);
  ASSERT_TRUE(committed.ok()) << committed.ToString();
  EXPECT_EQ(*sink->Committed(), 3);
  EXPECT_EQ(world.Visible(), (Set{"a", "b"}));
}

TEST(DeltaSink, AStepStagedAnewForgetsTheFirstStaging) {
  World world;
  auto sink = world.Open();
  const auto given_up = *sink->Stage(1, {{world.Write(*sink, 1, "given up")}, false});
  const auto again = *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false});
  EXPECT_EQ(again["follows"].Int(), 0);
  ASSERT_TRUE(sink->Commit(1, again).ok());
  EXPECT_EQ(sink->Commit(1, given_up).code(), "QN-3301");
  EXPECT_EQ(*sink->SweepOrphans({}), 1u);
  EXPECT_EQ(world.Visible(), Set{"a"});
}

TEST(DeltaSink, TheFirstStepCreatesTheTableEvenWithoutRows) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {})).ok());
  EXPECT_EQ(LoadSnapshot(world.files, kFolder, nullptr)->version, 0);
  ASSERT_TRUE(sink->Commit(2, *sink->Stage(2, {})).ok());
  EXPECT_EQ(LoadSnapshot(world.files, kFolder, nullptr)->version, 0);
}

TEST(DeltaSink, ReplacesAll) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {{world.Write(*sink, 1, "a")}, true})).ok());
  ASSERT_TRUE(sink->Commit(2, *sink->Stage(2, {{world.Write(*sink, 2, "b")}, true})).ok());
  EXPECT_EQ(world.Visible(), Set{"b"});
  EXPECT_EQ(*sink->SweepOrphans({}), 0u) << "older versions stay readable";
  ASSERT_TRUE(sink->Commit(3, *sink->Stage(3, {{}, true})).ok());
  EXPECT_EQ(world.Visible(), Set{});
  EXPECT_EQ(LoadSnapshot(world.files, kFolder, nullptr, 1)->files.size(), 1u);
}

TEST(DeltaSink, RewritesFilesInOneCommit) {
  World world;
  auto sink = world.Open();
  const auto first =
      *sink->Stage(1, {{world.Write(*sink, 1, "a"), world.Write(*sink, 1, "b", "2024-01-02")}, false});
  ASSERT_TRUE(sink->Commit(1, first).ok());
  StagedDelta delta;
  for (const auto& [path, add] : sink->snapshot().files) {
    if (path.find("2024-01-02") != std::string::npos) delta.removes.push_back(path);
  }
  ASSERT_EQ(delta.removes.size(), 1u);
  delta.files.push_back(world.Write(*sink, 2, "b2", "2024-01-02"));
  delta.files[0].tags = {{"qanat.bucket", "0/0"}};
  const auto second = *sink->Stage(2, delta);
  EXPECT_EQ(world.Visible(), (Set{"a", "b"}));
  world.files.PowerCut();
  auto again = world.Open();
  EXPECT_EQ(*again->SweepOrphans(std::vector<Receipt>{second}), 0u);
  ASSERT_TRUE(again->Commit(2, *Json::Parse(second.Dump())).ok());
  ASSERT_TRUE(again->Commit(2, *Json::Parse(second.Dump())).ok());
  EXPECT_EQ(world.Visible(), (Set{"a", "b2"}));
  EXPECT_EQ(*world.Open()->SweepOrphans({}), 0u) << "the version before stays readable";
  const auto now = LoadSnapshot(world.files, kFolder, nullptr);
  for (const auto& [path, add] : now->files) {
    if (path.find("2024-01-02") == std::string::npos) continue;
    EXPECT_EQ(ConfigurationOr(add->tags, "qanat.bucket", ""), "0/0");
    EXPECT_EQ(ConfigurationOr(add->tags, "qanat.crc32c", "").size(), 8u);
  }
}

TEST(DeltaSink, StagedFilesOfARefusedRewriteAreSwept) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false})).ok());
  const std::string old = sink->snapshot().files.begin()->first;
  const auto receipt = *sink->Stage(2, {{world.Write(*sink, 2, "a2")}, false, {old}});
  Entry compaction;
  const std::string text = ToAction(RemoveFile{EncodePath(old), 1, false, false, {}, 0}).Dump() + "\n";
  ASSERT_TRUE(world.files.PutIfAbsent(EntryPath(kFolder, 1), text).ok());
  EXPECT_EQ(sink->Commit(2, receipt).code(), "QN-3319");
  auto again = world.Open();
  EXPECT_EQ(again->Commit(2, receipt).code(), "QN-3319");
  EXPECT_EQ(*again->SweepOrphans({}), 1u);
  EXPECT_EQ(world.Visible(), Set{});
}

TEST(DeltaSink, CatchesUpWithOthersButNotWithANewSchema) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->CatchUp().ok());
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false})).ok());
  ASSERT_TRUE(sink->CatchUp().ok());
  const std::string old = sink->snapshot().files.begin()->first;
  const std::string text = ToAction(RemoveFile{EncodePath(old), 1, true, false, {}, 0}).Dump() + "\n";
  ASSERT_TRUE(world.files.PutIfAbsent(EntryPath(kFolder, 1), text).ok());
  ASSERT_TRUE(sink->CatchUp().ok());
  EXPECT_TRUE(sink->snapshot().files.empty());
  Metadata metadata = sink->snapshot().metadata;
  metadata.configuration.emplace_back("owner", "somebody");
  ASSERT_TRUE(world.files.PutIfAbsent(EntryPath(kFolder, 2), ToAction(metadata).Dump() + "\n").ok());
  const Status changed = sink->CatchUp();
  EXPECT_EQ(changed.code(), "QN-3302");
  EXPECT_NE(changed.ToString().find("than when we began (version 2)"), std::string::npos)
      << changed.ToString();
}

TEST(DeltaSink, SweepsOnlyWhatIsOursAndForgotten) {
  World world;
  auto sink = world.Open();
  const auto committed = *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false});
  ASSERT_TRUE(sink->Commit(1, committed).ok());
  const auto pending = *sink->Stage(2, {{world.Write(*sink, 2, "b")}, false});
  world.Write(*sink, 3, "orphan");
  world.files.WriteUnsynced(std::string(kFolder) + "/part-foreign.parquet", "theirs");
  world.files.WriteUnsynced(std::string(kFolder) + "/_delta_log/" + std::string(kTempPrefix) + "1", "half");
  auto again = world.Open();
  EXPECT_EQ(*again->SweepOrphans(std::vector<Receipt>{pending}), 1u);
  EXPECT_TRUE(world.files.Stat(std::string(kFolder) + "/part-foreign.parquet").ok());
  EXPECT_FALSE(world.files.Stat(std::string(kFolder) + "/_delta_log/" + std::string(kTempPrefix) + "1").ok());
  ASSERT_TRUE(again->Commit(2, pending).ok());
  EXPECT_EQ(world.Visible(), (Set{"a", "b"}));
}

TEST(DeltaSink, AStagedFileThatWentBeforeItsCommitIsMissed) {
  World world;
  auto sink = world.Open();
  const StagedFile file = world.Write(*sink, 1, "a");
  const auto receipt = *sink->Stage(1, {{file}, false});
  ASSERT_TRUE(world.files.Remove(file.path).ok());
  auto again = world.Open();
  EXPECT_EQ(
      again->Commit(1, receipt).ToString(),
      "QN-3303  Table '" + std::string(kFolder) +
          "' is not where the checkpoint left it.\n"
          "  The file '" +
          file.path +
          "' of step 1 was written, is not committed yet, and is gone.\n"
          "  Was the table deleted, restored or copied? Committing would lose rows, so nothing was done.\n"
          "  Restore table and storage from the same moment, or rebuild with --full-refresh.");
  EXPECT_EQ(again->snapshot().version, -1);
}

TEST(DeltaSink, FilesWithChangesAreDurableWithTheirStepAndMissed) {
  World world;
  auto sink = world.Open();
  const StagedFile changes = world.WriteChanges(*sink, 1, "the change");
  const auto receipt = *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false, {}, {changes}});
  world.files.PowerCut();
  auto again = world.Open();
  EXPECT_EQ(*again->SweepOrphans(std::vector<Receipt>{receipt}), 0u);
  ASSERT_TRUE(again->Commit(1, receipt).ok());
  EXPECT_EQ(world.Visible(), Set{"a"}) << "they are no rows of the table";
  EXPECT_EQ(world.Told(), Set{"the change"});

  const StagedFile lost = world.WriteChanges(*again, 2, "lost");
  const auto next = *again->Stage(2, {{world.Write(*again, 2, "b")}, false, {}, {lost}});
  ASSERT_TRUE(world.files.Remove(lost.path).ok());
  const Status missed = world.Open()->Commit(2, next);
  EXPECT_EQ(missed.code(), "QN-3303");
  EXPECT_NE(missed.ToString().find("The file '" + lost.path + "' of step 2"), std::string::npos);
  EXPECT_EQ(world.Visible(), Set{"a"});
}

TEST(DeltaSink, ChangesAreOfTheTablesPropertyNotOfTheRunsAlone) {
  World world;
  EXPECT_FALSE(world.Open()->WritesChanges());
  world.properties = {{kChangesProperty, "true"}};
  auto sink = world.Open();
  EXPECT_TRUE(sink->WritesChanges());
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {})).ok());
  EXPECT_EQ(sink->snapshot().protocol, (Protocol{1, 7, {}, {"changeDataFeed"}}));
  world.properties = {};
  EXPECT_TRUE(world.Open()->WritesChanges());
  world.properties = {{kChangesProperty, "false"}};
  EXPECT_FALSE(world.Open()->WritesChanges());
}

TEST(DeltaSink, TheLogHasTheChecksumOfTheBytes) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {{world.Write(*sink, 1, "123456789")}, false})).ok());
  const auto& add = *sink->snapshot().files.begin()->second;
  EXPECT_EQ(add.tags, (TextMap{{"qanat.crc32c", "e3069283"}}));  // the check value of CRC-32C
  EXPECT_EQ(add.partition, (PartitionValues{{"day", "2024-01-01"}}));
  EXPECT_EQ(add.modified_ms, 1'700'000'000'123);
}

TEST(DeltaSink, AFileThatChangedMeanwhileIsRefused) {
  World world;
  auto sink = world.Open();
  StagedFile file = world.Write(*sink, 1, "abc");
  file.bytes = 4;
  const auto receipt = sink->Stage(1, {{file}, false});
  EXPECT_EQ(receipt.status().code(), "QN-3313");
  EXPECT_NE(receipt.status().ToString().find("was written with 4 bytes and has 3"), std::string::npos);
  file.path = "/lake/other/x.parquet";
  EXPECT_EQ(sink->Stage(1, {{file}, false}).status().code(), "QN-3313");
}

TEST(DeltaSink, NewColumnsAtTheEndChangeTheSchemaWithTheNextRows) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {{world.Write(*sink, 1, "a")}, false})).ok());
  DeltaOptions wider = world.Options();
  wider.schema.push_back({"at", Type::Of(TypeId::kTimestamp), true, "new"});
  wider.properties = {{"owner", "me"}};
  auto again = world.TryOpen(wider);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  ASSERT_TRUE((*again)->Commit(2, *(*again)->Stage(2, {{world.Write(**again, 2, "b")}, false})).ok());
  const Snapshot& now = (*again)->snapshot();
  ASSERT_EQ(now.schema.size(), 3u);
  EXPECT_EQ(now.protocol.reader, 3);
  EXPECT_EQ(now.protocol.writer_features,
            (std::vector<std::string>{"appendOnly", "invariants", "timestampNtz"}));
  EXPECT_EQ(ConfigurationOr(now.metadata.configuration, "owner", ""), "me");
  EXPECT_EQ(now.metadata.id, sink->snapshot().metadata.id);
  ASSERT_TRUE((*again)->Commit(3, *(*again)->Stage(3, {})).ok());
  EXPECT_EQ((*again)->snapshot().version, 1) << "the change is written once";
  // The narrower pipeline no longer fits.
  EXPECT_EQ(world.TryOpen(world.Options()).status().code(), "QN-3309");
}

TEST(DeltaSink, OtherChangesOfSchemaAreRefusedInWords) {
  World world;
  auto sink = world.Open();
  ASSERT_TRUE(sink->Commit(1, *sink->Stage(1, {})).ok());
  const auto refused = [&](const DeltaOptions& options, const std::string& code, const std::string& words) {
    const auto opened = world.TryOpen(options);
    ASSERT_FALSE(opened.ok()) << words;
    EXPECT_EQ(opened.status().code(), code);
    EXPECT_NE(opened.status().ToString().find(words), std::string::npos) << opened.status().ToString();
  };
  DeltaOptions options = world.Options();
  options.schema[0].type = Type::Of(TypeId::kInteger);
  refused(options, "QN-3309", "Column 'id' is BIGINT in the table and INTEGER in the dataset.");
  options = world.Options();
  std::swap(options.schema[0], options.schema[1]);
  refused(options, "QN-3309", "Column 1 is 'id' in the table and 'day' in the dataset.");
  options = world.Options();
  options.schema.push_back({"x", Type::Of(TypeId::kInteger), false, ""});
  refused(options, "QN-3309", "The new column 'x' is NOT NULL.");
  options = world.Options();
  options.partition_cols = {};
  refused(options, "QN-3310", "Table: day. Dataset: none.");
  options.partition_cols = {"nope"};
  refused(options, "QN-3310", "partitioned by 'nope', which is no column of it");
  options.partition_cols = {"id", "day"};
  refused(options, "QN-3310", "only partition columns");
  options = world.Options();
  options.schema.push_back({"f", Type::Of(TypeId::kDouble), true, ""});
  options.partition_cols = {"f"};
  refused(options, "QN-3310", "Its type is DOUBLE");
  options = world.Options();
  options.properties = {{"delta.enableDeletionVectors", "true"}};
  refused(options, "QN-3312", "delta.enableDeletionVectors");
  options.properties = {{"delta.enableChangeDataFeed", "true"}};
  options.schema.push_back({"_Change_Type", Type::Of(TypeId::kVarchar), true, ""});
  refused(options, "QN-3312", "has a column '_change_type' and asks for");
  options.properties = {{"delta.enableChangeDataFeed", "yes"}};
  refused(options, "QN-3312", "'delta.enableChangeDataFeed' to 'yes'.");
}

TEST(DeltaSink, AppendOnlyTablesAreNotReplaced) {
  World world;
  DeltaOptions options = world.Options();
  options.properties = {{"delta.appendOnly", "true"}};
  auto sink = world.TryOpen(options);
  ASSERT_TRUE(sink.ok());
  EXPECT_EQ((*sink)->Stage(1, {{}, true}).status().code(), "QN-3312");
  EXPECT_EQ((*sink)->Stage(1, {{}, false, {"a.parquet"}}).status().code(), "QN-3312");
}

TEST(DeltaSink, ReceiptsOfOtherPipelinesAreRefused) {
  World world;
  auto sink = world.Open();
  Json receipt = *sink->Stage(1, {});
  receipt.Set("app_id", "other");
  EXPECT_EQ(sink->Commit(1, receipt).code(), "QN-3315");
}

// A world in which everything fails now and then, the process dies and the power goes; what was promised
// holds.
class Chaos {
 public:
  explicit Chaos(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {
    // Files here have no time, so that they look old.
    world_.properties = {{kChangesProperty, "true"},
                         {"delta.deletedFileRetentionDuration", "interval 9999 weeks"}};
  }

  void Run() {
    world_.files.SetFault(
        [this](std::string_view deed, const std::string&, bool after) { return Fail(deed, after); });
    for (int life = 0; life < 40; ++life) Live();
    calm_ = true;
    Live();
    EXPECT_EQ(world_.Visible(), promised_);
    EXPECT_EQ(world_.Told(), promised_changes_);
  }

 private:
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  bool OneIn(uint64_t n) { return Next() % n == 0; }

  Status Fail(std::string_view deed, bool after) {
    if (calm_ || !OneIn(25)) return Ok();
    if (deed == "read") return Status(Kind::kFailed, "QN-3104", "unreadable");
    // After a deed only "unknown" is true: the caller must not think that it did not happen.
    const Kind kind = after ? Kind::kUnknown : OneIn(2) ? Kind::kUnknown : Kind::kRetryable;
    return Status(kind, "QN-3104", "bad luck");
  }

  // One process: recovers, then takes steps until something fails.
  void Live() {
    auto opened = world_.TryOpen(world_.Options());
    if (opened.ok()) Steps(**opened);
    EXPECT_TRUE(opened.ok() || !calm_) << opened.status().ToString();
    if (OneIn(2)) world_.files.PowerCut([this] { return OneIn(2); });
    if (zombie_ != nullptr && OneIn(3)) WakeZombie();
    if (opened.ok() && OneIn(4)) zombie_ = std::move(opened).value();
  }

  void Steps(DeltaSink& sink) {
    if (!pending_.IsNull() && !sink.Commit(epoch_, pending_).ok()) {
      EXPECT_FALSE(calm_);
      return;
    }
    if (!sink.SweepOrphans({}).ok()) return;
    for (int i = 0; i < 5; ++i) {
      if (OneIn(6)) world_.Write(sink, epoch_ + 1, "never staged " + std::to_string(world_.seed));
      std::vector<StagedFile> files;
      Set contents;
      const auto [removes, taken_back] = SomeFiles(sink);
      for (uint64_t n = Next() % 3; n > 0; --n) {
        const std::string row = "row " + std::to_string(world_.seed);
        contents.insert(row);
        files.push_back(world_.Write(sink, epoch_ + 1, row, n == 1 ? "2024-01-01" : "2024-01-02"));
      }
      std::vector<StagedFile> changes;
      Set told;
      if (!removes.empty()) {
        told.insert("change " + std::to_string(world_.seed));
        changes.push_back(world_.WriteChanges(sink, epoch_ + 1, *told.begin()));
      }
      const auto receipt = sink.Stage(epoch_ + 1, {files, false, removes, changes});
      if (!receipt.ok()) return;
      if (!calm_ && OneIn(8)) return;  // killed before the checkpoint
      if (zombie_ == nullptr || OneIn(3)) zombie_receipt_ = *receipt;
      pending_ = *Json::Parse(receipt->Dump());
      ++epoch_;
      promised_.insert(contents.begin(), contents.end());
      promised_changes_.insert(told.begin(), told.end());
      for (const std::string& row : taken_back) promised_.erase(row);
      if (!calm_ && OneIn(8)) return;  // killed after it
      if (!sink.Commit(epoch_, pending_).ok()) return;
    }
  }

  // Files that the next step rewrites, and what is in them.
  std::pair<std::vector<std::string>, std::vector<std::string>> SomeFiles(DeltaSink& sink) {
    std::vector<std::string> paths;
    std::vector<std::string> rows;
    for (const auto& [path, add] : sink.snapshot().files) {
      if (!OneIn(8)) continue;
      auto file = world_.files.Open(std::string(kFolder) + "/" + path);
      EXPECT_TRUE(file.ok()) << path;
      std::string row((*file)->Size().value(), '\0');
      EXPECT_TRUE((*file)->ReadAt(0, row.data(), row.size()).ok());
      paths.push_back(path);
      rows.push_back(row);
    }
    return {paths, rows};
  }

  // A process that was thought dead goes on with a step that it has checkpointed: the checkpoint store lets
  // only one run have each epoch, so what it commits was promised. Doing so late must change nothing.
  void WakeZombie() {
    if (zombie_receipt_.IsNull()) return;
    static_cast<void>(zombie_->Commit(zombie_receipt_["epoch"].Int(), zombie_receipt_).ok());
  }

  World world_;
  uint64_t state_;
  bool calm_ = false;
  Epoch epoch_ = 0;
  Json pending_;  // of the checkpoint: durable by another's promise
  Set promised_;  // the ledger
  Set promised_changes_;
  std::unique_ptr<DeltaSink> zombie_;
  Json zombie_receipt_;
};

TEST(DeltaSink, KeepsItsPromisesInABadWorld) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Chaos(seed).Run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace qn::delta
