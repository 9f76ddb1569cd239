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
#include "duck/row_filter.h"

namespace qn::app {

// How the rows of a flow say where they came from.
enum class Origin : uint8_t {
  kRecord,  // arguments: __qn_raw BLOB, __qn_file UINTEGER, __qn_line BIGINT, then the rules
  kJson,    // arguments: the row as JSON text (NULL where every rule holds), then the rules
};

// Registered as qn_keep_<n>. Called from DuckDB's threads at the same time.
class Keep final : public duck::RowFilter {
 public:
  Keep(std::string dataset, std::string source, std::vector<ExpectationSpec> rules, Origin origin,
       DeadLetters& dead_letters);

  std::vector<Type> Arguments() const;
  Status Apply(std::span<const duck::ColumnIn> columns, size_t rows, bool* keep) override;

  void BeginStep(const std::vector<std::string>* files);  // of the slice, for Origin::kRecord

  // Since BeginStep:
  int64_t rows_in() const { return rows_in_.load(); }
  int64_t violations(size_t rule) const { return violations_[rule].load(); }
  // What expect_or_fail found, whole; DuckDB's own error repeats only its text.
  Status failure() const;

  const std::vector<ExpectationSpec>& rules() const { return rules_; }

 private:
  size_t first_rule() const { return origin_ == Origin::kRecord ? 3 : 1; }
  void ApplyRow(std::span<const duck::ColumnIn> columns, size_t row, bool* keep);
  DeadLetter Letter(std::span<const duck::ColumnIn> columns, size_t row, std::string rules) const;
  void Fail(const ExpectationSpec& rule, const DeadLetter& letter);

  std::string dataset_;
  std::string source_;
  std::vector<ExpectationSpec> rules_;
  Origin origin_;
  DeadLetters& dead_letters_;
  const std::vector<std::string>* files_ = nullptr;
  std::atomic<int64_t> rows_in_{0};
  std::vector<std::atomic<int64_t>> violations_;
  mutable std::mutex mutex_;
  Status failure_;
};

}  // namespace qn::app
