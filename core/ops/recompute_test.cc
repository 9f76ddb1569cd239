// The kept answer is, after any steps, the answer over all rows; only what differs is emitted.
#include "ops/recompute.h"

#include <algorithm>

#include "ops/test_rows.h"

namespace qn::ops {
namespace {

constexpr uint64_t kPlenty = uint64_t{1} << 30;

// The operator under test stands for SQL: of each key's rows ("key:value", repeated by weight) the least two,
// numbered, and how many there are on each input. With `has_keys` false all rows are one key, and "n=0" is
// there over nothing.
using Rows = std::vector<std::string>;

std::string KeyOf(const std::string& row, bool has_keys) {
  return has_keys ? row.substr(0, row.find(':')) : "";
}

std::map<std::string, Rows> AnswerOf(std::vector<Rows> inputs, bool has_keys) {
  std::map<std::string, std::vector<Rows>> by_key;
  if (!has_keys) by_key[""].resize(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::sort(inputs[i].begin(), inputs[i].end());
    for (const std::string& row : inputs[i]) {
      std::vector<Rows>& rows = by_key[KeyOf(row, has_keys)];
      rows.resize(inputs.size());
      rows[i].push_back(row);
    }
  }
  std::map<std::string, Rows> answer;
  for (const auto& [key, rows] : by_key) {
    std::string counts = key + " n=";
    for (const Rows& of_input : rows) counts += std::to_string(of_input.size()) + ",";
    answer[key].push_back(counts);
    for (size_t n = 0; n < std::min<size_t>(rows[0].size(), 2); ++n) answer[key].push_back(rows[0][n]);
  }
  return answer;
}

// The rows as a scan would show them.
Rows Read(const GatheredInput& input) {
  Rows rows;
  for (const trace::KeyRef key : input.keys) {
    input.trace->ForEach(key, [&](std::string_view row, int64_t weight) {
      rows.insert(rows.end(), static_cast<size_t>(weight), std::string(row));
    });
  }
  for (const KeyedRow& row : input.added) {
    rows.insert(rows.end(), static_cast<size_t>(row.weight), std::string(row.row));
  }
  return rows;
}

void Write(const std::map<std::string, Rows>& answer, KeyedDelta& out) {
  out.bytes.push_back(std::make_unique<Arena>());
  for (const auto& [key, rows] : answer) {
    for (const std::string& row : rows) {
      out.rows.push_back({out.bytes[0]->Store(key), out.bytes[0]->Store(row), 1, false});
    }
  }
}

Evaluate Sql(bool has_keys, size_t* rows_read) {
  return [has_keys, rows_read](GatheredRows& rows, KeyedDelta& answer) {
    std::vector<Rows> inputs;
    for (const GatheredInput& input : rows) {
      inputs.push_back(Read(input));
      if (rows_read != nullptr) *rows_read += inputs.back().size();
    }
    Write(AnswerOf(std::move(inputs), has_keys), answer);
    return Ok();
  };
}

// All rows so far of one input; deletes only what is there.
struct Held {
  void Random(std::mt19937& random, bool is_append_only, bool has_keys, Change& change) {
    for (size_t i = random() % 8; i > 0; --i) {
      if (!is_append_only && !rows.empty() && random() % 2 == 0) {
        const size_t at = random() % rows.size();
        change.Add(KeyOf(rows[at], has_keys), rows[at], -1);
        rows.erase(rows.begin() + static_cast<ptrdiff_t>(at));
        continue;
      }
      const int64_t weight = random() % 4 == 0 ? 3 : 1;
      const std::string row = "k" + std::to_string(random() % 5) + ":" + std::to_string(random() % 9);
      change.Add(KeyOf(row, has_keys), row, weight);
      rows.insert(rows.end(), static_cast<size_t>(weight), row);
    }
    if (!is_append_only) {  // cancels in the step, also for a key that is not there
      change.Add(has_keys ? "k9" : "", "k9:0", 1).Add(has_keys ? "k9" : "", "k9:0", -1);
    }
  }
  Rows rows;
};

Sum SumOf(const std::map<std::string, Rows>& answer) {
  Sum sum;
  for (const auto& [key, rows] : answer) {
    for (const std::string& row : rows) AddTo(sum, row, 1);
  }
  return sum;
}

TEST(Recompute, IsTheAnswerOverAllRows) {
  for (unsigned seed = 0; seed < 80; ++seed) {
    std::mt19937 random(seed);
    RecomputeOptions options;
    options.has_keys = seed % 4 != 0;
    options.is_append_only = {seed % 3 == 0, seed % 5 == 0};
    trace::Budget budget(kPlenty);
    const Evaluate sql = Sql(options.has_keys, nullptr);
    Stepper recompute(std::make_unique<Recompute>(options, sql, budget));
    Held left;
    Held right;
    for (int step = 0; step < 30; ++step) {
      Change a;
      Change b;
      if (step > 0) {  // the first has no rows
        left.Random(random, options.is_append_only[0], options.has_keys, a);
        right.Random(random, options.is_append_only[1], options.has_keys, b);
      }
      recompute.Step(Inputs(a, b));
      ASSERT_EQ(recompute.sum(), SumOf(AnswerOf({left.rows, right.rows}, options.has_keys)))
          << "seed " << seed << ", step " << step;
      recompute.KeepChanges();
      if (step == 10) recompute.MoveByChanges(std::make_unique<Recompute>(options, sql, budget));
      if (step == 20) recompute.MoveByDump(std::make_unique<Recompute>(options, sql, budget));
    }
  }
}

TEST(Recompute, ReadsOnlyKeysThatChanged) {
  trace::Budget budget(kPlenty);
  size_t rows_read = 0;
  Stepper recompute(
      std::make_unique<Recompute>(RecomputeOptions{{false}, true, false}, Sql(true, &rows_read), budget));
  Change all;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i % 100);
    all.Add(key, key + ":" + std::to_string(i), 1);
  }
  recompute.Step(Inputs(all));
  EXPECT_EQ(rows_read, 1000u);
  Change one;
  one.Add("k7", "k7:new", 1).Add("k8", "k8:no", 1).Add("k8", "k8:no", -1);
  EXPECT_EQ(recompute.Step(Inputs(one)), 2u);  // the count: old and new; the least two stay
  EXPECT_EQ(rows_read, 1011u);
  Change none;
  none.Add("k8", "k8:no", 1).Add("k8", "k8:no", -1);
  EXPECT_EQ(recompute.Step(Inputs(none)), 0u);
  EXPECT_EQ(rows_read, 1011u);
}

