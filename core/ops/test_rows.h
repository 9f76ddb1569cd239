// For tests of operators: rows as short texts, deltas added up, memory copied from one operator to another.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/delta.h"
#include "ops/operator.h"
#include "trace/test_sections.h"

namespace qn::ops {

// One input's change being written, its bytes included.
class Change {
 public:
  Change() { delta_.bytes.push_back(std::make_unique<Arena>()); }

  Change& Add(std::string_view key, std::string_view row, int64_t weight, bool has_null_key = false) {
    delta_.rows.push_back({Bytes(key), Bytes(row), weight, has_null_key});
    return *this;
  }
  KeyedDelta Take() { return std::move(delta_); }

 private:
  std::string_view Bytes(std::string_view text) {
    return text.empty() ? std::string_view("") : delta_.bytes[0]->Store(text);
  }
  KeyedDelta delta_;
};

// Rows by their weight; those of weight 0 are not in it. Of a pair: "left/right", "-" where nothing is.
using Sum = std::map<std::string, int64_t>;

inline void AddTo(Sum& sum, const std::string& row, int64_t weight) {
  if ((sum[row] += weight) == 0) sum.erase(row);
}

inline std::string Text(const DeltaRow& row, bool is_pair) {
  const auto part = [](std::string_view bytes) {
    return bytes.data() == nullptr ? std::string("-") : std::string(bytes);
  };
  return is_pair ? part(row.row) + "/" + part(row.right) : part(row.row);
}

// Runs steps of an operator and adds up its answers, as the run does.
class Stepper {
 public:
  explicit Stepper(std::unique_ptr<Operator> op, bool is_pair = false)
      : op_(std::move(op)), is_pair_(is_pair) {}

  // The rows that the step emitted.
  size_t Step(std::vector<KeyedDelta> inputs) {
    Delta out;
    const Status status = op_->Step(inputs, out);
    EXPECT_TRUE(status.ok()) << status.ToString();
    for (const DeltaRow& row : out.rows) {
      EXPECT_NE(row.weight, 0);
      AddTo(sum_, Text(row, is_pair_), row.weight);
    }
    for (trace::Trace* trace : op_->Traces()) trace->EndStep();
    return out.rows.size();
  }

  // Goes on in `fresh`, an operator made in the same way, from a dump of everything.
  void MoveByDump(std::unique_ptr<Operator> fresh) {
    const std::vector<trace::Trace*> from = op_->Traces();
    const std::vector<trace::Trace*> to = fresh->Traces();
    ASSERT_EQ(from.size(), to.size());
    for (size_t i = 0; i < from.size(); ++i) {
      std::string section = trace::DumpSection(*from[i]);
      if (section.empty()) continue;
      const Status status = to[i]->Apply(section);
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
    op_ = std::move(fresh);
    changes_.clear();
    for (const trace::Trace* trace : op_->Traces()) changes_.push_back(trace::DumpSections(*trace));
  }

  // What a checkpoint would store of the last step.
  size_t KeepChanges() {
    const std::vector<trace::Trace*> traces = op_->Traces();
    changes_.resize(traces.size());
    size_t bytes = 0;
    for (size_t i = 0; i < traces.size(); ++i) {
      std::string section = trace::TakeSection(*traces[i]);
      bytes += section.size();
      if (!section.empty()) changes_[i].push_back(std::move(section));
    }
    return bytes;
  }
  // Goes on in `fresh` from everything that KeepChanges kept.
  void MoveByChanges(std::unique_ptr<Operator> fresh) {
    const std::vector<trace::Trace*> to = fresh->Traces();
    for (size_t i = 0; i < to.size(); ++i) {
      for (const std::string& section : changes_[i]) {
        if (section.empty()) continue;
        const Status status = to[i]->Apply(section);
        ASSERT_TRUE(status.ok()) << status.ToString();
      }
    }
    op_ = std::move(fresh);
  }

  const Sum& sum() const { return sum_; }
  Operator& op() { return *op_; }

 private:
  std::unique_ptr<Operator> op_;
  bool is_pair_;
  Sum sum_;
  std::vector<std::vector<std::string>> changes_;  // of each trace
};

inline std::vector<KeyedDelta> Inputs(Change& one) {
  std::vector<KeyedDelta> inputs;
  inputs.push_back(one.Take());
  return inputs;
}
inline std::vector<KeyedDelta> Inputs(Change& left, Change& right) {
  std::vector<KeyedDelta> inputs = Inputs(left);
  inputs.push_back(right.Take());
  return inputs;
}

// What one side holds, and random changes of it.
class Side {
 public:
  struct Row {
    std::string key;
    std::string row;
    bool has_null_key;
    auto operator<=>(const Row&) const = default;  // NOLINT(modernize-use-nullptr): what it compares with
  };

  // Few keys and rows, so that everything meets; every tenth row has the hot key "k0".
  void Random(std::mt19937& random, bool is_append_only, Change& change) {
    const auto pick = [&random](int count) {
      return static_cast<int>(random() % static_cast<unsigned>(count));
    };
    for (int i = pick(12); i > 0; --i) {
      const std::string key = pick(10) == 0 ? "k0" : "k" + std::to_string(pick(6));
      Row row{key, key + ":" + std::to_string(pick(5)), pick(12) == 0};
      if (row.has_null_key) row.key = row.row = "null";
      int64_t weight = pick(8) == 0 ? 2 + pick(3) : 1;
      if (!is_append_only && pick(2) == 0) weight = -weight;
      // Mostly what is there is deleted; at times what will only come.
      if (weight < 0 && pick(6) != 0 && rows[row] <= 0) weight = -weight;
      Add(row, weight, change);
      if (!is_append_only && pick(5) == 0) Add(row, -weight, change);  // cancels in the step
    }
    std::erase_if(rows, [](const auto& row) { return row.second == 0; });
  }
  void Add(const Row& row, int64_t weight, Change& change) {
    rows[row] += weight;
    change.Add(row.key, row.row, weight, row.has_null_key);
  }
  int64_t Weight(const std::string& key) const {
    int64_t weight = 0;
    for (const auto& [row, count] : rows) weight += !row.has_null_key && row.key == key ? count : 0;
    return weight;
  }

  std::map<Row, int64_t> rows;
};

}  // namespace qn::ops
