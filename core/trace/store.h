// Where a checkpoint's remembered rows are kept: files of sections, one a step that changed something. A step
// writes what it changed; now and then a trace is written whole, and small pieces are copied together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "contract/files.h"
#include "contract/sink.h"
#include "data/json.h"
#include "trace/trace.h"

namespace qn::trace {

using NamedTraces = std::vector<std::pair<std::string, Trace*>>;

class StateStore {
 public:
  // `folder` belongs to the store alone. `files` is borrowed.
  StateStore(Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // Writes what the traces changed since the last Save into one new file, durable when this returns; nothing
  // changed: no file. The answer goes into the checkpoint. A step's number may be used again. After a failure
  // traces must be cleared and restored. Traces that are not named are forgotten.
  Result<Json> Save(Epoch epoch, const NamedTraces& traces);

  // Applies what `state`, a Save's answer, names to the traces, which are empty. Traces that it does not name
  // stay empty, names without a trace are ignored; null: nothing is named. The next Save goes on from here.
  // Failure: QN-3408 names the file and the trace; QN-3407; QN-3601.
  Status Restore(const Json& state, const NamedTraces& traces);

  // Removes files of ours that neither these answers of Save name nor the last one. A file that cannot be
  // removed stays for the next time.
  Status Sweep(std::span<const Json> kept);

 private:
  // A stretch of a file: sections one after the other, each with its size before it.
  struct Run {
    std::string file;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t crc = 0;
    int level = 0;  // of copying together; kWhole: the trace as a whole
  };
  struct Saved {
    std::vector<Run> runs;
    uint64_t whole = 0;    // bytes of the last whole one
    uint64_t keys = 0;     // in it
    uint64_t changes = 0;  // bytes of changes since
  };
  struct Content {
    std::map<std::string, Saved> traces;
    std::map<std::string, uint64_t> file_sizes;
  };
  class StepFile;
  class RunReader;

  Status AppendChanges(const std::string& name, Trace& trace, Saved& saved, StepFile& file);
  static Status AppendWhole(Trace& trace, Saved& saved, StepFile& file);
  Status MoveOut(Content& content, StepFile& file);
  Status PrepareFolder();
  Result<std::string> Write(Epoch epoch, StepFile& file);
  Result<RunReader> OpenRun(const std::string& name, const Run& run);
  Status CopyRun(const std::string& name, const Run& run, StepFile& file);
  Status ApplyRun(const std::string& name, const Run& run, Trace& trace);
  Result<ReadableFile*> OpenFile(const std::string& name, const std::string& file);

  static Json ToJson(const Content& content);
  static bool FromJson(const Json& json, Content* out);

  Files& files_;
  std::string folder_;
  Content content_;
  bool has_folder_ = false;
  bool has_listed_ = false;
  std::set<std::string> there_;  // files of ours that may be there
  std::map<std::string, std::unique_ptr<ReadableFile>> open_;
};

}  // namespace qn::trace