TEST(Recompute, AKeyWhoseRowsAllWentIsNotAskedFor) {
  trace::Budget budget(kPlenty);
  size_t calls = 0;
  const Evaluate sql = Sql(true, nullptr);
  Stepper recompute(std::make_unique<Recompute>(
      RecomputeOptions{{false}, true, false},
      [&](GatheredRows& rows, KeyedDelta& answer) {
        ++calls;
        return sql(rows, answer);
      },
      budget));
  Change come;
  come.Add("k", "k:1", 1);
  recompute.Step(Inputs(come));
  Change go;
  go.Add("k", "k:1", -1);
  EXPECT_EQ(recompute.Step(Inputs(go)), 2u);
  EXPECT_EQ(calls, 1u);
  EXPECT_TRUE(recompute.sum().empty());
  for (trace::Trace* trace : recompute.op().Traces()) {
    EXPECT_EQ(static_cast<trace::RowTrace*>(trace)->rows(), 0u);
  }
}

TEST(Recompute, WithoutKeysNothingHasAnAnswer) {
  trace::Budget budget(kPlenty);
  Stepper recompute(
      std::make_unique<Recompute>(RecomputeOptions{{true}, false, false}, Sql(false, nullptr), budget));
  EXPECT_TRUE(recompute.op().IsDue());
  Change none;
  EXPECT_EQ(recompute.Step(Inputs(none)), 1u);
  EXPECT_EQ(recompute.sum(), (Sum{{" n=0,", 1}}));
  EXPECT_FALSE(recompute.op().IsDue());
  // A restored one asks again and has nothing new to say.
  recompute.MoveByDump(
      std::make_unique<Recompute>(RecomputeOptions{{true}, false, false}, Sql(false, nullptr), budget));
  EXPECT_TRUE(recompute.op().IsDue());
  Change still_none;
  EXPECT_EQ(recompute.Step(Inputs(still_none)), 0u);
}

