// The rules of one dataset over rows in flight: counts violations, drops, quarantines, or stops the step.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/line_scan.h"
#include "app/spec.h"
#include "duck/vector.h"

namespace qn::app {

// The files that the rows in flight may come from: the number in __qn_file counts through all of them.
struct OriginFiles {
  std::vector<std::string> sources;  // name of the source of each file
  std::vector<std::string> paths;
};

// Its arguments, at the front of a table sink's: raw BLOB (may be NULL where every rule holds), file
// UINTEGER, line BIGINT, then a BOOLEAN for each rule. Called from DuckDB's threads at the same time.
class Keep final {
 public:
  // `source` names where rows without a file come from.
  Keep(std::string dataset, std::string source, std::vector<ExpectationSpec> rules,
       DeadLetters& dead_letters);

  std::vector<Type> Arguments() const;
  size_t argument_count() const { return kFirstRule + rules_.size(); }
  // `weights`, when given: a row below 0 is taken back. It goes the way that it came, uncounted and without a
  // letter: a dead letter tells what was found when it was found.
  Status Apply(std::span<const duck::ColumnIn> columns, size_t rows, bool* keep,
               const int64_t* weights = nullptr);

  void BeginStep(OriginFiles files);
  void ClearCounts();

  // Since BeginStep or ClearCounts:
  int64_t rows_in() const { return rows_in_.load(); }
  int64_t rows_dropped() const { return rows_dropped_.load(); }
  int64_t rows_quarantined() const { return rows_quarantined_.load(); }
  int64_t violations(size_t rule) const { return violations_[rule].load(); }
  // What expect_or_fail found, whole; DuckDB's own error repeats only its text.
  Status failure() const;

  const std::vector<ExpectationSpec>& rules() const { return rules_; }

 private:
  static constexpr size_t kFirstRule = 3;
  void ApplyRow(std::span<const duck::ColumnIn> columns, size_t row, int64_t times, bool* keep);
  bool Stays(std::span<const duck::ColumnIn> columns, size_t row) const;
  DeadLetter Letter(std::span<const duck::ColumnIn> columns, size_t row, std::string rules) const;
  void Fail(const ExpectationSpec& rule, const DeadLetter& letter);

  std::string dataset_;
  std::string source_;
  std::vector<ExpectationSpec> rules_;
  DeadLetters& dead_letters_;
  OriginFiles files_;
  std::atomic<int64_t> rows_in_{0};
  std::atomic<int64_t> rows_dropped_{0};
  std::atomic<int64_t> rows_quarantined_{0};
  std::vector<std::atomic<int64_t>> violations_;
  mutable std::mutex mutex_;
  Status failure_;
};

}  // namespace qn::app
