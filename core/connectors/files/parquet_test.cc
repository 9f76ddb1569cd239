// Parquet files are taken whole; who reads them is not our business, whether they are whole is.
#include "connectors/files/test_world.h"

namespace qn::files {
namespace {

std::string Parquet(size_t bytes) { return "PAR1" + std::string(bytes - 8, 'p') + "PAR1"; }

struct ParquetWorld : World {
  ParquetWorld() { splitter = nullptr; }
  // Sizes of the files of each slice, by name.
  std::vector<std::vector<std::string>> Slices(Reader& reader, uint64_t bytes_max) {
    std::vector<std::vector<std::string>> slices;
    for (;;) {
      Result<std::unique_ptr<Slice>> slice = reader.Next(bytes_max);
      EXPECT_TRUE(slice.ok()) << slice.status().ToString();
      if (!slice.ok() || (*slice)->kind() != SliceKind::kRows) return slices;
      std::vector<std::string> names;
      for (const ParquetPart& part : (*slice)->Parquet()) names.push_back(part.path);
      EXPECT_EQ((*slice)->Files(), names);
      slices.push_back(std::move(names));
    }
  }
};

TEST(ParquetSource, TakesWholeFilesUpToTheSize) {
  ParquetWorld world;
  world.files.Write("/in/a", Parquet(100));
  world.files.Write("/in/b", Parquet(50));
  world.files.Write("/in/c", Parquet(500));
  world.files.Write("/in/d", Parquet(20));
  const auto reader = world.Open();
  EXPECT_EQ(world.Slices(*reader, 150),
            (std::vector<std::vector<std::string>>{{"/in/a", "/in/b"}, {"/in/c"}, {"/in/d"}}));
  EXPECT_EQ(reader->BytesRead(), 670U);
  world.files.Write("/in/0", Parquet(30));
  const auto again = world.Open(world.Tell(*reader));
  EXPECT_EQ(world.Slices(*again, 1), (std::vector<std::vector<std::string>>{{"/in/0"}}));
}

TEST(ParquetSource, ChangedAfterItWasReadIsAWarning) {
  const std::vector<std::string> expected = {
      "QN-2123  File '/in/a' was modified after it had been read. It is not read again."};
  ParquetWorld world;
  world.files.Write("/in/a", Parquet(100));
  const auto reader = world.Open();
  EXPECT_EQ(world.Slices(*reader, 1000).size(), 1U);
  const Json position = world.Tell(*reader);
  EXPECT_EQ(world.Slices(*reader, 1000).size(), 0U);
  EXPECT_EQ(world.warnings, std::vector<std::string>{});
  world.files.Write("/in/a", Parquet(120));
  EXPECT_EQ(world.Slices(*reader, 1000).size(), 0U);
  EXPECT_EQ(world.Slices(*reader, 1000).size(), 0U);
  EXPECT_EQ(world.warnings, expected);
  world.warnings.clear();
  EXPECT_EQ(world.Slices(*world.Open(position), 1000).size(), 0U);
  EXPECT_EQ(world.warnings, expected);
}

TEST(ParquetSource, IncompleteStopsABoundedRun) {
  ParquetWorld world;
  world.files.Write("/in/a", Parquet(100).substr(0, 99));
  EXPECT_EQ(world.Open()->Next(100).status().ToString(),
            "QN-2108  File '/in/a' is not a whole Parquet file.\n"
            "  its 99 bytes do not begin and end with PAR1 (or PARE, encrypted)\n"
            "  Nothing of this step was stored. Wait until it is written, best under another name and "
            "renamed then, "
            "or move it out of the glob.");
}

TEST(ParquetSource, IncompleteIsWaitedForInAContinuousRun) {
  ParquetWorld world;
  world.options.is_continuous = true;
  world.files.Write("/in/a", Parquet(100).substr(0, 99));
  world.files.Write("/in/b", Parquet(100));
  const auto reader = world.Open();
  EXPECT_EQ(world.Slices(*reader, 1000), (std::vector<std::vector<std::string>>{{"/in/b"}}));
  world.files.Append("/in/a", "1");
  EXPECT_EQ(world.Slices(*reader, 1000), (std::vector<std::vector<std::string>>{{"/in/a"}}));
}

TEST(ParquetSource, VanishedIsSkippedAndUnreadableIsNamed) {
  ParquetWorld world;
  world.files.Write("/in/a", Parquet(100));
  world.files.Write("/in/b", Parquet(100));
  const auto reader = world.Open();
  ASSERT_TRUE(reader->Next(1).ok());
  world.files.Delete("/in/b");
  EXPECT_EQ(world.Slices(*reader, 1), (std::vector<std::vector<std::string>>{}));
  EXPECT_EQ(world.warnings,
            std::vector<std::string>{"QN-2120  File '/in/b' vanished before it was begun; it is skipped."});
  world.files.Write("/in/c", Parquet(100));
  world.files.Change("/in/c", [](FakeFile& file) { file.is_unreadable = true; });
  EXPECT_EQ(reader->Next(1).status().code(), "QN-2102");
}

}  // namespace
}  // namespace qn::files
