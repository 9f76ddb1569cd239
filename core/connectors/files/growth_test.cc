// The law of the file source: whatever the sizes of slices, whenever the process stops and goes on from a
// saved position, and however files appear and grow meanwhile, each record comes exactly once, in its file's
// order and with its right line. Random worlds, each named by its seed.
#include <random>

#include "connectors/files/test_world.h"

namespace qn::files {
namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t n) { return n == 0 ? 0 : static_cast<size_t>(engine_() % n); }
  bool OneIn(size_t n) { return Below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

constexpr size_t kHeadShown = 40;  // of oversize records: less than any limit here

enum class Content { kLines, kQuoted };

// One file as its writer sees it: records to come, and the bytes as they will be stored.
struct Writer {
  std::string path;
  std::vector<Record> records;
  std::string bytes;  // as stored, to the end
  size_t written = 0;
};

std::string RandomRecord(Dice& dice, Content content, size_t number) {
  std::string text = std::to_string(number) + ":";
  const size_t size = dice.OneIn(10) ? dice.Below(600) : dice.Below(30);
  if (content == Content::kQuoted && dice.OneIn(2)) {
    text += '"';
    for (size_t i = 0; i < size; ++i) text += dice.OneIn(6) ? '\n' : 'q';
    text += '"';
  } else {
    text.append(size, 'x');
  }
  return text + (dice.OneIn(5) ? "\r\n" : "\n");
}

Writer RandomWriter(Dice& dice, Content content, size_t index, uint64_t record_bytes_max) {
  Writer writer;
  constexpr const char* kEnds[] = {"", ".gz", ".zst", ".log"};
  const size_t codec = dice.Below(4);
  writer.path = "/in/" + std::to_string(dice.Below(10)) + "-" + std::to_string(index) + kEnds[codec];
  uint64_t line = 1;
  std::string member;
  const auto close = [&] {
    writer.bytes += codec == 1 ? Gzip(member) : codec == 2 ? Zstd(member) : member;
    member.clear();
  };
  for (size_t n = 1 + dice.Below(40); n > 0; --n) {
    const std::string text = RandomRecord(dice, content, n);
    Record record{writer.path, line, text, 0};
    if (text.size() > record_bytes_max) record = {writer.path, line, text.substr(0, kHeadShown), text.size()};
    writer.records.push_back(std::move(record));
    line += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    const size_t cut = dice.OneIn(3) ? dice.Below(text.size()) : text.size();  // members end anywhere
    member += text.substr(0, cut);
    if (dice.OneIn(4) || cut < text.size()) close();
    member += text.substr(cut);
  }
  close();
  return writer;
}

std::map<std::string, std::vector<Record>> ByFile(const std::vector<Record>& records) {
  std::map<std::string, std::vector<Record>> by_file;
  for (Record record : records) {
    if (record.oversize > 0) record.text.resize(kHeadShown);
    by_file[record.path].push_back(std::move(record));
  }
  return by_file;
}

// Says the first difference only.
void ExpectSame(const std::vector<Record>& got, const std::vector<Record>& expected,
                const std::string& where) {
  for (size_t i = 0; i < std::min(got.size(), expected.size()); ++i) {
    ASSERT_EQ(got[i], expected[i]) << where << " record " << i;
  }
  ASSERT_EQ(got.size(), expected.size()) << where;
}

// A pipeline: reader, ledger, and what was saved of both.
class Pipeline {
 public:
  Pipeline(World& world, Dice& dice) : world_(world), dice_(dice) { reader_ = world_.Open(); }

  bool Step() {
    const uint64_t bytes_max = dice_.OneIn(4) ? 1 : 1 + dice_.Below(900);
    Result<std::unique_ptr<Slice>> slice = reader_->Next(bytes_max);
    if (!slice.ok()) {
      ADD_FAILURE() << slice.status().ToString();
      return false;
    }
    if ((*slice)->kind() != SliceKind::kRows) return false;
    Result<std::vector<Record>> records = Pull(**slice, *world_.splitter);
    if (!records.ok()) {
      ADD_FAILURE() << records.status().ToString();
      return false;
    }
    if (dice_.OneIn(3)) ExpectSame(*Pull(**slice, *world_.splitter), *records, "streamed again");
    ledger_.insert(ledger_.end(), records->begin(), records->end());
    if (dice_.OneIn(2)) Save();
    return true;
  }

  void Save() {
    saved_ = world_.Tell(*reader_);
    saved_ledger_ = ledger_;
  }
  // What was not saved happens again.
  void Crash() {
    reader_ = world_.Open(saved_);
    ledger_ = saved_ledger_;
  }
  const std::vector<Record>& ledger() const { return ledger_; }

 private:
  World& world_;
  Dice& dice_;
  std::unique_ptr<Reader> reader_;
  std::vector<Record> ledger_;
  Json saved_;
  std::vector<Record> saved_ledger_;
};

void Write(World& world, Writer& writer, size_t size) {
  size = std::min(size, writer.bytes.size() - writer.written);
  world.files.Append(writer.path, std::string_view(writer.bytes).substr(writer.written, size));
  writer.written += size;
}

void GrowAtRandom(uint64_t seed, Content content) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Dice dice(seed);
  World world;
  QuotedSplitter quoted;
  if (content == Content::kQuoted) world.splitter = &quoted;
  world.options.is_continuous = true;
  world.options.block_bytes = 16 + dice.Below(100);
  world.options.record_bytes_max = dice.OneIn(2) ? 3 * world.options.block_bytes : 1 << 20;
  const FileOrder orders[] = {FileOrder::kName, FileOrder::kModified, FileOrder::kEventTime};
  world.options.order = orders[dice.Below(3)];
  std::vector<Writer> writers;
  for (size_t i = 1 + dice.Below(6); i > 0; --i) {
    writers.push_back(RandomWriter(dice, content, i, world.options.record_bytes_max));
  }
  Pipeline pipeline(world, dice);
  for (int turn = 0; turn < 150; ++turn) {
    Writer& writer = writers[dice.Below(writers.size())];
    if (dice.OneIn(2)) Write(world, writer, dice.OneIn(5) ? writer.bytes.size() : dice.Below(200));
    if (dice.OneIn(2)) pipeline.Step();
    if (dice.OneIn(12)) pipeline.Crash();
    if (testing::Test::HasFailure()) return;
  }
  for (Writer& writer : writers) Write(world, writer, writer.bytes.size());
  while (pipeline.Step()) {
    if (dice.OneIn(20)) pipeline.Crash();
    if (testing::Test::HasFailure()) return;
  }
  pipeline.Save();
  pipeline.Crash();
  EXPECT_FALSE(pipeline.Step());
  std::map<std::string, std::vector<Record>> by_file = ByFile(pipeline.ledger());
  for (const Writer& writer : writers) ExpectSame(by_file[writer.path], writer.records, writer.path);
  EXPECT_EQ(by_file.size(), writers.size());
  for (const std::string& warning : world.warnings) EXPECT_TRUE(warning.starts_with("QN-2122")) << warning;
}

