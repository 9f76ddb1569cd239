// What a checkpoint names comes back whole, after any failure and power cut, or is refused in words; and the
// cost of a step follows its change.
#include "trace/store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/fail_point.h"
#include "contract/memory_files.h"
#include "trace/row_trace.h"
#include "trace/section.h"
#include "trace/state_trace.h"

namespace qn::trace {
namespace {

constexpr char kFolder[] = "/lake/_qanat/state";
constexpr uint64_t kPlenty = uint64_t{1} << 40;

// A life of the process: traces and a store, over files that outlive it.
struct Life {
  explicit Life(MemoryFiles& files_given) : files(files_given), store(files_given, kFolder) {}

  NamedTraces All() { return {{"view/0.0", &rows}, {"view/1.0", &states}}; }
  std::map<std::string, std::string> Content() const {
    std::map<std::string, std::string> content;
    rows.ForEachKey([&](KeyRef key) {
      std::map<std::string, int64_t> of;
      rows.ForEach(key, [&](std::string_view row, int64_t weight) { of[std::string(row)] += weight; });
      for (const auto& [row, weight] : of) {
        content["row " + std::string(rows.Key(key)) + " " + row] = std::to_string(weight);
      }
    });
    states.ForEach([&](std::string_view key, std::string_view state) {
      content["state " + std::string(key)] = std::string(state);
    });
    return content;
  }
  void Change(std::mt19937& random, uint32_t changes) {
    for (; changes > 0; --changes) {
      const std::string key = "key " + std::to_string(random() % 300);
      const std::string row = "some row " + std::to_string(random() % 5);
      ASSERT_TRUE(rows.Add(std::vector<KeyedRow>{{key, row, random() % 3 == 0 ? -1 : 1}}, nullptr).ok());
      if (random() % 3 == 0) {
        states.Remove(key);
      } else {
        ASSERT_TRUE(states.Put(key, "state " + std::to_string(random() % 1000)).ok());
      }
    }
  }
  void EndStep() {
    rows.EndStep();
    states.EndStep();
  }
  Status RestoreFrom(const Json& json) {
    rows.Clear();
    states.Clear();
    return store.Restore(json, All());
  }

