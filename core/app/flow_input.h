// One stream of a flow: a source, or a dataset upstream. Only the flow's own files include this.
#pragma once

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
  std::string foreign;  // the upstream's files of other writers, when it was last taken
  int64_t upstream_us = ops::WindowAggregate::kNoTime;  // the upstream's event time, when it was last taken
  int64_t files_seen = 0;
  Watermark watermark;
};

}  // namespace qn::app
