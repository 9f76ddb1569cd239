// One slice of a source as a DuckDB scan: blocks in, decoded columns out, on all threads. Also counts rows,
// collects what could not be decoded, and follows the event time.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/dead_letters.h"
#include "contract/source.h"
#include "duck/scan.h"
#include "formats/decoder.h"

namespace qn::app {

// The first failure of a step, whole: what crosses DuckDB is only its text.
class FirstFailure {
 public:
  Status Keep(Status status) {
    const std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = status;
    return status;
  }
  Status Get() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  void Clear() {
    const std::lock_guard lock(mutex_);
    status_ = Ok();
  }

 private:
  mutable std::mutex mutex_;
  Status status_;
};

// Registered once for one (flow, source); a new slice is set before each step. Columns(): the declared ones,
// then the three hidden ones, then nothing else.
class LineScan final : public duck::Scan {
 public:
  LineScan(std::string source, Schema declared, const Format& format, int event_time_column, int threads,
           DeadLetters& dead_letters);

  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override;

  // nullptr: no rows. `file_base` is added to the numbers in __qn_file: a flow may read several sources.
  void SetSlice(Slice* slice, uint32_t file_base);

  // Since SetSlice:
  int64_t rows() const { return rows_.load(); }
  int64_t rejects() const { return rejects_.load(); }
  // Largest event time seen, in microseconds; the lowest int64 when there was none.
  int64_t event_time_max() const { return event_time_max_.load(); }
  Status failure() const { return failure_.Get(); }

 private:
  class Run;
  class Thread;
  class Refused;

  std::string source_;
  size_t declared_;
  Schema columns_;
  const Format& format_;
  int event_time_column_;
  int threads_;
  DeadLetters& dead_letters_;
  Slice* slice_ = nullptr;
  uint32_t file_base_ = 0;
  std::atomic<int> runs_{0};  // since SetSlice: a statement may name the source twice
  FirstFailure failure_;
  std::atomic<int64_t> rows_{0};
  std::atomic<int64_t> rejects_{0};
  std::atomic<int64_t> event_time_max_{std::numeric_limits<int64_t>::min()};
};

// Names of the hidden columns, as in the fragments.
inline constexpr const char* kRawColumn = "__qn_raw";
inline constexpr const char* kFileColumn = "__qn_file";
inline constexpr const char* kLineColumn = "__qn_line";

}  // namespace qn::app
