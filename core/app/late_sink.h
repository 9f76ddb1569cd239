// Where rows go that came after their window had closed: into the dead letters, with the reason `late`.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "app/dead_letters.h"
#include "app/keep.h"
#include "duck/row_sink.h"

namespace qn::app {

// Arguments: raw BLOB, file UINTEGER, line BIGINT, the begin of the window as VARCHAR, and whether the row
// was taken back rather than added.
class LateSink final : public duck::RowSink {
 public:
  // `source` names where rows without a file come from.
  LateSink(std::string source, DeadLetters& dead_letters)
      : source_(std::move(source)), dead_letters_(dead_letters) {}

  static std::vector<Type> Arguments();
  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override;

  void BeginStep(OriginFiles files, std::string watermark) {
    files_ = std::move(files);
    watermark_ = std::move(watermark);
    rows_ = 0;
  }
  int64_t rows() const { return rows_.load(); }
  void ClearCounts() { rows_ = 0; }

 private:
  class Thread;
  std::string source_;
  DeadLetters& dead_letters_;
  OriginFiles files_;
  std::string watermark_;
  std::atomic<int64_t> rows_{0};
};

}  // namespace qn::app
