// Where rows go. Staging makes files durable but invisible; Commit makes one step's files visible, once.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn {

using Epoch = int64_t;  // number of a step, from 1; 0 is "none yet"

struct ColumnStats {
  std::string column;  // dotted path for nested fields: names as in RETURN_STATS, e.g. "geo"."lat"
  bool has_min_max = false;
  std::string min, max;  // DuckDB's text form
  bool is_exact = true;
  uint64_t null_count = 0;
  bool has_nan = false;
};

// One data file written by the encoder: on disk, not yet synced, seen by nobody.
struct StagedFile {
  std::string path;  // absolute, inside the table's folder
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> partition;  // column → value text
  std::vector<std::string> partition_nulls;                    // partition columns whose value is NULL
  std::vector<ColumnStats> stats;
  std::vector<std::pair<std::string, std::string>> tags = {};  // kept in the log beside the file
};

// What a step has for one table.
struct StagedDelta {
  std::vector<StagedFile> files;
  bool replaces_all = false;  // a view recomputed whole: the old files go in the same commit
  // Files of the table that go in the same commit, as its snapshot names them; empty when all go.
  std::vector<std::string> removes = {};
  // The rows that change and how, for readers of the changes; where there are none, the files above say it
  // all.
  std::vector<StagedFile> changes = {};
};

// What is needed to commit, self-contained JSON: it goes through the checkpoint and comes back after a crash.
using Receipt = Json;

class Sink {
 public:
  virtual ~Sink() = default;
  // Syncs the files and their folders and describes the commit. Nothing is visible yet.
  virtual Result<Receipt> Stage(Epoch epoch, const StagedDelta& delta) = 0;
  // Makes it visible. Repeating it, in this process or after a crash, is a no-op.
  virtual Status Commit(Epoch epoch, const Receipt& receipt) = 0;
  // The last epoch that the target has of us, asked of the target, not of our memory.
  virtual Result<Epoch> Committed() = 0;
  // Removes staged files of ours that neither the target nor `pending` names. Call before the first step.
  virtual Result<uint64_t> SweepOrphans(std::span<const Receipt> pending) = 0;
};

}  // namespace qn
