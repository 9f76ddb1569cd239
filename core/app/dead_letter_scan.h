// Dead letters of a step as a DuckDB scan, to be written to <dataset>__dead_letters by the same COPY as rows.
#pragma once

#include <memory>
#include <vector>

#include "contract/sink.h"
#include "data/dead_letter.h"
#include "duck/scan.h"

namespace qn::app {

class DeadLetterScan final : public duck::Scan {
 public:
  DeadLetterScan();
  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<duck::ScanRun>> Begin(std::span<const int> columns) override;

  // What the next statements see; they stay until the next Set.
  void Set(std::vector<DeadLetter> letters, Epoch epoch, int64_t time_ms);

 private:
  class Run;
  class Thread;
  Schema columns_;
  std::vector<DeadLetter> letters_;
  Epoch epoch_ = 0;
  int64_t time_us_ = 0;
};

// reason, rule, detail, raw, source, file, line, epoch, time.
const Schema& DeadLetterColumns();

}  // namespace qn::app
