// One stream of a flow: a source, or a dataset upstream. Only the flow's own files include this.
#pragma once

#include <limits>
#include <memory>
#include <string>

#include "app/flow_run.h"
#include "app/watermark.h"

namespace qn::app {

struct FlowRun::Input {
  std::string name;
  const Source* source = nullptr;  // or
  const Dataset* upstream = nullptr;
  std::unique_ptr<Reader> reader;
  std::unique_ptr<LineScan> scan;
  std::string scan_name;
  std::unique_ptr<Slice> slice;  // of this step; null: nothing
  uint32_t file_base = 0;
  Change change;       // of the upstream, in this step
  Epoch consumed = 0;  // of the upstream
  Epoch consumed_next = 0;
  std::string foreign;                 // the upstream's files of other writers, when it was last taken
  int64_t upstream_us = ops::kNoTime;  // the upstream's event time, when it was last taken
  int64_t files_seen = 0;
  Watermark watermark;
  int64_t parquet_time_max_us = std::numeric_limits<int64_t>::min();  // of this step's Parquet files
  bool is_idle = false;                                               // no rows for as long as may be
  int64_t last_rows_ms = 0;  // when rows came last, on the wall clock

  bool has_event_time() const {
    return upstream != nullptr ? upstream->has_event_time : source->event_time_column >= 0;
  }
  int64_t watermark_us() const {
    if (upstream != nullptr) return upstream_us;
    return watermark.has_time() ? watermark.time_us() : ops::kNoTime;
  }
};

}  // namespace qn::app
