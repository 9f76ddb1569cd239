// A state trace is a map, whatever is done to it, also after its sections were applied to an empty one.
#include "trace/state_trace.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "trace/hash.h"
#include "trace/section.h"
#include "trace/test_sections.h"

namespace qn::trace {
namespace {

using Map = std::map<std::string, std::string>;
constexpr uint64_t kPlenty = uint64_t{1} << 40;

Map Content(const StateTrace& trace) {
  Map map;
  trace.ForEach([&](std::string_view key, std::string_view state) {
    EXPECT_TRUE(map.emplace(key, state).second);
    EXPECT_EQ(trace.Find(key), state);
  });
  EXPECT_EQ(trace.keys(), map.size());
  return map;
}

TEST(StateTrace, PutReplacesAndOldStatesStayUntilTheStepEnds) {
  Budget budget(kPlenty);
  StateTrace trace(budget);
  EXPECT_EQ(trace.Find("a").data(), nullptr);
  ASSERT_TRUE(trace.Put("a", "1").ok());
  ASSERT_TRUE(trace.Put("b", "").ok());
  EXPECT_NE(trace.Find("b").data(), nullptr) << "an empty state is a state";
  trace.EndStep();
  const std::string_view old = trace.Find("a");
  ASSERT_TRUE(trace.Put("a", "2").ok());
  trace.Remove("b");
  trace.Remove("nothing");
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(trace.Put("k" + std::to_string(i), "9").ok());
  EXPECT_EQ(old, "1");
  std::vector<std::string_view> found;
  trace.Find(std::vector<KeyedRow>{{"a", ""}, {"b", ""}, {"k7", ""}}, found);
  EXPECT_EQ(found[0], "2");
  EXPECT_EQ(found[1].data(), nullptr);
  EXPECT_EQ(found[2], "9");
}

TEST(StateTrace, AStateThatStaysTheSameIsNoChange) {
  Budget budget(kPlenty);
  StateTrace trace(budget);
  ASSERT_TRUE(trace.Put("a", "1").ok());
  std::string section = TakeSection(trace);
  EXPECT_NE(section, "");
  section.clear();
  ASSERT_TRUE(trace.Put("a", "1").ok());
  trace.Remove("b");
  section = TakeSection(trace);
  EXPECT_EQ(section, "");
}

TEST(StateTrace, AKeyChangedOftenIsWrittenOnce) {
  Budget budget(kPlenty);
  StateTrace trace(budget);
  std::string once;
  ASSERT_TRUE(trace.Put("a", "100").ok());
  once = TakeSection(trace);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(trace.Put("a", std::to_string(i + 200)).ok());
  std::string often = TakeSection(trace);
  EXPECT_EQ(often.size(), once.size());
}

TEST(StateTrace, EqualsAMap) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    std::mt19937 random(seed);
    Budget budget(kPlenty);
    auto trace = std::make_unique<StateTrace>(budget);
    Map map;
    std::vector<std::string> sections;
    for (int step = 0; step < 80; ++step) {
      const bool is_deleting = step % 20 >= 15;
      for (uint32_t n = random() % 1500; n > 0; --n) {
        const std::string key =
            "key " + std::to_string(random() % 2000) + std::string(random() % 2 * 40, 'k');
        if (is_deleting || random() % 8 == 0) {
          trace->Remove(key);
          map.erase(key);
        } else {
          const std::string state(random() % 30, static_cast<char>('a' + random() % 3));
          ASSERT_TRUE(trace->Put(key, state).ok());
          map[key] = state;
        }
      }
      std::vector<KeyedRow> rows = {{"batch 1", "x"}, {"batch 2", ""}, {"key 5", "y"}};
      if (step % 4 == 0) {
        ASSERT_TRUE(trace->Put(rows).ok());
        for (const KeyedRow& row : rows) map[std::string(row.key)] = row.row;
      }
      std::string section;
      if (step % 3 == 0) section = TakeSection(*trace);
      trace->EndStep();
      if (step % 3 == 1) section = TakeSection(*trace);
      if (!section.empty()) sections.push_back(section);
      ASSERT_EQ(Content(*trace), map);
      ASSERT_EQ(budget.used(), trace->bytes());
      if (step % 10 != 9) continue;
      section = TakeSection(*trace);
      if (!section.empty()) sections.push_back(section);
      auto from_changes = std::make_unique<StateTrace>(budget);
      for (const std::string& part : sections) ASSERT_TRUE(from_changes->Apply(part).ok());
      ASSERT_EQ(Content(*from_changes), map);
      StateTrace from_dump(budget);
      ASSERT_TRUE(Apply(DumpSections(*from_changes), from_dump).ok());
      ASSERT_EQ(Content(from_dump), map);
      trace = std::move(from_changes);
    }
    trace.reset();
    EXPECT_EQ(budget.used(), 0u);
  }
}