// The least three rows of each key: of the last answer and the new rows they are the least three of all.
Evaluate LeastThree(bool has_keys, size_t* rows_read) {
  return [has_keys, rows_read](GatheredRows& rows, KeyedDelta& out) {
    Rows all = Read(rows[0]);
    *rows_read += all.size();
    std::sort(all.begin(), all.end());
    std::map<std::string, Rows> answer;
    for (const std::string& row : all) {
      Rows& least = answer[KeyOf(row, has_keys)];
      if (least.size() < 3) least.push_back(row);
    }
    Write(answer, out);
    return Ok();
  };
}

TEST(Recompute, KeepsTheAnswerOnly) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const bool has_keys = seed % 2 == 0;
    const RecomputeOptions options{{true}, has_keys, true};
    trace::Budget budget(kPlenty);
    size_t rows_read = 0;
    const Evaluate sql = LeastThree(has_keys, &rows_read);
    Stepper top(std::make_unique<Recompute>(options, sql, budget));
    Held held;
    for (int step = 0; step < 60; ++step) {
      Change change;
      held.Random(random, true, has_keys, change);
      top.Step(Inputs(change));
      Sum want;
      std::map<std::string, int> counts;
      std::sort(held.rows.begin(), held.rows.end());
      for (const std::string& row : held.rows) {
        if (counts[KeyOf(row, has_keys)]++ < 3) AddTo(want, row, 1);
      }
      ASSERT_EQ(top.sum(), want) << "seed " << seed << ", step " << step;
      top.KeepChanges();
      if (step == 20) top.MoveByChanges(std::make_unique<Recompute>(options, sql, budget));
      if (step == 40) top.MoveByDump(std::make_unique<Recompute>(options, sql, budget));
    }
    EXPECT_EQ(top.op().Traces().size(), 1u);
    EXPECT_LT(rows_read, 60u * 21 + 60u * 15);  // never the history
  }
}

TEST(Recompute, RowsOwedAreAnError) {
  trace::Budget budget(kPlenty);
  Recompute recompute({{true, false}, true, false}, Sql(true, nullptr), budget);
  Change left;
  Change right;
  left.Add("k", "k:1", 1);
  right.Add("k", "k:2", -1).Add("k", "k:3", -2).Add("k", "k:4", 1);
  std::vector<KeyedDelta> inputs = Inputs(left, right);
  Delta out;
  EXPECT_EQ(recompute.Step(inputs, out).ToString(),
            "QN-3511  2 rows were taken back more often than they had come.\n"
            "  Found in 1 changed key of input 2, whose rows are answered anew.\n"
            "  The step was not committed; everything before it is.\n"
            "  Look for a source that deletes rows which it never sent; if there is none, report this.");
}

TEST(Recompute, TheFailureOfTheSqlIsTheStepsFailure) {
  trace::Budget budget(kPlenty);
  Recompute recompute(
      {{true}, true, false},
      [](GatheredRows&, KeyedDelta&) { return Failed("QN-1801", "Out of Range Error"); }, budget);
  Change change;
  change.Add("k", "k:1", 1);
  std::vector<KeyedDelta> inputs = Inputs(change);
  Delta out;
  EXPECT_EQ(recompute.Step(inputs, out).code(), "QN-1801");
}

}  // namespace
}  // namespace qn::ops
