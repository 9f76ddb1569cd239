// Distinct and the bag operators say, after any steps, what counting says.
#include "ops/distinct.h"

#include "ops/bag.h"
#include "ops/test_rows.h"

namespace qn::ops {
namespace {

constexpr uint64_t kPlenty = uint64_t{1} << 30;

// Random changes of rows that are all key.
void RandomKeys(std::mt19937& random, bool is_append_only, Sum& counts, Change& change) {
  for (size_t i = random() % 10; i > 0; --i) {
    const std::string key = "k" + std::to_string(random() % 8);
    int64_t weight = 1 + static_cast<int64_t>(random() % 3);
    if (!is_append_only && random() % 2 == 0) weight = -weight;
    AddTo(counts, key, weight);
    change.Add(key, "", weight);
  }
}

TEST(Distinct, IsEveryRowOnceWhileItIsThere) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const bool is_append_only = seed % 2 == 0;
    trace::Budget budget(kPlenty);
    Stepper distinct(std::make_unique<Distinct>(is_append_only, budget));
    Sum counts;
    for (int step = 0; step < 40; ++step) {
      Change change;
      RandomKeys(random, is_append_only, counts, change);
      distinct.Step(Inputs(change));
      Sum want;
      for (const auto& [key, count] : counts) {
        if (count > 0) want[key] = 1;
      }
      ASSERT_EQ(distinct.sum(), want) << "seed " << seed << ", step " << step;
      distinct.KeepChanges();
      if (step == 12) distinct.MoveByChanges(std::make_unique<Distinct>(is_append_only, budget));
      if (step == 25) distinct.MoveByDump(std::make_unique<Distinct>(is_append_only, budget));
    }
  }
}

TEST(Distinct, ARowThatComesAgainIsNoNews) {
  trace::Budget budget(kPlenty);
  Stepper distinct(std::make_unique<Distinct>(true, budget));
  Change first;
  first.Add("a", "", 1).Add("b", "", 5).Add("a", "", 1);
  EXPECT_EQ(distinct.Step(Inputs(first)), 2u);
  EXPECT_GT(distinct.KeepChanges(), 0u);
  Change again;
  again.Add("b", "", 1).Add("a", "", 1);
  EXPECT_EQ(distinct.Step(Inputs(again)), 0u);
  EXPECT_EQ(distinct.KeepChanges(), 0u);
}

TEST(Distinct, RowsThatCancelInAStepAreNoNews) {
  trace::Budget budget(kPlenty);
  Stepper distinct(std::make_unique<Distinct>(false, budget));
  Change change;
  change.Add("a", "", 1).Add("a", "", -1);
  EXPECT_EQ(distinct.Step(Inputs(change)), 0u);
  EXPECT_EQ(distinct.KeepChanges(), 0u);
  Change none;
  EXPECT_EQ(distinct.Step(Inputs(none)), 0u);
}

TEST(Distinct, TheOrderIsThatOfTheRows) {
  trace::Budget budget(kPlenty);
  Distinct distinct(true, budget);
  Change change;
  for (int i = 999; i >= 0; --i) change.Add(std::to_string(i), "", 1);
  std::vector<KeyedDelta> inputs = Inputs(change);
  Delta out;
  ASSERT_TRUE(distinct.Step(inputs, out).ok());
  ASSERT_EQ(out.rows.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(out.rows[static_cast<size_t>(i)].row, std::to_string(999 - i));
}

TEST(Bag, IsTheDifferenceOrTheLesserOfTheCounts) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const bool is_except = seed % 2 == 0;
    trace::Budget budget(kPlenty);
    Stepper bag(std::make_unique<Bag>(is_except, budget));
    Sum left;
    Sum right;
    for (int step = 0; step < 40; ++step) {
      Change a;
      Change b;
      RandomKeys(random, seed % 3 == 0, left, a);
      RandomKeys(random, seed % 3 == 0, right, b);
      bag.Step(Inputs(a, b));
      Sum want;
      for (const auto& [key, count] : left) {
        const int64_t other = right.contains(key) ? std::max<int64_t>(right[key], 0) : 0;
        const int64_t mine = std::max<int64_t>(count, 0);
        AddTo(want, key, is_except ? std::max<int64_t>(mine - other, 0) : std::min(mine, other));
      }
      ASSERT_EQ(bag.sum(), want) << "seed " << seed << ", step " << step;
      bag.KeepChanges();
      if (step == 12) bag.MoveByChanges(std::make_unique<Bag>(is_except, budget));
      if (step == 25) bag.MoveByDump(std::make_unique<Bag>(is_except, budget));
    }
  }
}

}  // namespace
}  // namespace qn::ops
