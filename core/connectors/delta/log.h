// Reading a Delta table's log: which files, schema and progress the table has at a version. Refuses what it
// does not fully understand: a table read half right is worse than one not read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/delta/actions.h"
#include "contract/files.h"
#include "data/type.h"

namespace qn::delta {

// What is known of the commit that last moved an application's txn.
struct TxnState {
  int64_t version = 0;     // the application's number: our epoch
  std::string commit_id;   // commitInfo.txnId; empty when the txn came from a log checkpoint
  std::string writer;      // commitInfo.engineInfo
  int64_t written_ms = 0;  // commitInfo.timestamp
};

struct Snapshot {
  int64_t version = -1;             // -1: there is no table
  int64_t checkpoint_version = -1;  // of the newest log checkpoint that is known
  Protocol protocol;
  Metadata metadata;
  Schema schema;
  std::map<std::string, TxnState, std::less<>> txns;
  // By decoded path. Shared, so that a copy of the snapshot is cheap.
  std::map<std::string, std::shared_ptr<const AddFile>, std::less<>> files;
  std::map<std::string, std::shared_ptr<const RemoveFile>, std::less<>> tombstones;
  std::vector<std::string> warnings;  // of reading, e.g. a damaged log checkpoint that was passed over
};

// Log checkpoints are Parquet, which only DuckDB reads here; handed in, so that the log itself needs none.
class CheckpointFormat {
 public:
  virtual ~CheckpointFormat() = default;
  // Calls `action` for each action ({"add": {…}} …) of the checkpoint that the parts make up.
  virtual Status Read(Files& files, const std::vector<std::string>& parts,
                      const std::function<Status(const Json&)>& action) = 0;
  // The bytes of one Parquet file with these actions, one JSON object a line.
  virtual Result<std::string> Write(const std::string& lines) = 0;
};

// For how long a file that the table has dropped is kept (delta.deletedFileRetentionDuration).
int64_t RetentionMs(const TextMap& configuration);

std::string LogFolder(const std::string& table_folder);
std::string EntryPath(const std::string& table_folder, int64_t version);

// The entry's text, or none when there is no such entry. What it returns is durable: file and folder are
// synced, because its writer may have died (or never cared) before doing so.
Result<std::optional<std::string>> ReadEntry(Files& files, const std::string& table_folder, int64_t version);

// The table at `version` (-1: the newest). A folder without a log is a snapshot of version -1. `checkpoints`
// may be null: then only logs that are whole from entry 0 can be read.
Result<Snapshot> LoadSnapshot(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                              int64_t version = -1);

// Takes in what was committed since. QN-3304 when the snapshot is so old that the log has gone on without it.
Status UpdateSnapshot(Files& files, const std::string& table_folder, Snapshot& snapshot);

// Moves the snapshot from `version`-1 to `version`.
Status ApplyEntry(Snapshot& snapshot, int64_t version, const Entry& entry);

// QN-3306 when the table needs abilities that we do not have, to read or to write.
Status CheckReadable(const Protocol& protocol);
Status CheckWritable(const Snapshot& snapshot);

}  // namespace qn::delta
