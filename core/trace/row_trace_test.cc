// A row trace is a bag by key: whatever is done to it, it equals a map of maps, also after its sections were
// applied to an empty one.
#include "trace/row_trace.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "trace/section.h"
#include "trace/test_sections.h"

namespace qn::trace {
namespace {

using Bag = std::map<std::string, std::map<std::string, int64_t>>;
constexpr uint64_t kPlenty = uint64_t{1} << 40;

Bag Content(const RowTrace& trace) {
  Bag bag;
  trace.ForEachKey([&](KeyRef key) {
    auto& rows = bag[std::string(trace.Key(key))];
    int64_t weight = 0;
    size_t count = 0;
    trace.ForEach(key, [&](std::string_view row, int64_t w) {
      rows[std::string(row)] += w;
      weight += w;
      ++count;
    });
    EXPECT_EQ(trace.Weight(key), weight);
    EXPECT_EQ(trace.Rows(key), count);
    EXPECT_EQ(trace.Find(trace.Key(key)), key);
  });
  return bag;
}

void Apply(const std::vector<KeyedRow>& rows, Bag& bag) {
  for (const KeyedRow& row : rows) {
    if (row.weight == 0) continue;
    auto& of = bag[std::string(row.key)];
    if ((of[std::string(row.row)] += row.weight) == 0) of.erase(std::string(row.row));
    if (of.empty()) bag.erase(std::string(row.key));
  }
}

// Bytes of rows that stay for the whole test.
class Texts {
 public:
  std::string_view operator()(const std::string& text) { return arena_.Store(text); }

 private:
  Arena arena_;
};

TEST(RowTrace, AddsWeightsAndForgetsWhatIsZero) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  std::vector<KeyRef> places;
  ASSERT_TRUE(
      trace.Add(std::vector<KeyedRow>{{"a", "1", 1}, {"a", "2", 2}, {"b", "1", -1}, {"", "", 3}}, &places)
          .ok());
  EXPECT_EQ(places[0], places[1]);
  EXPECT_EQ(trace.Weight(places[0]), 3);
  EXPECT_EQ(trace.Key(places[3]), "");
  EXPECT_EQ(Content(trace), (Bag{{"a", {{"1", 1}, {"2", 2}}}, {"b", {{"1", -1}}}, {"", {{"", 3}}}}));
  ASSERT_TRUE(
      trace.Add(std::vector<KeyedRow>{{"a", "2", -2}, {"b", "1", 1}, {"", "", -3}, {"c", "1", 0}}, &places)
          .ok());
  EXPECT_EQ(places[3], kNoKey);
  EXPECT_EQ(trace.Find("b"), kNoKey);
  EXPECT_EQ(trace.Key(places[1]), "b") << "until EndStep";
  EXPECT_EQ(trace.Rows(places[1]), 0u);
  EXPECT_EQ(Content(trace), (Bag{{"a", {{"1", 1}}}}));
  trace.EndStep();
  EXPECT_EQ(Content(trace), (Bag{{"a", {{"1", 1}}}}));
  EXPECT_EQ(trace.keys(), 1u);
  EXPECT_EQ(trace.rows(), 1u);
  EXPECT_EQ(trace.Weight(kNoKey), 0);
  EXPECT_EQ(trace.Rows(kNoKey), 0u);
  trace.ForEach(kNoKey, [](std::string_view, int64_t) { FAIL(); });
}

TEST(RowTrace, ViewsStayUntilTheStepEnds) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  std::vector<KeyRef> places;
  ASSERT_TRUE(trace.Add(std::vector<KeyedRow>{{"key", "the row", 1}}, &places).ok());
  trace.EndStep();
  std::string_view view;
  trace.ForEach(trace.Find("key"), [&](std::string_view row, int64_t) { view = row; });
  ASSERT_TRUE(trace.Add(std::vector<KeyedRow>{{"key", "the row", -1}}, nullptr).ok());
  for (int i = 0; i < 10'000; ++i) {
    const std::string row = "another " + std::to_string(i);
    ASSERT_TRUE(trace.Add(std::vector<KeyedRow>{{"key", row, 1}}, nullptr).ok());
  }
  EXPECT_EQ(view, "the row");
}

