// What many threads, many files and huge records do to a slice.
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <optional>

#include "connectors/files/record_slice.h"
#include "connectors/files/test_world.h"

namespace qn::files {
namespace {

TEST(Stream, ManyThreadsGetEachRecordOnceWithItsLine) {
  for (const int threads : {2, 3, 8}) {
    World world;
    world.options.block_bytes = 500;
    std::vector<Record> expected;
    for (int file = 10; file < 40; ++file) {
      const std::string path = "/in/" + std::to_string(file) + (file % 3 == 0 ? ".gz" : "");
      std::string text;
      for (uint64_t line = 1; line < 200; ++line) {
        const std::string record = std::to_string(file) + ":" + std::to_string(line) +
                                   std::string(line % 50 == 0 ? 2000 : line % 30, 'x') + "\n";
        expected.push_back({path, line, record, 0});
        text += record;
      }
      world.files.Write(path, file % 3 == 0 ? Gzip(text) : text);
    }
    for (const uint64_t bytes_max : {1'000, 30'000, 10'000'000}) {
      std::vector<Record> got = world.Drain(*world.Open(), bytes_max, threads);
      std::sort(got.begin(), got.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_TRUE(got == expected) << threads << " threads, slices of " << bytes_max;
    }
  }
}

TEST(Stream, TwoStreamsOfOneSliceAtTheSameTime) {
  World world;
  world.options.block_bytes = 300;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + "\n";
  world.files.Write("/in/a", text);
  world.files.Write("/in/b.zst", Zstd(text));
  const auto reader = world.Open();
  const auto slice = reader->Next(1 << 20);
  ASSERT_TRUE(slice.ok());
  std::vector<std::vector<Record>> got(2);
  std::vector<std::thread> threads;
  for (std::vector<Record>& records : got) {
    threads.emplace_back([&] { records = *Pull(**slice, world.lines, 2); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::vector<Record>& records : got) {
    EXPECT_EQ(records.size(), 10'000U);
    std::sort(records.begin(), records.end());
  }
  EXPECT_TRUE(got[0] == got[1]);
  EXPECT_EQ((*reader->Next(1))->kind(), SliceKind::kEnd);
}

TEST(Stream, AFailureReachesEveryThreadAndNobodyWaits) {
  World world;
  world.options.block_bytes = 100;
  world.files.Write("/in/a", std::string(100'000, '\n'));
  std::atomic<int> reads = 0;
  world.files.on_read = [&](const std::string&) {
    if (++reads == 50) world.files.Change("/in/a", [](FakeFile& file) { file.bytes.resize(10); });
  };
  const auto reader = world.Open();
  const auto slice = reader->Next(1 << 20);
  ASSERT_TRUE(slice.ok());
  EXPECT_EQ(Pull(**slice, world.lines, 4).status().code(), "QN-2103");
  EXPECT_FALSE(reader->Tell().ok()) << "a slice that failed has no end";
}

TEST(Stream, TellWithoutStreamingIsTheSame) {
  World world;
  world.files.Write("/in/a", "1\n2\n3\n4\n");
  world.files.Write("/in/b.gz", Gzip("1\n2\n3\n4\n"));
  const auto streamed = world.Open();
  const auto lazy = world.Open();
  for (int i = 0; i < 6; ++i) {
    const auto slice = streamed->Next(3);
    ASSERT_TRUE(slice.ok());
    if ((*slice)->kind() == SliceKind::kRows) {
      EXPECT_TRUE(Pull(**slice, world.lines).ok());
    }
    ASSERT_TRUE(lazy->Next(3).ok());
    EXPECT_EQ(world.Tell(*streamed).Dump(), world.Tell(*lazy).Dump());
  }
}

// A file that is made up while it is read: lines of given sizes.
class MadeUpFiles final : public Files {
 public:
  explicit MadeUpFiles(std::vector<uint64_t> line_bytes) : ends_(std::move(line_bytes)) {
    for (size_t i = 1; i < ends_.size(); ++i) ends_[i] += ends_[i - 1];
  }
  uint64_t size() const { return ends_.back(); }
  size_t ReadAt(uint64_t offset, char* out, size_t bytes) const {
    if (offset >= size()) return 0;
    bytes = std::min<uint64_t>(bytes, size() - offset);
    std::memset(out, 'x', bytes);
    for (const uint64_t end : ends_) {
      if (end > offset && end <= offset + bytes) out[end - 1 - offset] = '\n';
    }
    return bytes;
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string&) override {
    return std::unique_ptr<ReadableFile>(std::make_unique<MadeUp>(*this));
  }
  Result<std::vector<FileInfo>> Glob(const std::string&) override {
    return std::vector<FileInfo>{{"/in/huge", size(), 1, 1}};
  }
  Result<FileInfo> Stat(const std::string&) override { return FileInfo{"/in/huge", size(), 1, 1}; }
  Result<std::string> Read(const std::string&) override { return std::string(); }
  Result<std::vector<FileInfo>> List(const std::string&) override { return std::vector<FileInfo>(); }
  Status MakeFolder(const std::string&) override { return Ok(); }
  Status PutIfAbsent(const std::string&, std::string_view) override { return Ok(); }
  Status Put(const std::string&, std::string_view) override { return Ok(); }
  Status Remove(const std::string&) override { return Ok(); }
  Status Sync(const std::string&) override { return Ok(); }
  Status SyncFolder(const std::string&) override { return Ok(); }

 private:
  class MadeUp final : public ReadableFile {
   public:
    explicit MadeUp(const MadeUpFiles& files) : files_(files) {}
    Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) override {
      return files_.ReadAt(offset, out, size);
    }
    Result<uint64_t> Size() override { return files_.size(); }

   private:
    const MadeUpFiles& files_;
  };
  std::vector<uint64_t> ends_;
};

TEST(Stream, ALineOf200MegabytesIsPassedOverInBoundedMemory) {
  constexpr uint64_t kMega = 1'000'000;
  MadeUpFiles files({10, 200 * kMega, 20, 30 * kMega, 5, 70 * kMega, 7});
  LineSplitter lines;
  FilesOptions options;
  options.glob = "/in/*";
  const auto reader = OpenFilesReader(files, options, &lines, nullptr, {}, nullptr);
  ASSERT_TRUE(reader.ok());
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  std::vector<std::array<uint64_t, 4>> blocks;  // offset, line, size, oversize
  for (;;) {
    const auto slice = (*reader)->Next(100 * kMega);
    ASSERT_TRUE(slice.ok());
    if ((*slice)->kind() != SliceKind::kRows) break;
    const auto stream = (*slice)->Blocks();
    Block block;
    while (*(*stream)->Next(&block))
      blocks.push_back({block.offset, block.first_line, block.size, block.oversize_bytes});
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  using Blocks = std::vector<std::array<uint64_t, 4>>;
  const uint64_t behind = 10 + 200 * kMega;
  EXPECT_EQ(blocks, (Blocks{{0, 1, 10, 0},
                            {10, 2, kOversizeHeadBytes, 200 * kMega},
                            {behind, 3, 20, 0},
                            {behind + 20, 4, 30 * kMega + 5, 0},
                            {behind + 25 + 30 * kMega, 6, kOversizeHeadBytes, 70 * kMega},
                            {behind + 25 + 100 * kMega, 7, 7, 0}}));
  [[maybe_unused]] constexpr long kMostKilobytes =
      160'000;  // a record of the largest size, once moved, and some blocks
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which need memory of their own
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, kMostKilobytes);
#endif
}

TEST(Stream, AHundredThousandFiles) {
  World world;
  constexpr int kFiles = 100'000;
  std::string path;
  for (int i = 0; i < kFiles; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, 6 - number.size(), '0');
    world.files.Write("/in/part-" + number + ".jsonl", "{\"n\":" + std::to_string(i) + "}\n");
  }
  auto reader = world.Open();
  uint64_t records = 0;
  size_t steps = 0;
  size_t largest = 0;
  for (;; ++steps) {
    const auto slice = reader->Next(200'000);
    ASSERT_TRUE(slice.ok());
    if ((*slice)->kind() != SliceKind::kRows) break;
    records += Pull(**slice, world.lines)->size();
    largest = std::max(largest, reader->Tell()->Dump().size());
    if (steps == 3) reader = world.Open(world.Tell(*reader));
  }
  EXPECT_EQ(records, 100'000U);
  EXPECT_LE(largest, 100'000U) << "bytes of the position";
  // One that comes late, one that grows, and one that is in its place already.
  world.files.Write("/in/part-050000a.jsonl", "{}\n");
  world.files.Append("/in/part-099999.jsonl", "{}\n");
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(world.Drain(*reader), (std::vector<Record>{{"/in/part-050000a.jsonl", 1, "{}\n", 0},
                                                       {"/in/part-099999.jsonl", 2, "{}\n", 0}}));
  // Of the ones modified longest ago how far they were read is not remembered across a restart: said, not
  // guessed.
  world.files.Append("/in/part-000007.jsonl", "{}\n");
  reader = world.Open(world.Tell(*reader));
  EXPECT_EQ(world.Drain(*reader), std::vector<Record>{});
  ASSERT_EQ(world.warnings.size(), 1U);
  EXPECT_EQ(
      world.warnings[0],
      "QN-2121  File '/in/part-000007.jsonl' was modified after it had been read whole, and how far it was "
      "read is remembered of the 4,096 newest files only. If lines were added to it, they are not read.");
}

TEST(Stream, ListsAgainOnlyWhenItIsTime) {
  class HandClock final : public Clock {
   public:
    int64_t WallMs() const override { return 0; }
    int64_t MonotonicNs() const override { return now; }
    int64_t now = 0;
  };
  HandClock clock;
  World world;
  world.options.clock = &clock;
  world.options.is_continuous = true;
  world.options.relist_ms = 1000;
  world.files.Write("/in/b", "1\n2\n3\n4\n5\n");
  const auto reader = world.Open();
  const auto step = [&]() -> std::optional<std::string> {
    auto slice = reader->Next(2);
    if (!slice.ok() || (*slice)->kind() != SliceKind::kRows) return std::nullopt;
    return (*Pull(**slice, world.lines))[0].text;
  };
  EXPECT_EQ(step(), "1\n");
  world.files.Write("/in/a", "new\n");
  EXPECT_EQ(step(), "2\n");
  EXPECT_EQ(world.files.listings, 1);
  clock.now += 1'000'000'000;
  EXPECT_EQ(step(), "3\n") << "a file that was begun is finished first";
  EXPECT_EQ(world.files.listings, 2);
  EXPECT_EQ(step(), "4\n");
  EXPECT_EQ(step(), "5\n");
  EXPECT_EQ(world.files.listings, 2);
  EXPECT_EQ(step(), "new\n");
  EXPECT_EQ(step(), std::nullopt);
  EXPECT_EQ(world.files.listings, 3) << "nothing is left, so it looks again";
}

}  // namespace
}  // namespace qn::files