  MemoryFiles& files;
  Budget budget{kPlenty};
  RowTrace rows{budget, false};
  StateTrace states{budget};
  StateStore store;
};

Json Reread(const Json& json) { return *Json::Parse(json.Dump()); }

size_t RunsMax(const Json& json) {
  size_t runs = 0;
  for (const auto& [name, trace] : json["traces"].Members())
    runs = std::max(runs, trace["runs"].Items().size());
  return runs;
}

TEST(StateStore, NothingIsNothing) {
  MemoryFiles files;
  Life life(files);
  const auto saved = life.store.Save(1, life.All());
  ASSERT_TRUE(saved.ok()) << saved.status().ToString();
  EXPECT_TRUE(files.List(kFolder)->empty());
  EXPECT_TRUE(life.store.Restore(Json(), life.All()).ok());
  EXPECT_TRUE(life.store.Restore(Reread(*saved), life.All()).ok());
  EXPECT_TRUE(life.Content().empty());
}

TEST(StateStore, AnyStepComesBackAfterAPowerCut) {
  MemoryFiles files;
  auto life = std::make_unique<Life>(files);
  std::mt19937 random(1);
  Json last;
  Json before;
  for (Epoch epoch = 1; epoch <= 400; ++epoch) {
    life->Change(random, random() % 4 == 0 ? 0 : random() % 40);
    const auto saved = life->store.Save(epoch, life->All());
    ASSERT_TRUE(saved.ok()) << saved.status().ToString();
    before = last;
    last = Reread(*saved);
    life->EndStep();
    const Json kept[] = {before, last};
    ASSERT_TRUE(life->store.Sweep(kept).ok());
    if (random() % 20 != 0) continue;
    const auto content = life->Content();
    files.PowerCut();
    life = std::make_unique<Life>(files);
    // Also the one before is still whole.
    ASSERT_TRUE(life->RestoreFrom(before).ok());
    const Status restored = life->RestoreFrom(last);
    ASSERT_TRUE(restored.ok()) << restored.ToString();
    ASSERT_EQ(life->Content(), content);
  }
}

TEST(StateStore, AStepWithoutChangesWritesNoFile) {
  MemoryFiles files;
  Life life(files);
  std::mt19937 random(1);
  life.Change(random, 10);
  const Json first = *life.store.Save(1, life.All());
  const size_t there = files.List(kFolder)->size();
  EXPECT_EQ(*life.store.Save(2, life.All()), first);
  EXPECT_EQ(files.List(kFolder)->size(), there);
}

// The cost of many small steps on a large state: pieces stay few, and bytes written follow bytes changed.
TEST(StateStore, TenThousandSmallStepsStayInBounds) {
  MemoryFiles files;
  Life life(files);
  std::mt19937 random(2);
  Arena arena;
  std::vector<KeyedRow> large;
  for (int i = 0; i < 100'000; ++i)
    large.push_back({arena.Store("large key " + std::to_string(i)), "row", 1});
  ASSERT_TRUE(life.rows.Add(large, nullptr).ok());
  Json last;
  uint64_t written = 0;
  uint64_t changed = 0;
  std::set<std::string> seen;
  for (Epoch epoch = 1; epoch <= 10'000; ++epoch) {
    const KeyedRow row{large[random() % large.size()].key, "another row", 1};
    ASSERT_TRUE(life.rows.Add(std::span(&row, 1), nullptr).ok());
    const std::string state = std::to_string(epoch % 2 == 0 ? epoch : 0);
    ASSERT_TRUE(life.states.Put("k" + std::to_string(random() % 50), state).ok());
    if (epoch > 1) changed += 8 + 18 + 32 + 8 + 18 + 8;
    last = *life.store.Save(epoch, life.All());
    life.EndStep();
    const Json kept[] = {last};
    ASSERT_TRUE(life.store.Sweep(kept).ok());
    for (const Json& file : last["files"].Items()) {
      if (seen.insert(file.At(0).Str()).second && epoch > 1) written += file.At(1).Uint();
    }
    ASSERT_LE(RunsMax(last), 64u);
    ASSERT_LE(last["files"].Items().size(), 64u);
  }
  EXPECT_EQ(files.List(kFolder)->size(), last["files"].Items().size());
  EXPECT_LT(written, changed * 8) << written << " bytes for " << changed;
  const auto content = life.Content();
  ASSERT_TRUE(life.RestoreFrom(Reread(last)).ok());
  EXPECT_EQ(life.Content(), content);
}

TEST(StateStore, ATraceIsWrittenWholeWhenItsChangesOutweighIt) {
  MemoryFiles files;
  Life life(files);
  const std::string state(4000, 's');
  uint64_t largest = 0;
  Json last;
  for (Epoch epoch = 1; epoch <= 2000; ++epoch) {
    for (int i = 0; i < 3; ++i)
      ASSERT_TRUE(life.states.Put("k" + std::to_string(i), state + std::to_string(epoch)).ok());
    last = *life.store.Save(epoch, life.All());
    life.EndStep();
    const Json kept[] = {last};
    ASSERT_TRUE(life.store.Sweep(kept).ok());
    uint64_t bytes = 0;
    for (const FileInfo& file : *files.List(kFolder)) bytes += file.size;
    largest = std::max(largest, bytes);
  }
  EXPECT_LT(largest, uint64_t{6} << 20) << "of 24 MB of changes";
  EXPECT_EQ(last["traces"].Members().size(), 1u) << "a trace without rows is not named";
}

TEST(StateStore, ALittlePieceDoesNotKeepALargeFile) {
  MemoryFiles files;
  Life life(files);
  ASSERT_TRUE(life.states.Put("little", "piece").ok());
  Json last;
  for (Epoch epoch = 1; epoch <= 6; ++epoch) {
    Arena arena;
    std::vector<KeyedRow> rows;
    for (int i = 0; i < 60'000; ++i) {
      rows.push_back(
          {arena.Store("key " + std::to_string(i)), arena.Store("row " + std::to_string(epoch)), 1});
      if (epoch > 1) rows.push_back({rows.back().key, arena.Store("row " + std::to_string(epoch - 1)), -1});
    }
    ASSERT_TRUE(life.rows.Add(rows, nullptr).ok());
    last = *life.store.Save(epoch, life.All());
    life.EndStep();
  }
  const Json kept[] = {last};
  ASSERT_TRUE(life.store.Sweep(kept).ok());
  uint64_t bytes = 0;
  for (const FileInfo& file : *files.List(kFolder)) bytes += file.size;
  EXPECT_LT(bytes, uint64_t{60'000} * 22 * 3);
  const auto content = life.Content();
  ASSERT_TRUE(life.RestoreFrom(last).ok());
  EXPECT_EQ(life.Content(), content);
  EXPECT_EQ(life.states.Find("little"), "piece");
}

// One step fails in every way; the step's number is used again.
TEST(StateStore, AFailedStepIsTakenBackAndDoneAgain) {
  for (const char* how : {"state.save.before=error@1!", "state.save.after=error@1!",
                          "state.save.after=unknown@1!", "state.save.before=retry@1!"}) {
    for (const bool dies : {false, true}) {
      MemoryFiles files;
      auto life = std::make_unique<Life>(files);
      std::mt19937 random(5);
      Json last;
      for (Epoch epoch = 1; epoch <= 30; ++epoch) {
        const auto content = life->Content();
        const auto random_before = random;
        if (epoch % 7 == 0) {
          life->Change(random, 20);
          ASSERT_TRUE(ArmFailPoints(how).ok());
          const auto failed = life->store.Save(epoch, life->All());
          ASSERT_TRUE(ArmFailPoints("").ok());
          ASSERT_FALSE(failed.ok());
          EXPECT_EQ(failed.status().code(), "QN-9002");
          if (dies) {
            files.PowerCut();
            life = std::make_unique<Life>(files);
          }
          ASSERT_TRUE(life->RestoreFrom(last).ok());
          ASSERT_EQ(life->Content(), content);
          random = random_before;
        }
        life->Change(random, 20);
        last = Reread(*life->store.Save(epoch, life->All()));
        life->EndStep();
      }
      const Json kept[] = {last};
      ASSERT_TRUE(life->store.Sweep(kept).ok());
      EXPECT_EQ(files.List(kFolder)->size(), last["files"].Items().size()) << "orphans are swept";
      const auto content = life->Content();
      ASSERT_TRUE(life->RestoreFrom(last).ok());
      EXPECT_EQ(life->Content(), content);
    }
  }
}

// Every deed on the files fails once, before or after it happened; then the lights go out.
TEST(StateStore, EveryDeedMayFail) {
  for (const Kind kind : {Kind::kUnknown, Kind::kRetryable, Kind::kFailed}) {
    for (const bool after : {false, true}) {
      for (const char* deed : {"make_folder", "put_if_absent", "sync_folder", "remove"}) {
        MemoryFiles files;
        auto life = std::make_unique<Life>(files);
        std::mt19937 random(6);
        Json last;
        std::map<std::string, std::string> durable;
        int passed = 0;
        for (Epoch epoch = 1; epoch <= 20; ++epoch) {
          files.SetFault([&](std::string_view name, const std::string&, bool is_after) {
            if (name != deed || is_after != after || ++passed % 5 != 1) return Ok();
            return Status(kind, "QN-3101", "told to fail");
          });
          life->Change(random, 20);
          const auto saved = life->store.Save(epoch, life->All());
          if (saved.ok()) {
            last = Reread(*saved);
            life->EndStep();
            durable = life->Content();
            const Json kept[] = {last};
            ASSERT_TRUE(life->store.Sweep(kept).ok());
          }
          files.SetFault(nullptr);
          if (saved.ok() && epoch % 3 != 0) continue;
          files.PowerCut();
          life = std::make_unique<Life>(files);
          const Status restored = life->RestoreFrom(last);
          ASSERT_TRUE(restored.ok()) << restored.ToString();
          ASSERT_EQ(life->Content(), durable) << deed << after;
        }
        EXPECT_GT(passed, 0) << deed;
      }
    }
  }
}

TEST(StateStore, AnyDamagedByteIsNoticed) {
  MemoryFiles files;
  Life life(files);
  std::mt19937 random(7);
  Json last;
  for (Epoch epoch = 1; epoch <= 3; ++epoch) {
    life.Change(random, 5);
    last = *life.store.Save(epoch, life.All());
    life.EndStep();
  }
  ASSERT_TRUE(life.RestoreFrom(last).ok());
  for (const FileInfo& file : *files.List(kFolder)) {
    const std::string good = *files.Read(file.path);
    const auto restored = [&](const std::string& bytes) {
      EXPECT_TRUE(files.Put(file.path, bytes).ok());
      return life.RestoreFrom(last);
    };
    for (size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
      const Status status = restored(bad);
      ASSERT_EQ(status.code(), "QN-3408") << file.path << " byte " << at;
      EXPECT_NE(status.ToString().find("file: '" + file.path + "', for view/"), std::string::npos)
          << status.ToString();
    }
    for (size_t size = 0; size < good.size(); ++size)
      ASSERT_EQ(restored(good.substr(0, size)).code(), "QN-3408");
    ASSERT_TRUE(restored(good).ok());
    ASSERT_TRUE(files.Remove(file.path).ok());
    const Status gone = life.RestoreFrom(last);
    EXPECT_EQ(gone.text(), "What a query remembers cannot be read back.");
    EXPECT_NE(gone.ToString().find("It is not there."), std::string::npos) << gone.ToString();
    ASSERT_TRUE(restored(good).ok());
  }
}

TEST(StateStore, DamageIsNotCopiedIntoANewerFile) {
  MemoryFiles files;
  Life life(files);
  for (Epoch epoch = 1; epoch <= 7; ++epoch) {
    ASSERT_TRUE(life.states.Put("k", std::to_string(epoch)).ok());
    ASSERT_TRUE(life.store.Save(epoch, life.All()).ok());
  }
  const std::string path = files.List(kFolder)->at(3).path;
  std::string bytes = *files.Read(path);
  bytes.back() ^= 1;
  ASSERT_TRUE(files.Put(path, bytes).ok());
  ASSERT_TRUE(life.states.Put("k", "8").ok());
  const auto merged = life.store.Save(8, life.All());
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.status().code(), "QN-3408");
  EXPECT_NE(merged.status().ToString().find(path), std::string::npos);
}

TEST(StateStore, ListsThatMakeNoSenseAreRefused) {
  MemoryFiles files;
  Life life(files);
  for (const char* text :
       {"7", "{}", R"({"files": [["../x", 1]], "traces": {}})", R"({"files": [], "traces": []})",
        R"({"files": [], "traces": {"view/0.0": {"runs": [[0, 0, 1, 0, 0]]}}})",
        R"({"files": [["state-1-0.bin", 9]], "traces": {"view/0.0": {"runs": [[0, 0]]}}})"}) {
    EXPECT_EQ(life.RestoreFrom(*Json::Parse(text)).code(), "QN-3408") << text;
  }
  // Sizes beyond all bounds are those of a damaged list.
  ASSERT_TRUE(life.states.Put("k", "s").ok());
  Json saved = *life.store.Save(1, life.All());
  std::string text = saved.Dump();
  const std::string name = files.List(kFolder)->at(0).path.substr(sizeof(kFolder));
  text =
      R"({"files":[[")" + name + R"(",9]],"traces":{"view/1.0":{"runs":[[0,18446744073709551615,2,0,0]]}}})";
  EXPECT_EQ(life.RestoreFrom(*Json::Parse(text)).code(), "QN-3408");
}

// Files that come a piece at a time, of a disk that may be full.
class Disk final : public MemoryFiles {
 public:
  Result<std::unique_ptr<NewFile>> Create(const std::string& folder) override {
    QN_GET(std::unique_ptr<NewFile> file, MemoryFiles::Create(folder));
    return std::unique_ptr<NewFile>(std::make_unique<Piecewise>(std::move(file), *this));
  }
  size_t largest = 0;
  uint64_t left = kPlenty;

 private:
  class Piecewise final : public NewFile {
   public:
    Piecewise(std::unique_ptr<NewFile> file, Disk& disk) : file_(std::move(file)), disk_(disk) {}
    Status Append(std::string_view bytes) override {
      disk_.largest = std::max(disk_.largest, bytes.size());
      if (bytes.size() > disk_.left) return Status(Kind::kRetryable, "QN-3101", "The disk is full.");
      disk_.left -= bytes.size();
      return file_->Append(bytes);
    }
    Status PutIfAbsent(const std::string& path) override { return file_->PutIfAbsent(path); }

   private:
    std::unique_ptr<NewFile> file_;
    Disk& disk_;
  };
};

TEST(StateStore, NothingIsInMemoryAsAWhole) {
  Disk disk;
  Life life(disk);
  const auto change = [&life](const std::string& text) {
    Arena arena;
    std::vector<KeyedRow> rows;
    const std::string large(1000, 'r');
    for (int i = 0; i < 60'000; ++i)
      rows.push_back({arena.Store("key " + std::to_string(i)), arena.Store(large + text), 1});
    ASSERT_TRUE(life.rows.Add(rows, nullptr).ok());
    ASSERT_TRUE(life.states.Put(rows).ok());
  };
  Json saved;
  for (const char* text : {"first", "again", "and again"}) {  // whole, changes, whole
    change(text);
    saved = *life.store.Save(1, life.All());
    life.EndStep();
  }
  EXPECT_LE(disk.largest, kSectionBytes + 2000) << "of 120 MB";
  EXPECT_GT(disk.largest, kSectionBytes / 2);
  EXPECT_EQ(saved["traces"]["view/0.0"]["keys"].Int(), 60'000);
  const auto content = life.Content();
  Life next(disk);
  const Status restored = next.RestoreFrom(Reread(saved));
  ASSERT_TRUE(restored.ok()) << restored.ToString();
  EXPECT_EQ(next.Content(), content);
  EXPECT_LE(next.budget.used(), life.budget.used());
}

TEST(StateStore, ADiskThatFillsUpInTheMiddleIsTold) {
  Disk disk;
  Life life(disk);
  const std::string state(1 << 20, 's');
  const auto put = [&](int keys) {
    for (int i = 0; i < keys; ++i) ASSERT_TRUE(life.states.Put(std::to_string(i) + "k", state).ok());
  };
  put(2);
  const Json saved = *life.store.Save(1, life.All());
  life.EndStep();
  const auto content = life.Content();
  disk.left = uint64_t{17} << 20;
  put(40);
  EXPECT_EQ(life.store.Save(2, life.All()).status().code(), "QN-3101");
  EXPECT_EQ(disk.List(kFolder)->size(), 1u);
  ASSERT_TRUE(life.RestoreFrom(saved).ok());
  EXPECT_EQ(life.Content(), content);
}

// As versions before sections of bounded size wrote it.
TEST(StateStore, AnOlderListHasNoNumberOfKeys) {
  MemoryFiles files;
  Life life(files);
  ASSERT_TRUE(life.states.Put("k", "s").ok());
  std::string text = life.store.Save(1, life.All())->Dump();
  const size_t at = text.find("\"keys\":0,");
  ASSERT_NE(at, std::string::npos) << text;
  text.erase(at, 9);
  ASSERT_TRUE(life.RestoreFrom(*Json::Parse(text)).ok());
  EXPECT_EQ(life.states.Find("k"), "s");
}

TEST(StateStore, TracesComeAndGo) {
  MemoryFiles files;
  Life life(files);
  ASSERT_TRUE(life.states.Put("k", "s").ok());
  ASSERT_TRUE(life.rows.Add(std::vector<KeyedRow>{{"k", "r", 1}}, nullptr).ok());
  const Json both = *life.store.Save(1, life.All());
  // The next life has only one of them, and a new one.
  Life next(files);
  StateTrace fresh(next.budget);
  const NamedTraces some = {{"view/0.0", &next.rows}, {"other/0.0", &fresh}};
  ASSERT_TRUE(next.store.Restore(both, some).ok());
  EXPECT_EQ(next.rows.keys(), 1u);
  EXPECT_EQ(fresh.keys(), 0u);
  ASSERT_TRUE(fresh.Put("new", "s").ok());
  const Json saved = *next.store.Save(2, some);
  EXPECT_FALSE(saved["traces"].Has("view/1.0"));
  Life last(files);
  ASSERT_TRUE(last.RestoreFrom(saved).ok());
  EXPECT_EQ(last.rows.keys(), 1u);
  EXPECT_EQ(last.states.keys(), 0u);
}

TEST(StateStore, SweepLeavesWhatIsNotOurs) {
  MemoryFiles files;
  Life life(files);
  ASSERT_TRUE(life.states.Put("k", "s").ok());
  const Json saved = *life.store.Save(1, life.All());
  const std::string folder = kFolder;
  ASSERT_TRUE(files.Put(folder + "/notes.txt", "mine").ok());
  ASSERT_TRUE(files.Put(folder + "/state-00000000000000000009-0.bin", "an orphan").ok());
  ASSERT_TRUE(files.Put(folder + "/" + std::string(kTempPrefix) + "77", "half").ok());
  Life next(files);
  ASSERT_TRUE(next.RestoreFrom(saved).ok());
  const Json kept[] = {Json(), saved};
  ASSERT_TRUE(next.store.Sweep(kept).ok());
  const auto left = *files.List(folder);
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].path, folder + "/notes.txt");
}

}  // namespace
}  // namespace qn::trace
