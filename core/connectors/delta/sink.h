// A Delta table as a Sink: data files written by somebody else (DuckDB's COPY) become rows of the table, each
// exactly once. Refuses tables that others could not read after us, and tables that we cannot read whole.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "connectors/delta/commit.h"
#include "connectors/delta/log.h"
#include "contract/files.h"
#include "contract/sink.h"
#include "data/type.h"

namespace qn::delta {

inline constexpr const char* kChangesFolder = "_change_data";
inline constexpr const char* kChangeTypeColumn = "_change_type";

struct DeltaOptions {
  std::string folder;  // absolute, of the table
  std::string app_id;  // of the pipeline and dataset; the same in every run
  std::string name;    // of the dataset, for people and the table's metadata
  std::string comment;
  Schema schema;  // as the query gives it; StoredSchema is applied
  std::vector<std::string> partition_cols;
  TextMap properties;            // table properties, delta.* and others
  std::string engine = "Qanat";  // commitInfo.engineInfo
};

// Borrowed by the sink.
struct DeltaWorld {
  Files& files;
  const Clock& clock;
  std::function<uint64_t()> random;         // 64 bits; for the table's id and commit ids
  CheckpointFormat* checkpoints = nullptr;  // null: log checkpoints are neither read nor written
};

// One thread for all but Maintain.
//
// Steps without rows leave no entry in the log: Committed() then stays at the last step that had rows, below
// the engine's epoch. Receipts know that (`follows`), so nothing else must. A table that does not exist yet
// is created by the first step even without rows.
class DeltaSink final : public Sink {
 public:
  // Reads the table, if there is one, and compares it with the options. Makes the folder, writes nothing
  // else. Fails with QN-3309 (schema), QN-3310 (partition columns), QN-3311 (types), QN-3312 (properties)
  // before anything runs.
  static Result<std::unique_ptr<DeltaSink>> Open(DeltaOptions options, DeltaWorld world);

  // For COPY's FILENAME_PATTERN: "part-<writer>-<epoch>-{uuidv7}". Only files so named are ever swept.
  std::string FilenamePattern(Epoch epoch) const;
  // Whether readers of the table may ask for the rows that a step changed (delta.enableChangeDataFeed): then
  // a step that rewrites files tells them in StagedDelta::changes, written below ChangesFolder() with one
  // column more, kChangeTypeColumn: insert, delete, update_preimage or update_postimage.
  bool WritesChanges() const;
  std::string ChangesFolder() const { return options_.folder + "/" + kChangesFolder; }
  // Column types in the table, in the order of the options' schema: what the query must be cast to.
  const Schema& schema() const { return schema_; }

  Result<Receipt> Stage(Epoch epoch, const StagedDelta& delta) override;
  Status Commit(Epoch epoch, const Receipt& receipt) override;
  Result<Epoch> Committed() override;
  // Also removes half-written files. The caller holds the storage's lock: no other run of ours may be alive.
  Result<uint64_t> SweepOrphans(std::span<const Receipt> pending) override;

  // Writes a log checkpoint when one is due (delta.checkpointInterval; by default every 10 entries, or one in
  // a hundredth of the number of files, those that went included, if that is more). Call it off the path of
  // steps, from any thread; false when nothing was due. Failing harms nothing.
  Result<bool> Maintain();

  const Snapshot& snapshot() const { return snapshot_; }
  // Takes in what others have committed, for a step that is to rewrite files: what it then reads is what the
  // commit finds. QN-3302 when they changed schema, properties or protocol.
  Status CatchUp();

 private:
  DeltaSink(DeltaOptions options, DeltaWorld world);
  Status Prepare();
  Status CompareWithTable();
  Status CheckProperties() const;
  Metadata WantedMetadata() const;
  Protocol WantedProtocol() const;
  Status Refresh();
  Status CheckChangesColumns() const;
  bool IsOurs(std::string_view path) const;
  bool IsStale(const FileInfo& info) const;
  Result<AddFile> StageFile(const StagedFile& file, std::set<std::string>& folders);
  Status SyncFolders(const std::set<std::string>& folders);
  Result<uint32_t> ChecksumOf(const std::string& path, uint64_t size);
  Epoch Follows(Epoch epoch);
  std::string NewUuid() const;
  Status CheckFiles(const CommitPlan& plan) const;
  Status RunMachine(const CommitPlan& plan);

  DeltaOptions options_;
  DeltaWorld world_;
  std::string writer_;
  Schema schema_;              // stored types, the options' columns
  std::string table_id_;       // of a table that we are to create
  bool metadata_due_ = false;  // the table's metadata differs from what the pipeline wants
  Snapshot snapshot_;
  std::mutex snapshot_mutex_;  // Maintain copies the snapshot while a commit may move it
  // Steps that will write an entry, staged and not yet committed, ascending.
  struct Staged {
    Epoch epoch = 0;
    bool has_metadata = false;
  };
  std::vector<Staged> staged_;
  std::set<std::string> named_folders_;  // folders of partitions whose names are known to be durable
};

}  // namespace qn::delta
