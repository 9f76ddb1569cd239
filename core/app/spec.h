// The pipeline as Python declared it: the JSON of docs/internals/spec.md as structs. Checks form, not
// meaning.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn::app {

struct SourceSpec {
  std::string name, where, glob, order, schema, event_time, watermark, idle_timeout;
  Json format;
  uint64_t record_bytes_max = 0;  // 0: the reader's default
};

struct ReferenceSpec {
  std::string name, where, sql;
};

enum class Action : uint8_t { kKeep, kDrop, kFail, kQuarantine };

struct ExpectationSpec {
  std::string name, condition, where;
  Action action = Action::kKeep;
};

struct FunctionSpec {
  int id = -1;
  std::string name, schema;
};

struct FlowSpec {
  std::string name, where, sql;
  bool is_once = false;
  FunctionSpec function;  // id < 0: none
};

// How the windows of a view end; without a column they do not.
struct WindowSpec {
  bool emits_on_close = false;
  std::string column, size, lateness;
};

enum class DatasetKind : uint8_t { kTable, kMaterializedView, kTemporaryView };

struct DatasetSpec {
  std::string name, where, comment, schema;
  DatasetKind kind = DatasetKind::kTable;
  std::vector<std::string> partition_cols;
  std::vector<std::string> keys;
  WindowSpec window;
  std::vector<std::pair<std::string, std::string>> properties;
  std::vector<ExpectationSpec> expectations;
  std::vector<FlowSpec> flows;

  bool is_stored() const { return kind != DatasetKind::kTemporaryView; }
};

struct PipelineSpec {
  std::string name, storage, file, library;
  std::string memory;
  int threads = 0;
  uint64_t step_bytes_max = 0;
  std::vector<SourceSpec> sources;
  std::vector<ReferenceSpec> references;
  std::vector<DatasetSpec> datasets;
};

// Failure QN-1190: the text is not what Python's side of this version writes.
Result<PipelineSpec> ParseSpec(const std::string& text);

}  // namespace qn::app
