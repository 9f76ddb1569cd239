// Every kind of join is, after any steps, what a nested loop over both sides says.
#include "ops/join.h"

#include "ops/test_rows.h"

namespace qn::ops {
namespace {

constexpr uint64_t kPlenty = uint64_t{1} << 30;

Sum NestedLoop(const JoinOptions& options, const Side& left, const Side& right) {
  Sum sum;
  for (const auto& [a, count] : left.rows) {
    const bool is_matched = !a.has_null_key && right.Weight(a.key) > 0;
    if (options.emits_left_unmatched && !is_matched) AddTo(sum, a.row + "/-", count);
    if (options.emits_left_matched && is_matched) AddTo(sum, a.row + "/-", count);
    for (const auto& [b, other] : right.rows) {
      if (!options.emits_pairs || a.has_null_key || b.has_null_key || a.key != b.key) continue;
      AddTo(sum, a.row + "/" + b.row, count * other);
    }
  }
  for (const auto& [b, count] : right.rows) {
    const bool is_matched = !b.has_null_key && left.Weight(b.key) > 0;
    if (options.emits_right_unmatched && !is_matched) AddTo(sum, "-/" + b.row, count);
  }
  return sum;
}

std::vector<JoinOptions> AllKinds() {
  std::vector<JoinOptions> kinds;
  for (int bits = 1; bits < 64; ++bits) {
    JoinOptions options;
    options.emits_pairs = (bits & 1) != 0;
    options.emits_left_unmatched = (bits & 2) != 0;
    options.emits_right_unmatched = (bits & 4) != 0;
    options.emits_left_matched = (bits & 8) != 0;
    options.is_left_append_only = (bits & 16) != 0;
    options.is_right_append_only = (bits & 32) != 0;
    if (bits % 16 != 0) kinds.push_back(options);
  }
  return kinds;
}

TEST(Join, IsTheNestedLoopAfterEveryStep) {
  unsigned seed = 0;
  for (const JoinOptions& options : AllKinds()) {
    for (int round = 0; round < 6; ++round) {
      std::mt19937 random(++seed);
      trace::Budget budget(kPlenty);
      Stepper join(std::make_unique<Join>(options, budget), true);
      Side left;
      Side right;
      for (int step = 0; step < 25; ++step) {
        Change a;
        Change b;
        left.Random(random, options.is_left_append_only, a);
        right.Random(random, options.is_right_append_only, b);
        join.Step(Inputs(a, b));
        ASSERT_EQ(join.sum(), NestedLoop(options, left, right)) << "seed " << seed << ", step " << step;
        join.KeepChanges();
        if (step == 8) join.MoveByChanges(std::make_unique<Join>(options, budget));
        if (step == 16) join.MoveByDump(std::make_unique<Join>(options, budget));
      }
    }
  }
}

JoinOptions Pairs() {
  JoinOptions options;
  options.emits_pairs = true;
  return options;
}

TEST(Join, AHotKeyCostsWhatItChanges) {
  for (const bool is_append_only : {false, true}) {
    trace::Budget budget(kPlenty);
    JoinOptions options = Pairs();
    options.is_left_append_only = options.is_right_append_only = is_append_only;
    auto owned = std::make_unique<Join>(options, budget);
    const Join& visits = *owned;
    Stepper join(std::move(owned), true);
    Change left;
    Change right;
    for (int i = 0; i < 1000; ++i) left.Add("hot", "a" + std::to_string(i), 1);
    EXPECT_EQ(join.Step(Inputs(left, right)), 0u);
    // One row comes on the other side: a pair with each of the 1000, and no more is looked at.
    Change none;
    Change one;
    one.Add("hot", "b", 1);
    EXPECT_EQ(join.Step(Inputs(none, one)), 1000u);
    EXPECT_EQ(visits.rows_visited(), 1000u);
    // A hundred come here: a pair with the one, not with each other.
    Change more;
    Change nothing;
    for (int i = 0; i < 100; ++i) more.Add("hot", "c" + std::to_string(i), 1);
    EXPECT_EQ(join.Step(Inputs(more, nothing)), 100u);
    EXPECT_EQ(visits.rows_visited(), 1100u);
  }
}

TEST(Join, WhatAStepTakesBackCostsNothing) {
  trace::Budget budget(kPlenty);
  auto owned = std::make_unique<Join>(Pairs(), budget);
  const Join& visits = *owned;
  Stepper join(std::move(owned), true);
  Change left;
  Change right;
  for (int i = 0; i < 500; ++i) right.Add("hot", "b" + std::to_string(i), 1);
  join.Step(Inputs(left, right));
  // Rows that come and go in the step, and rows that replace each other on both sides.
  Change a;
  Change b;
  for (int i = 0; i < 500; ++i) {
    a.Add("hot", "gone" + std::to_string(i), 1);
    a.Add("hot", "gone" + std::to_string(i), -1);
  }
  EXPECT_EQ(join.Step(Inputs(a, b)), 0u);
  EXPECT_EQ(visits.rows_visited(), 0u);
  Change come;
  Change go;
  for (int i = 0; i < 500; ++i) {
    come.Add("hot", "new" + std::to_string(i), 1);
    go.Add("hot", "b" + std::to_string(i), -1);
  }
  EXPECT_EQ(join.Step(Inputs(come, go)), 0u);
  EXPECT_EQ(visits.rows_visited(), 0u);
  // And the other way: all pairs are real, each is emitted once.
  Change leave;
  Change enter;
  for (int i = 0; i < 500; ++i) leave.Add("hot", "new" + std::to_string(i), -1);
  enter.Add("hot", "late", 1);
  EXPECT_EQ(join.Step(Inputs(leave, enter)), 0u);
  EXPECT_TRUE(join.sum().empty());
}

TEST(Join, AHotKeyTurnsOnce) {
  JoinOptions options;
  options.emits_left_unmatched = true;
  trace::Budget budget(kPlenty);
  auto owned = std::make_unique<Join>(options, budget);
  const Join& visits = *owned;
  Stepper join(std::move(owned), true);
  Change left;
  Change right;
  for (int i = 0; i < 1000; ++i) left.Add("hot", "a" + std::to_string(i), 1);
  EXPECT_EQ(join.Step(Inputs(left, right)), 1000u);
  for (int round = 0; round < 3; ++round) {  // the first turns the key, the others only add to its weight
    Change none;
    Change more;
    for (int i = 0; i < 100; ++i) more.Add("hot", "b" + std::to_string(i), 1);
    EXPECT_EQ(join.Step(Inputs(none, more)), round == 0 ? 1000u : 0u);
    EXPECT_EQ(visits.rows_visited(), 1000u);
  }
  EXPECT_TRUE(join.sum().empty());
}

TEST(Join, OfASideThatIsOnlyAskedForKeysNoRowsAreKept) {
  JoinOptions options;
  options.emits_left_matched = true;
  options.is_right_append_only = true;
  trace::Budget budget(kPlenty);
  Join join(options, budget);
  Change left;
  Change right;
  for (int i = 0; i < 1000; ++i) right.Add("k", "row " + std::to_string(i), 1);
  std::vector<KeyedDelta> inputs = Inputs(left, right);
  Delta out;
  ASSERT_TRUE(join.Step(inputs, out).ok());
  EXPECT_EQ(static_cast<trace::RowTrace*>(join.Traces()[1])->rows(), 1u);
}

TEST(Join, NullKeysAreNotRemembered) {
  JoinOptions options = Pairs();
  options.emits_left_unmatched = true;
  trace::Budget budget(kPlenty);
  Stepper join(std::make_unique<Join>(options, budget), true);
  Change left;
  Change right;
  left.Add("null", "a", 2, true);
  right.Add("null", "b", 1, true);
  EXPECT_EQ(join.Step(Inputs(left, right)), 1u);
  EXPECT_EQ(join.sum(), (Sum{{"a/-", 2}}));
  for (trace::Trace* trace : join.op().Traces()) {
    EXPECT_EQ(static_cast<trace::RowTrace*>(trace)->rows(), 0u);
  }
}

TEST(Join, TheBudgetEndsIt) {
  trace::Budget budget(1 << 16);
  Join join(Pairs(), budget);
  Change left;
  Change right;
  for (int i = 0; i < 10'000; ++i) left.Add("k" + std::to_string(i), std::string(100, 'x'), 1);
  std::vector<KeyedDelta> inputs = Inputs(left, right);
  Delta out;
  EXPECT_EQ(join.Step(inputs, out).code(), "QN-3601");
}

// What is remembered is small, its pairs are not.
TEST(Join, PairsBeyondTheBudgetAreNotMade) {
  trace::Budget budget(64 << 20);
  Join join(Pairs(), budget);
  Change left;
  Change right;
  for (int i = 0; i < 5000; ++i) {
    left.Add("hot", "l" + std::to_string(i), 1);
    right.Add("hot", "r" + std::to_string(i), 1);
  }
  std::vector<KeyedDelta> inputs = Inputs(left, right);
  Delta out;
  const Status status = join.Step(inputs, out);
  EXPECT_EQ(status.code(), "QN-3601");
  EXPECT_LE(out.held(), budget.bytes_max());
  EXPECT_LE(budget.used(), uint64_t{4} << 20) << "what the step held is given back";
  for (trace::Trace* trace : join.Traces()) trace->Clear();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Join, RowsOfATurnedKeyBeyondTheBudgetAreNotMade) {
  trace::Budget budget(32 << 20);
  JoinOptions options;
  options.emits_left_unmatched = true;
  options.emits_pairs = true;
  Join join(options, budget);
  Change none;
  for (int part = 0; part < 40; ++part) {
    Change left;
    for (int i = 0; i < 5000; ++i) left.Add("hot", std::to_string(part) + "/" + std::to_string(i), 1);
    std::vector<KeyedDelta> inputs = Inputs(left, none);
    Delta out;
    ASSERT_TRUE(join.Step(inputs, out).ok()) << part;
    for (trace::Trace* trace : join.Traces()) {
      ASSERT_TRUE(trace->TakeChanges([](std::string_view) { return Ok(); }).ok());
      trace->EndStep();
    }
  }
  Change right;
  right.Add("hot", "r", 1);
  std::vector<KeyedDelta> inputs = Inputs(none, right);
  Delta out;
  EXPECT_EQ(join.Step(inputs, out).code(), "QN-3601");
}

}  // namespace
}  // namespace qn::ops