TEST(StateTrace, MemoryOfWhatIsGoneIsFree) {
  Budget budget(kPlenty);
  StateTrace trace(budget);
  for (int i = 0; i < 200'000; ++i)
    ASSERT_TRUE(trace.Put("key " + std::to_string(i), "some state of a group").ok());
  std::string section = TakeSection(trace);
  trace.EndStep();
  const size_t full = trace.bytes();
  for (int i = 100; i < 200'000; ++i) trace.Remove("key " + std::to_string(i));
  section = TakeSection(trace);
  trace.EndStep();
  trace.EndStep();
  EXPECT_LT(trace.bytes(), full / 10);
  EXPECT_EQ(Content(trace).size(), 100u);
}

TEST(StateTrace, AFullBudgetIsTold) {
  Budget budget(1 << 20);
  StateTrace trace(budget);
  Status status;
  for (int i = 0; status.ok() && i < 1'000'000; ++i) status = trace.Put("key " + std::to_string(i), "state");
  EXPECT_EQ(status.code(), "QN-3601");
  trace.Clear();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(StateTrace, SectionsAreOfBoundedSize) {
  Budget budget(kPlenty);
  StateTrace trace(budget);
  const std::string large(1000, 's');
  for (int i = 0; i < 40'000; ++i) {
    ASSERT_TRUE(trace.Put("key " + std::to_string(i), std::to_string(i) + large).ok());
  }
  const Map content = Content(trace);
  const uint64_t change_bytes = trace.change_bytes();
  for (const Sections& sections : {DumpSections(trace), TakeSections(trace)}) {
    ASSERT_EQ(sections.size(), 3u);
    uint64_t bytes = 0;
    for (const std::string& section : sections) {
      EXPECT_LE(section.size(), kSectionBytes + 2000);
      bytes += section.size();
    }
    EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(change_bytes), 1e6);
    StateTrace copy(budget);
    ASSERT_TRUE(copy.Expect(trace.keys()).ok());
    ASSERT_TRUE(Apply(sections, copy).ok());
    ASSERT_EQ(Content(copy), content);
  }
  // Changes that are dropped are no changes, and later ones are.
  ASSERT_TRUE(trace.Put("key 1", "one").ok());
  trace.DropChanges();
  EXPECT_EQ(trace.change_bytes(), 0u);
  ASSERT_TRUE(trace.Put("key 1", "two").ok());
  EXPECT_EQ(TakeSections(trace).size(), 1u);
}

TEST(StateTrace, WhatIsKeptOfChangesIsCountedAlsoWhenTheBudgetIsFull) {
  const auto used_after = [](uint64_t bytes_max, uint64_t* before) {
    Budget budget(bytes_max);
    StateTrace trace(budget);
    std::vector<KeyedRow> rows;
    const std::string state(4000, 's');
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i) keys.push_back(std::to_string(i));
    for (const std::string& key : keys) rows.push_back({key, state});
    EXPECT_TRUE(trace.Put(rows).ok());
    *before = budget.used();
    trace.EndStep();
    return budget.used();
  };
  uint64_t before = 0;
  const uint64_t used = used_after(kPlenty, &before);
  EXPECT_GT(used, before + 3'900'000) << "a change is small, its entry is not";
  EXPECT_EQ(used_after(before + 1, &before), used);
}

TEST(StateTrace, DamagedSectionsAreRefusedOrHarmless) {
  Budget budget(64 << 20);
  for (const bool is_dump : {false, true}) {
    std::string good;
    {
      StateTrace trace(budget);
      ASSERT_TRUE(trace.Put("a", "state one").ok());
      ASSERT_TRUE(trace.Put("bb", "").ok());
      ASSERT_TRUE(trace.Put("c", "x").ok());
      trace.Remove("c");
      good = is_dump ? DumpSection(trace) : TakeSection(trace);
    }
    const auto read = [&](const std::string& bytes) {
      StateTrace trace(budget);
      const auto exact = std::make_unique<char[]>(bytes.size());  // a sanitizer sees reads beyond
      std::memcpy(exact.get(), bytes.data(), bytes.size());
      const Status status = trace.Apply({exact.get(), bytes.size()});
      if (status.ok()) Content(trace);
      return status.code();
    };
    ASSERT_EQ(read(good), "");
    for (size_t size = 0; size < good.size(); ++size) EXPECT_EQ(read(good.substr(0, size)), "QN-3407");
    EXPECT_EQ(read(good + "x"), "QN-3407");
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
      std::string bad = good;
      for (uint32_t n = 1 + random() % 4; n > 0; --n)
        bad[random() % bad.size()] = static_cast<char>(random());
      (void)read(bad);
    }
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Hashes, EveryByteCounts) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 100; ++size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    EXPECT_TRUE(IsSame(text, std::string(text)));
    EXPECT_FALSE(IsSame(text, text + "x"));
    EXPECT_NE(Hash(text), Hash(text + std::string(1, '\0')));
    for (size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = static_cast<char>(other[at] ^ (1 << random() % 8));
      EXPECT_FALSE(IsSame(text, other)) << size << " " << at;
      EXPECT_NE(Hash(text), Hash(other)) << size << " " << at;
    }
  }
}

TEST(Hashes, NumbersInARowAreSpread) {
  std::map<uint32_t, int> buckets;
  for (uint64_t i = 0; i < uint64_t{64} * 1024; ++i) {
    char bytes[9] = {};
    std::memcpy(bytes + 1, &i, 8);
    ++buckets[ShortHash({bytes, 9}) >> 22];
  }
  EXPECT_EQ(buckets.size(), 1024u);
  for (const auto& [bucket, count] : buckets) EXPECT_LT(count, 64 * 2);
}

TEST(Sections, VarintsComeBackAndLongOnesAreRefused) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 63, UINT64_MAX}) {
    SectionWriter writer('x');
    writer.Put(value, {});
    uint64_t read = 0;
    SectionReader reader(writer.Section().substr(kSectionHeader));
    EXPECT_TRUE(reader.Varint(&read) && reader.AtEnd());
    EXPECT_EQ(read, value);
  }
  for (const int64_t value : {int64_t{0}, int64_t{-1}, INT64_MAX, INT64_MIN})
    EXPECT_EQ(UnZigZag(ZigZag(value)), value);
  uint64_t read = 0;
  EXPECT_FALSE(SectionReader(std::string(9, '\xFF') + "\x02").Varint(&read));
  EXPECT_FALSE(SectionReader(std::string(20, '\xFF')).Varint(&read));
}

}  // namespace
}  // namespace qn::trace