TEST(RowTrace, AnAppendOnlyOneKeepsEqualRowsApart) {
  Budget budget(kPlenty);
  RowTrace trace(budget, true);
  std::vector<KeyedRow> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({"k", i % 2 == 0 ? "x" : "", 2});
  ASSERT_TRUE(trace.Add(rows, nullptr).ok());
  EXPECT_EQ(trace.Weight(trace.Find("k")), 200);
  EXPECT_EQ(Content(trace), (Bag{{"k", {{"x", 100}, {"", 100}}}}));
  std::string dump = DumpSection(trace);
  RowTrace copy(budget, true);
  ASSERT_TRUE(copy.Apply(dump).ok());
  EXPECT_EQ(Content(copy), Content(trace));
  RowTrace negative(budget, false);
  ASSERT_TRUE(negative.Add(std::vector<KeyedRow>{{"k", "x", -1}}, nullptr).ok());
  dump = TakeSection(negative);
  copy.Clear();
  EXPECT_EQ(copy.Apply(dump).code(), "QN-3407");
}

struct Shape {
  const char* name;
  int keys;
  int rows;  // different ones a key
  size_t row_bytes_max;
};

std::vector<KeyedRow> RandomRows(const Shape& shape, std::mt19937& random, Texts& text) {
  std::vector<KeyedRow> rows;
  for (uint32_t n = random() % 400; n > 0; --n) {
    const int key = static_cast<int>(random()) % shape.keys;
    const int row = static_cast<int>(random()) % shape.rows;
    const std::string row_text =
        std::to_string(row) + std::string(static_cast<size_t>(row * 37) % shape.row_bytes_max, 'x');
    rows.push_back({text("key " + std::to_string(key) + std::string(static_cast<size_t>(key) % 30, 'k')),
                    row == 0 ? "" : text(row_text), static_cast<int64_t>(random() % 5) - 2});
  }
  return rows;
}

// Two thirds of what is there go.
std::vector<KeyedRow> MostOf(const Bag& bag, std::mt19937& random, Texts& text) {
  std::vector<KeyedRow> rows;
  for (const auto& [key, of] : bag) {
    for (const auto& [row, weight] : of) {
      if (random() % 3 != 0) rows.push_back({text(key), text(row), -weight});
    }
  }
  return rows;
}

class RowTraceModel : public ::testing::TestWithParam<Shape> {};

