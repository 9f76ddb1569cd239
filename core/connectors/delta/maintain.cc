// DeltaSink::Maintain: log checkpoints, so that readers need not read every entry.
#include "base/fail_point.h"
#include "connectors/delta/sink.h"

namespace qn::delta {
namespace {

constexpr int64_t kCheckpointIntervalDefault = 10;
constexpr int64_t kFilesAnEntryMax =
    100;  // a log checkpoint writes all files anew: so many for each entry since

struct Lines {
  std::string text;
  int64_t actions = 0;
  void Add(const Json& action) {
    action.DumpTo(text);
    text += '\n';
    ++actions;
  }
};

Lines ActionsOf(const Snapshot& snapshot, int64_t now_ms) {
  Lines lines;
  lines.Add(ToAction(snapshot.protocol));
  lines.Add(ToAction(snapshot.metadata));
  for (const auto& [app_id, txn] : snapshot.txns)
    lines.Add(ToAction(Txn{app_id, txn.version, txn.written_ms}));
  const int64_t kept_ms = RetentionMs(snapshot.metadata.configuration);
  for (const auto& [path, remove] : snapshot.tombstones) {
    if (remove->deleted_ms + kept_ms > now_ms) lines.Add(ToAction(*remove));
  }
  for (const auto& [path, add] : snapshot.files) {
    AddFile kept = *add;
    kept.data_change = false;
    lines.Add(ToAction(kept));
  }
  return lines;
}

// The property's word; otherwise 10, and more for tables of many files or of many that went, so that the cost
// of a step stays the same.
int64_t CheckpointInterval(const Snapshot& snapshot) {
  const std::string wanted = ConfigurationOr(snapshot.metadata.configuration, "delta.checkpointInterval", "");
  if (!wanted.empty()) return std::max<int64_t>(std::strtoll(wanted.c_str(), nullptr, 10), 1);
  const auto known = static_cast<int64_t>(snapshot.files.size() + snapshot.tombstones.size());
  return std::max(kCheckpointIntervalDefault, known / kFilesAnEntryMax);
}

}  // namespace

Result<bool> DeltaSink::Maintain() {
  if (world_.checkpoints == nullptr) return false;
  Snapshot snapshot;
  {
    const std::lock_guard lock(snapshot_mutex_);
    if (snapshot_.version - std::max<int64_t>(snapshot_.checkpoint_version, 0) <
        CheckpointInterval(snapshot_)) {
      return false;
    }
    snapshot = snapshot_;
  }
  const Lines lines = ActionsOf(snapshot, world_.clock.WallMs());
  QN_GET(const std::string parquet, world_.checkpoints->Write(lines.text));
  const std::string entry = EntryPath(options_.folder, snapshot.version);
  QN_FAIL("delta.log_checkpoint.before");
  QN_TRY(world_.files.Put(entry.substr(0, entry.size() - 5) + ".checkpoint.parquet", parquet));
  QN_FAIL("delta.log_checkpoint.written");
  Json hint;
  hint.Set("version", snapshot.version);
  hint.Set("size", lines.actions);
  hint.Set("sizeInBytes", static_cast<uint64_t>(parquet.size()));
  hint.Set("numOfAddFiles", static_cast<uint64_t>(snapshot.files.size()));
  QN_TRY(world_.files.Put(LogFolder(options_.folder) + "/_last_checkpoint", hint.Dump()));
  const std::lock_guard lock(snapshot_mutex_);
  snapshot_.checkpoint_version = std::max(snapshot_.checkpoint_version, snapshot.version);
  return true;
}

}  // namespace qn::delta