TEST(Growth, EachRecordOnceLines) {
  for (uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) GrowAtRandom(seed, Content::kLines);
}

TEST(Growth, EachRecordOnceQuoted) {
  for (uint64_t seed = 1; seed <= 500 && !HasFailure(); ++seed) GrowAtRandom(seed, Content::kQuoted);
}

// Bounded runs one after the other over files that grow between them. A run may end in a file without a last
// line end, if the line end is what comes next.
TEST(Growth, BoundedRunsOverGrowingFiles) {
  for (uint64_t seed = 1; seed <= 400 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    World world;
    world.options.block_bytes = 16 + dice.Below(100);
    std::vector<Record> ledger;
    std::map<std::string, std::vector<std::string>> expected;
    std::map<std::string, bool> lacks_end;
    Json position;
    for (int run = 0; run < 6; ++run) {
      for (size_t appends = dice.Below(6); appends > 0; --appends) {
        const bool is_gzip = dice.OneIn(3);
        const std::string path = "/in/" + std::to_string(dice.Below(4)) + (is_gzip ? ".gz" : "");
        std::string text = lacks_end[path] ? "\n" : "";
        lacks_end[path] = false;
        for (size_t records = 1 + dice.Below(20); records > 0; --records) {
          const std::string record = std::to_string(expected[path].size()) + std::string(dice.Below(90), '.');
          expected[path].push_back(record);
          text += record + "\n";
        }
        if (dice.OneIn(2)) {
          text.pop_back();
          lacks_end[path] = true;
        }
        world.files.Append(path, is_gzip ? Gzip(text) : text);
      }
      const auto reader = world.Open(position);
      const std::vector<Record> records = world.Drain(*reader, 1 + dice.Below(500));
      ledger.insert(ledger.end(), records.begin(), records.end());
      position = world.Tell(*reader);
    }
    std::map<std::string, std::vector<std::string>> got;
    for (const auto& [path, records] : expected) {
      if (records.empty()) continue;
      for (const Record& record : ledger) {
        if (record.path != path) continue;
        EXPECT_EQ(record.line, got[path].size() + 1) << "seed " << seed;
        got[path].push_back(record.text.substr(0, record.text.find('\n')));
      }
    }
    EXPECT_EQ(got, expected);
  }
}

TEST(Growth, StaticFilesComeInOrderForAnyCuts) {
  for (uint64_t seed = 1; seed <= 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    World world;
    world.options.block_bytes = 16 + dice.Below(100);
    world.options.is_continuous = dice.OneIn(2);
    std::map<std::string, Writer> writers;
    for (size_t i = 0; i < 8; ++i) {
      Writer writer = RandomWriter(dice, Content::kLines, i, 1 << 20);
      Write(world, writer, writer.bytes.size());
      writers[writer.path] = std::move(writer);
    }
    std::vector<Record> expected;
    for (const auto& [path, writer] : writers) {
      expected.insert(expected.end(), writer.records.begin(), writer.records.end());
    }
    Pipeline pipeline(world, dice);
    while (pipeline.Step()) {
      if (dice.OneIn(5)) pipeline.Crash();
    }
    ExpectSame(pipeline.ledger(), expected, "all");
  }
}

}  // namespace
}  // namespace qn::files