// Random batches, ends of steps, checkpoints and restarts from them.
TEST_P(RowTraceModel, EqualsAMapOfMaps) {
  const Shape shape = GetParam();
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    std::mt19937 random(seed);
    Texts text;
    Budget budget(kPlenty);
    auto trace = std::make_unique<RowTrace>(budget, false);
    Bag bag;
    std::vector<std::string> sections;
    for (int step = 0; step < 60; ++step) {
      const bool is_deleting = step % 20 >= 12;
      for (int batch = 0; batch < 3; ++batch) {
        const std::vector<KeyedRow> rows =
            is_deleting ? MostOf(bag, random, text) : RandomRows(shape, random, text);
        std::vector<KeyRef> places;
        ASSERT_TRUE(trace->Add(rows, &places).ok());
        Apply(rows, bag);
        for (size_t i = 0; i < rows.size(); ++i) {
          ASSERT_TRUE(places[i] == kNoKey || trace->Key(places[i]) == rows[i].key);
        }
        trace->Find(rows, places);
        for (size_t i = 0; i < rows.size(); ++i) {
          ASSERT_EQ(places[i] != kNoKey, bag.count(std::string(rows[i].key)) == 1);
        }
      }
      std::string section;
      const bool takes_before_the_end = step % 2 == 0;
      if (takes_before_the_end) section = TakeSection(*trace);
      trace->EndStep();
      if (!takes_before_the_end) section = TakeSection(*trace);
      if (!section.empty()) sections.push_back(section);
      section = TakeSection(*trace);
      ASSERT_EQ(section, "");
      ASSERT_EQ(Content(*trace), bag);
      ASSERT_EQ(trace->keys(), bag.size());
      ASSERT_EQ(budget.used(), trace->bytes());
      if (step % 10 == 9) {
        auto from_changes = std::make_unique<RowTrace>(budget, false);
        for (const std::string& part : sections) ASSERT_TRUE(from_changes->Apply(part).ok());
        ASSERT_EQ(Content(*from_changes), bag);
        RowTrace from_dump(budget, false);
        ASSERT_TRUE(Apply(DumpSections(*from_changes), from_dump).ok());
        ASSERT_EQ(Content(from_dump), bag);
        ASSERT_EQ(from_dump.rows(), trace->rows());
        trace = std::move(from_changes);
      }
    }
    trace->Clear();
    EXPECT_EQ(trace->keys(), 0u);
    EXPECT_EQ(Content(*trace), Bag{});
    ASSERT_TRUE(trace->Add(std::vector<KeyedRow>{{"again", "x", 1}}, nullptr).ok());
    trace.reset();
    EXPECT_EQ(budget.used(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowTraceModel,
                         ::testing::Values(Shape{"FewKeysManyRows", 3, 600, 50},
                                           Shape{"ManyKeysFewRows", 900, 3, 20}, Shape{"Both", 60, 60, 2000},
                                           Shape{"OneKey", 1, 3000, 10}, Shape{"LargeRows", 40, 2, 1500}),
                         [](const auto& shape) { return shape.param.name; });

TEST(RowTrace, OneKeyWithManyRowsCostsTheSamePerRow) {
  // Quadratic work would take minutes.
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  constexpr int kRows = 300'000;
  Texts text;
  std::vector<KeyedRow> rows;
  for (int i = 0; i < kRows; ++i) rows.push_back({"skew", text("row " + std::to_string(i)), 1});
  ASSERT_TRUE(trace.Add(rows, nullptr).ok());
  trace.EndStep();
  EXPECT_EQ(trace.Rows(trace.Find("skew")), static_cast<size_t>(kRows));
  const size_t full = trace.bytes();
  std::string section = TakeSection(trace);
  EXPECT_LT(section.size(), size_t{kRows} * 14) << "the key is written once";
  for (KeyedRow& row : rows) row.weight = -1;
  std::shuffle(rows.begin(), rows.end(), std::mt19937(1));
  ASSERT_TRUE(trace.Add(std::span(rows).subspan(10), nullptr).ok());
  trace.EndStep();
  EXPECT_EQ(Content(trace)["skew"].size(), 10u);
  section = TakeSection(trace);
  trace.EndStep();
  EXPECT_LT(trace.bytes(), full / 4) << "memory is free again";
}

TEST(RowTrace, MemoryOfWhatIsGoneIsUsedAgain) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  size_t after_first = 0;
  for (int step = 0; step < 50; ++step) {
    Texts text;
    std::vector<KeyedRow> rows;
    for (int i = 0; i < 20'000; ++i)
      rows.push_back({text("key " + std::to_string(i)), text(std::to_string(step) + " is the state"), 1});
    if (step > 0) {
      for (int i = 0; i < 20'000; ++i)
        rows.push_back(
            {rows[static_cast<size_t>(i)].key, text(std::to_string(step - 1) + " is the state"), -1});
    }
    ASSERT_TRUE(trace.Add(rows, nullptr).ok());
    std::string section = TakeSection(trace);
    trace.EndStep();
    if (step == 1) after_first = trace.bytes();
  }
  EXPECT_EQ(trace.rows(), 20'000u);
  EXPECT_LT(trace.bytes(), after_first + (after_first >> 1));
}

TEST(RowTrace, AFullBudgetIsToldAndNothingLeaks) {
  Budget budget(3 << 20);
  RowTrace trace(budget, false);
  Texts text;
  Status status;
  int added = 0;
  for (; status.ok() && added < 1'000'000; ++added) {
    const std::vector<KeyedRow> rows = {
        {text("key " + std::to_string(added)), "some row that takes room", 1}};
    status = trace.Add(rows, nullptr);
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), "QN-3601");
  EXPECT_EQ(status.text(), "The memory of this pipeline's queries is full.");
  EXPECT_NE(status.ToString().find("over the limit of 3072 KB"), std::string::npos) << status.ToString();
  EXPECT_NE(status.ToString().find("--memory"), std::string::npos);
  EXPECT_GT(added, 10'000);
  EXPECT_LE(budget.used(), budget.bytes_max());
  trace.Clear();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_TRUE(trace.Add(std::vector<KeyedRow>{{"again", "x", 1}}, nullptr).ok());
}

TEST(RowTrace, LargeRowsHaveBlocksOfTheirOwn) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  const std::string large(5 << 20, 'x');
  const std::string larger(7 << 20, 'y');
  ASSERT_TRUE(
      trace.Add(std::vector<KeyedRow>{{"k", large, 1}, {"k", larger, 1}, {large, "r", 1}}, nullptr).ok());
  EXPECT_GT(trace.bytes(), size_t{17} << 20);
  ASSERT_TRUE(
      trace.Add(std::vector<KeyedRow>{{"k", large, -1}, {"k", larger, -1}, {large, "r", -1}}, nullptr).ok());
  trace.EndStep();
  std::string section = TakeSection(trace);
  trace.EndStep();
  EXPECT_LT(trace.bytes(), size_t{1} << 20);
}

TEST(RowTrace, WhatIsKeptOfChangesIsCountedAlsoWhenTheBudgetIsFull) {
  const auto used_after = [](uint64_t bytes_max, uint64_t* before) {
    Budget budget(bytes_max);
    RowTrace trace(budget, false);
    const std::string key(4000, 'k');
    std::vector<std::string> rows;
    for (int i = 0; i < 1000; ++i) rows.push_back(std::to_string(i) + std::string(1000, 'r'));
    std::vector<KeyedRow> changes;
    for (const std::string& row : rows) changes.push_back({key, row, 1});
    EXPECT_TRUE(trace.Add(changes, nullptr).ok());
    *before = budget.used();
    trace.EndStep();
    return budget.used();
  };
  uint64_t before = 0;
  const uint64_t used = used_after(kPlenty, &before);
  EXPECT_GT(used, before + 900'000) << "a change is small, its entry is not";
  EXPECT_EQ(used_after(before + 1, &before), used);
}

TEST(RowTrace, SectionsAreOfBoundedSize) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  Arena arena;
  std::vector<KeyedRow> rows;
  const std::string large(1000, 'r');
  for (int i = 0; i < 50'000; ++i) {
    const std::string key = i % 2 == 0 ? "hot" : "key " + std::to_string(i / 4);
    rows.push_back({arena.Store(key), arena.Store(std::to_string(i) + large), 1 + i % 3});
  }
  ASSERT_TRUE(trace.Add(std::span(rows).subspan(0, 25'000), nullptr).ok());
  trace.EndStep();
  ASSERT_TRUE(trace.Add(std::span(rows).subspan(25'000), nullptr).ok());
  const Bag content = Content(trace);
  const uint64_t change_bytes = trace.change_bytes();
  for (const Sections& sections : {DumpSections(trace), TakeSections(trace)}) {
    ASSERT_GE(sections.size(), 3u);
    uint64_t bytes = 0;
    for (const std::string& section : sections) bytes += section.size();
    EXPECT_NEAR(static_cast<double>(bytes), static_cast<double>(change_bytes), 1e6);
    RowTrace copy(budget, false);
    ASSERT_TRUE(Apply(sections, copy).ok());
    ASSERT_EQ(Content(copy), content);
    ASSERT_EQ(copy.keys(), trace.keys());
  }
  for (const std::string& section : DumpSections(trace)) EXPECT_LE(section.size(), kSectionBytes + 2000);
  EXPECT_EQ(trace.change_bytes(), 0u);
  Status stopped = trace.Dump([](std::string_view) { return Failed("QN-3101", "full"); });
  EXPECT_EQ(stopped.code(), "QN-3101");
}

std::string SomeSection(bool is_dump) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  std::vector<KeyedRow> rows = {{"a", "row one", 1}, {"a", "row two", 5}, {"b", "", -1}, {"", "row", 1}};
  EXPECT_TRUE(trace.Add(rows, nullptr).ok());
  std::string section;
  if (is_dump) {
    section = DumpSection(trace);
  } else {
    section = TakeSection(trace);
  }
  return section;
}

TEST(RowTrace, DamagedSectionsAreRefusedOrHarmless) {
  for (const bool is_dump : {false, true}) {
    const std::string good = SomeSection(is_dump);
    Budget budget(64 << 20);
    const auto read = [&](const std::string& bytes) {
      RowTrace trace(budget, false);
      const auto exact = std::make_unique<char[]>(bytes.size());  // a sanitizer sees reads beyond
      std::memcpy(exact.get(), bytes.data(), bytes.size());
      Status status = trace.Apply({exact.get(), bytes.size()});
      EXPECT_TRUE(status.ok() || status.code() == "QN-3407" || status.code() == "QN-3601")
          << status.ToString();
      if (status.ok()) Content(trace);
      return status;
    };
    ASSERT_TRUE(read(good).ok());
    EXPECT_EQ(read(good.substr(0, good.size() - 1)).text(), "A section of remembered rows is damaged.");
    for (size_t size = 0; size < good.size(); ++size) EXPECT_EQ(read(good.substr(0, size)).code(), "QN-3407");
    EXPECT_EQ(read(good + "x").code(), "QN-3407");
    EXPECT_EQ(read(good + good).code(), "QN-3407");
    for (size_t at = 0; at < kSectionHeader; ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x55);
      EXPECT_EQ(read(bad).code(), "QN-3407") << at;
    }
    std::mt19937 random(3);
    for (int round = 0; round < 20'000; ++round) {
      std::string bad = good;
      for (uint32_t n = 1 + random() % 4; n > 0; --n)
        bad[random() % bad.size()] = static_cast<char>(random());
      (void)read(bad);
    }
    EXPECT_EQ(budget.used(), 0u);
  }
}

TEST(RowTrace, NothingChangedIsNoSection) {
  Budget budget(kPlenty);
  RowTrace trace(budget, false);
  EXPECT_EQ(trace.change_bytes(), 0u);
  EXPECT_TRUE(TakeSections(trace).empty());
  EXPECT_TRUE(DumpSections(trace).empty());
}

}  // namespace
}  // namespace qn::trace
