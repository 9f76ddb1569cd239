// DeltaSink over files that forget what was not synced: nothing lost, nothing doubled, nothing visible too
// early.
#include "connectors/delta/sink.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
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

  DeltaOptions Options() {
    DeltaOptions options;
    options.folder = kFolder;
    options.app_id = "shop/clicks";
    options.name = "clicks";
    options.schema = {{"id", Type::Of(TypeId::kBigInt), true, ""},
                      {"day", Type::Of(TypeId::kDate), true, "the day"}};
    options.partition_cols = {"day"};
    options.engine = "Qanat test";
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
                   const std::string& day = "2024-01-01") {
    std::string name = sink.FilenamePattern(epoch);
    name.replace(name.find("{uuidv7}"), 8, std::to_string(seed++));
    StagedFile file;
    file.path = std::string(kFolder) + "/day=" + day + "/" + name + ".parquet";
    file.rows = 1;
    file.bytes = content.size();
    file.partition = {{"day", day}};
    files.WriteUnsynced(file.path, content);
    return file;
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

}  // namespace
}  // namespace qn::delta
