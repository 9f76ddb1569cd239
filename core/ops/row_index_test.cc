// Numbers in the order of coming, whatever the hash; sums of equal rows.
#include "ops/row_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace qn::ops {
namespace {

TEST(RowIndex, NumbersInOrderOfComing) {
  RowIndex index;
  index.Reset(0);
  EXPECT_EQ(index.Put("b"), 0u);
  EXPECT_EQ(index.Put("a"), 1u);
  EXPECT_EQ(index.Put("b"), 0u);
  EXPECT_EQ(index.Put(""), 2u);
  EXPECT_EQ(index.Find("a"), 1u);
  EXPECT_EQ(index.Find("c"), RowIndex::kNone);
  EXPECT_EQ(index.key(1), "a");
  index.Reset(0);
  EXPECT_EQ(index.size(), 0u);
  EXPECT_EQ(index.Find("a"), RowIndex::kNone);
}

TEST(RowIndex, BeforeResetNothingIsFound) {
  RowIndex index;
  EXPECT_EQ(index.Find("a"), RowIndex::kNone);
  EXPECT_EQ(index.Put("a"), 0u);
}

TEST(RowIndex, KeyAndRowAreNotOneText) {
  RowIndex index;
  index.Reset(4);
  EXPECT_EQ(index.Put("ab", "c"), 0u);
  EXPECT_EQ(index.Put("a", "bc"), 1u);
  EXPECT_EQ(index.Put("abc"), 2u);
  EXPECT_EQ(index.row(1), "bc");
}

TEST(RowIndex, GrowsAndKeepsLengthsApart) {
  RowIndex index;
  index.Reset(1);
  std::vector<std::string> keys;
  for (size_t i = 0; i < 3000; ++i) keys.push_back(std::string(i % 50, 'x') + std::to_string(i));
  for (size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(index.Put(keys[i]), i);
  // Zeros at the end must not vanish in the hash or the comparison.
  const std::string zeros(40, '\0');
  for (size_t i = 0; i < zeros.size(); ++i) ASSERT_EQ(index.Put(zeros.substr(0, i)), 3000 + i);
  for (size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(index.Find(keys[i]), i);
}

TEST(RowIndex, ManyAtOnceAreTheSameAsOneByOne) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back(std::to_string(i * 7 % 300));
  std::vector<KeyedRow> rows;
  for (const std::string& text : texts) rows.push_back({text, "r", 1, false});
  RowIndex one;
  RowIndex many;
  one.Reset(8);
  many.Reset(8);
  std::vector<uint32_t> numbers;
  many.PutKeys(rows, numbers);
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(numbers[i], one.Put(rows[i].key));
  many.PutRows(rows, numbers);  // beside the keys alone
  EXPECT_EQ(many.size(), 600u);
}

TEST(Consolidate, AddsUpEqualRows) {
  trace::Budget budget(uint64_t{1} << 40);
  std::vector<KeyedRow> rows = {{"a", "1", 1, false}, {"b", "1", 2, false},  {"a", "1", -1, false},
                                {"a", "2", 1, false}, {"b", "1", -3, false}, {"c", "", 0, false}};
  ASSERT_TRUE(Consolidate(rows, budget).ok());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].key, "b");
  EXPECT_EQ(rows[0].weight, -1);
  EXPECT_EQ(rows[1].row, "2");
  rows = {{"a", "1", 0, false}};
  ASSERT_TRUE(Consolidate(rows, budget).ok());
  EXPECT_TRUE(rows.empty());
  ASSERT_TRUE(Consolidate(rows, budget).ok());
  EXPECT_TRUE(rows.empty());
}

TEST(Consolidate, IsTheSumOfRandomRows) {
  trace::Budget budget(uint64_t{1} << 40);
  std::mt19937 random(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back("row " + std::to_string(i));
  for (int round = 0; round < 200; ++round) {
    std::vector<KeyedRow> rows;
    std::map<std::pair<std::string_view, std::string_view>, int64_t> want;
    for (size_t i = random() % 100; i > 0; --i) {
      KeyedRow row{texts[random() % 5], texts[random() % 40], static_cast<int64_t>(random() % 5) - 2, false};
      want[{row.key, row.row}] += row.weight;
      rows.push_back(row);
    }
    std::erase_if(want, [](const auto& entry) { return entry.second == 0; });
    ASSERT_TRUE(Consolidate(rows, budget).ok());
    ASSERT_EQ(rows.size(), want.size());
    for (const KeyedRow& row : rows) ASSERT_EQ(row.weight, (want[{row.key, row.row}]));
  }
}

}  // namespace
}  // namespace qn::ops
