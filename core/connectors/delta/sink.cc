// The order is the promise: data files, their folders, (the engine's checkpoint), the log entry, its folder.
#include "connectors/delta/sink.h"

#include <algorithm>
#include <cstdio>

#include "base/crc32c.h"
#include "base/fail_point.h"
#include "connectors/delta/path.h"
#include "connectors/delta/schema_json.h"
#include "connectors/delta/stats.h"

namespace qn::delta {
namespace {

constexpr size_t kReadBytes = 1 << 20;

std::string Hex(uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

std::string_view FolderOf(std::string_view path) { return path.substr(0, path.rfind('/')); }
std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string Joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "none" : out;
}

}  // namespace

DeltaSink::DeltaSink(DeltaOptions options, DeltaWorld world)
    : options_(std::move(options)), world_(std::move(world)) {
  while (options_.folder.size() > 1 && options_.folder.ends_with('/')) options_.folder.pop_back();
  // Stable over runs, so that a run sweeps what a killed one left.
  writer_ = Hex(Crc32c(options_.app_id), 8) + Hex(Crc32c(options_.app_id, 0x9E3779B9), 8);
}

Result<std::unique_ptr<DeltaSink>> DeltaSink::Open(DeltaOptions options, DeltaWorld world) {
  QN_CHECK(!options.app_id.empty());
  std::unique_ptr<DeltaSink> sink(new DeltaSink(std::move(options), std::move(world)));
  QN_TRY(sink->Prepare());
  return sink;
}

Status DeltaSink::Prepare() {
  QN_GET(schema_, StoredSchema(options_.schema));
  for (std::string& column : options_.partition_cols) {
    const int index = ColumnIndex(schema_, column);
    if (index < 0) {
      return Invalid("QN-3310", "Dataset '" + options_.name + "' is partitioned by '" + column +
                                    "', which is no column of it.")
          .With("Its columns are: " + ColumnNames(schema_));
    }
    const Field& field = schema_[static_cast<size_t>(index)];
    column = field.name;
    if (!CanPartition(field.type)) {
      return Invalid("QN-3310", "Dataset '" + options_.name + "' cannot be partitioned by '" + column + "'.")
          .With("Its type is " + field.type.ToSql() +
                "; partition columns are texts, whole numbers, decimals, "
                "booleans, dates or timestamps.");
    }
  }
  if (options_.partition_cols.size() >= schema_.size()) {
    return Invalid("QN-3310", "Dataset '" + options_.name + "' has only partition columns.")
        .With("Delta keeps them outside the files: at least one other column is needed.");
  }
  QN_TRY(CheckProperties());
  // Twice: the table's folder may have been made by somebody who does not sync.
  QN_TRY(world_.files.MakeFolder(options_.folder));
  QN_TRY(world_.files.MakeFolder(LogFolder(options_.folder)));
  QN_GET(snapshot_, LoadSnapshot(world_.files, options_.folder, world_.checkpoints));
  table_id_ = NewUuid();
  QN_TRY(CheckChangesColumns());
  if (snapshot_.version < 0) return Ok();
  QN_TRY(CheckWritable(snapshot_));
  QN_TRY(CompareWithTable());
  // What we have just seen may have been written by a process that died before its last fsync.
  return ReadEntry(world_.files, options_.folder, snapshot_.version).status();
}

// Properties that would oblige a writer to do what this one does not.
Status DeltaSink::CheckProperties() const {
  static const std::set<std::string, std::less<>> kKnown = {
      "delta.appendOnly",           "delta.checkpointInterval",         "delta.deletedFileRetentionDuration",
      "delta.logRetentionDuration", "delta.dataSkippingNumIndexedCols", "delta.targetFileSize",
      "delta.enableChangeDataFeed", "delta.enableExpiredLogCleanup"};
  for (const auto& [key, value] : options_.properties) {
    if (key.starts_with("delta.") && kKnown.count(key) == 0) {
      return Invalid("QN-3312", "Dataset '" + options_.name + "' asks for the table property '" + key + "'.")
          .With("This Qanat does not do what it asks of a writer, so the table would be wrong for others.")
          .With("Remove it. Known are: " + Joined({kKnown.begin(), kKnown.end()}));
    }
    if (key == kChangesProperty && value != "true" && value != "false") {
      return Invalid("QN-3312", "Dataset '" + options_.name + "' sets the table property '" + key + "' to '" +
                                    value + "'.")
          .With("It is \"true\" or \"false\".");
    }
  }
  return Ok();
}

Status DeltaSink::CompareWithTable() {
  if (snapshot_.metadata.partition_cols != options_.partition_cols) {
    return Invalid("QN-3310", "Table '" + options_.folder +
                                  "' is partitioned by other columns than dataset '" + options_.name + "'.")
        .With("Table: " + Joined(snapshot_.metadata.partition_cols) +
              ". Dataset: " + Joined(options_.partition_cols) + ".")
        .With(
            "Partition columns of a table cannot change. Give the dataset a new name, or remove the table's "
            "folder "
            "and run with --full-refresh.");
  }
  const auto refuse = [&](const std::string& what) {
    return Invalid("QN-3309",
                   "Table '" + options_.folder + "' has other columns than dataset '" + options_.name + "'.")
        .With(what)
        .With("New columns may only be added at the end, and must allow NULL.")
        .With(
            "Change the query, give the dataset a new name, or remove the table's folder and run with "
            "--full-refresh.");
  };
  const Schema& table = snapshot_.schema;
  for (size_t i = 0; i < table.size(); ++i) {
    if (i >= schema_.size() || schema_[i].name != table[i].name) {
      return refuse("Column " + std::to_string(i + 1) + " is '" + table[i].name + "' in the table and " +
                    (i < schema_.size() ? "'" + schema_[i].name + "'" : std::string("missing")) +
                    " in the dataset.");
    }
    if (schema_[i].type.ToSql() != table[i].type.ToSql()) {
      return refuse("Column '" + table[i].name + "' is " + table[i].type.ToSql() + " in the table and " +
                    schema_[i].type.ToSql() + " in the dataset.");
    }
    // The table's word stands: files are only promised to keep it when both say so.
    if (schema_[i].nullable && !table[i].nullable) {
      return refuse("Column '" + table[i].name +
                    "' is NOT NULL in the table and may be NULL in the dataset.");
    }
    schema_[i].type = table[i].type;
    schema_[i].nullable = table[i].nullable;
  }
  for (size_t i = table.size(); i < schema_.size(); ++i) {
    if (!schema_[i].nullable) return refuse("The new column '" + schema_[i].name + "' is NOT NULL.");
  }
  metadata_due_ = WantedMetadata() != snapshot_.metadata;
  return Ok();
}

Metadata DeltaSink::WantedMetadata() const {
  Metadata metadata = snapshot_.metadata;
  if (snapshot_.version < 0) {
    metadata.id = table_id_;
    metadata.created_ms = world_.clock.WallMs();
    metadata.partition_cols = options_.partition_cols;
    metadata.name = options_.name;
  }
  if (snapshot_.version < 0 || schema_ != snapshot_.schema) metadata.schema_string = SchemaToJson(schema_);
  if (!options_.comment.empty()) metadata.description = options_.comment;
  // What others have set stays.
  for (const auto& [key, value] : options_.properties) {
    const auto same = [&, name = &key](const auto& item) { return item.first == *name; };
    const auto found = std::find_if(metadata.configuration.begin(), metadata.configuration.end(), same);
    if (found != metadata.configuration.end()) {
      found->second = value;
    } else {
      metadata.configuration.emplace_back(key, value);
    }
  }
  return metadata;
}

Protocol DeltaSink::WantedProtocol() const {
  Protocol protocol = snapshot_.version < 0 ? Protocol{} : snapshot_.protocol;
  const bool has_ntz = UsesTimestampNtz(schema_);
  if (!has_ntz && !WritesChanges()) return protocol;
  if (protocol.writer < 7) {
    // A table lifted to features must name those that its old version implied.
    if (snapshot_.version >= 0 || !ConfigurationOr(options_.properties, "delta.appendOnly", "").empty()) {
      protocol.writer_features = {"appendOnly", "invariants"};
    }
    protocol.writer = 7;
  }
  const auto add = [](std::vector<std::string>& features, const char* feature) {
    if (std::find(features.begin(), features.end(), feature) == features.end()) features.push_back(feature);
  };
  if (has_ntz) {
    protocol.reader = 3;
    add(protocol.reader_features, "timestampNtz");
    add(protocol.writer_features, "timestampNtz");
  }
  if (WritesChanges()) add(protocol.writer_features, "changeDataFeed");
  return protocol;
}

bool DeltaSink::WritesChanges() const {
  return ConfigurationOr(WantedMetadata().configuration, kChangesProperty, "") == "true";
}

Status DeltaSink::CheckChangesColumns() const {
  if (!WritesChanges()) return Ok();
  for (const char* reserved : {kChangeTypeColumn, "_commit_version", "_commit_timestamp"}) {
    if (ColumnIndex(schema_, reserved) < 0) continue;
    return Invalid("QN-3312", "Dataset '" + options_.name + "' has a column '" + reserved +
                                  "' and asks for the table property '" + kChangesProperty + "'.")
        .With("Readers of the changes find that name in every row, with another meaning.")
        .With("Rename the column in the query, or remove the property.");
  }
  return Ok();
}

std::string DeltaSink::FilenamePattern(Epoch epoch) const {
  return "part-" + writer_ + "-" + std::to_string(epoch) + "-{uuidv7}";
}

std::string DeltaSink::NewUuid() const {
  const uint64_t high = (world_.random() & ~uint64_t{0xF000}) | 0x4000;
  const uint64_t low = (world_.random() & ~(uint64_t{3} << 62)) | (uint64_t{1} << 63);
  const std::string a = Hex(high, 16);
  const std::string b = Hex(low, 16);
  return a.substr(0, 8) + "-" + a.substr(8, 4) + "-" + a.substr(12) + "-" + b.substr(0, 4) + "-" +
         b.substr(4);
}

// The step before `epoch` that leaves an entry: staged by us and not yet committed, or in the table.
Epoch DeltaSink::Follows(Epoch epoch) {
  while (!staged_.empty() && staged_.back().epoch >= epoch) staged_.pop_back();
  if (!staged_.empty()) return staged_.back().epoch;
  const auto found = snapshot_.txns.find(options_.app_id);
  return found == snapshot_.txns.end() ? 0 : found->second.version;
}

Result<Receipt> DeltaSink::Stage(Epoch epoch, const StagedDelta& delta) {
  QN_CHECK(epoch > 0);
  QN_FAIL("delta.stage.before");
  QN_CHECK(!delta.replaces_all || delta.removes.empty());
  if ((delta.replaces_all || !delta.removes.empty()) &&
      ConfigurationOr(WantedMetadata().configuration, "delta.appendOnly", "") == "true") {
    return Invalid("QN-3312",
                   "Dataset '" + options_.name + "' takes rows back, but its table is append-only.")
        .With("Remove the table property delta.appendOnly.");
  }
  CommitPlan plan;
  plan.app_id = options_.app_id;
  plan.epoch = epoch;
  plan.follows = Follows(epoch);
  plan.commit_id = NewUuid();
  plan.replaces_all = delta.replaces_all;
  plan.removes = delta.removes;
  std::set<std::string> folders;
  for (const StagedFile& file : delta.files) {
    QN_GET(AddFile add, StageFile(file, folders));
    plan.adds.push_back(std::move(add));
    plan.rows += file.rows;
    plan.bytes += file.bytes;
  }
  for (const StagedFile& file : delta.changes) {
    QN_GET(AddFile add, StageFile(file, folders));
    plan.cdcs.push_back({std::move(add.path), std::move(add.partition), add.size, std::move(add.tags)});
  }
  QN_FAIL("delta.stage.files_synced");
  QN_TRY(SyncFolders(folders));
  QN_FAIL("delta.stage.folders_synced");
  const bool is_carried =
      std::any_of(staged_.begin(), staged_.end(), [](const Staged& staged) { return staged.has_metadata; });
  if ((snapshot_.version < 0 || metadata_due_) && !is_carried) {
    plan.protocol = WantedProtocol();
    plan.metadata = WantedMetadata();
  }
  if (plan.Writes()) staged_.push_back({epoch, plan.metadata.has_value()});
  return ReceiptOf(plan);
}

Result<AddFile> DeltaSink::StageFile(const StagedFile& file, std::set<std::string>& folders) {
  const std::string prefix = options_.folder + "/";
  if (!file.path.starts_with(prefix)) {
    return Failed("QN-3313",
                  "The data file '" + file.path + "' lies outside its table '" + options_.folder + "'.")
        .With("This is a bug of Qanat; please report it. Nothing was committed.");
  }
  QN_TRY(world_.files.Sync(file.path));
  QN_FAIL("delta.stage.file_synced");
  QN_GET(const uint32_t crc, ChecksumOf(file.path, file.bytes));
  // Its folder for the file's name; and the folder above for each folder that this sink has not named before.
  std::string folder(FolderOf(file.path));
  folders.insert(folder);
  for (; folder.size() > options_.folder.size() && named_folders_.count(folder) == 0;
       folder = FolderOf(folder)) {
    folders.insert(std::string(FolderOf(folder)));
  }
  AddFile add;
  add.path = EncodePath(std::string_view(file.path).substr(prefix.size()));
  add.size = file.bytes;
  add.modified_ms = world_.clock.WallMs();
  QN_GET(add.partition, PartitionValuesOf(file, schema_, options_.partition_cols));
  int64_t columns_max = kStatsColumnsDefault;
  const std::string wanted = ConfigurationOr(options_.properties, "delta.dataSkippingNumIndexedCols", "");
  if (!wanted.empty()) columns_max = std::strtoll(wanted.c_str(), nullptr, 10);
  add.stats = StatsJson(file, schema_, options_.partition_cols, columns_max);
  add.tags = {{"qanat.crc32c", Hex(crc, 8)}};
  add.tags.insert(add.tags.end(), file.tags.begin(), file.tags.end());
  return add;
}

Status DeltaSink::SyncFolders(const std::set<std::string>& folders) {
  // Deepest first: a name is durable before the folder that holds it is said to be.
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) QN_TRY(world_.files.SyncFolder(*it));
  // All but the table's own folder lie in one that was just synced, or were named before.
  named_folders_.insert(folders.begin(), folders.end());
  return Ok();
}

Result<uint32_t> DeltaSink::ChecksumOf(const std::string& path, uint64_t size) {
  QN_GET(const auto file, world_.files.Open(path));
  std::string buffer(std::min<uint64_t>(std::max<uint64_t>(size, 1), kReadBytes), '\0');
  uint32_t crc = 0;
  uint64_t done = 0;
  while (true) {
    QN_GET(const size_t n, file->ReadAt(done, buffer.data(), buffer.size()));
    if (n == 0) break;
    crc = Crc32c(std::string_view(buffer.data(), n), crc);
    done += n;
  }
  if (done == size) return crc;
  return Failed("QN-3313", "The data file '" + path + "' was changed while it was being committed.")
      .With("It was written with " + std::to_string(size) + " bytes and has " + std::to_string(done) + ".")
      .With("Nothing was committed. Does something else write in this folder?");
}

Status DeltaSink::CatchUp() {
  const Protocol protocol = snapshot_.protocol;
  const Metadata metadata = snapshot_.metadata;
  const bool was_there = snapshot_.version >= 0;
  QN_TRY(Committed().status());
  if (!was_there || (snapshot_.protocol == protocol && snapshot_.metadata == metadata)) return Ok();
  return Failed("QN-3302", "Table '" + options_.folder + "' was changed by somebody else.")
      .With("Its schema, properties or protocol are others than when we began (version " +
            std::to_string(snapshot_.version) + ").")
      .With("If that change was meant, start again: the next step is then committed on top of it.");
}

Status DeltaSink::Refresh() {
  const std::lock_guard lock(snapshot_mutex_);
  if (snapshot_.version < 0) return Ok();
  // An entry that has gone means that the log was cleaned while we slept: read it anew.
  const Result<FileInfo> last = world_.files.Stat(EntryPath(options_.folder, snapshot_.version));
  if (last.ok()) return Ok();
  if (last.status().kind() != Kind::kNotFound) return last.status();
  QN_GET(snapshot_, LoadSnapshot(world_.files, options_.folder, world_.checkpoints));
  return Ok();
}

Status DeltaSink::Commit(Epoch epoch, const Receipt& receipt) {
  QN_GET(const CommitPlan plan, PlanOf(receipt));
  QN_CHECK(plan.epoch == epoch);
  if (plan.app_id != options_.app_id) {
    return Invalid("QN-3315", "The checkpoint holds a commit of another pipeline ('" + plan.app_id + "').")
        .With("Each pipeline needs a storage folder of its own. Nothing was changed.");
  }
  QN_FAIL("delta.commit.before");
  QN_TRY(Refresh());
  QN_TRY(RunMachine(plan));
  QN_FAIL("delta.commit.after");
  while (!staged_.empty() && staged_.front().epoch <= epoch) staged_.erase(staged_.begin());
  // A commit that is repeated after a crash carries what was wanted then, not what is wanted now.
  if (plan.metadata) metadata_due_ = WantedMetadata() != snapshot_.metadata;
  return Ok();
}

// Files that another process staged may have gone with their folder meanwhile.
Status DeltaSink::CheckFiles(const CommitPlan& plan) const {
  const auto is_ours = [&plan](const Staged& staged) { return staged.epoch == plan.epoch; };
  if (std::any_of(staged_.begin(), staged_.end(), is_ours)) return Ok();
  std::vector<std::string> paths;
  for (const AddFile& add : plan.adds) paths.push_back(add.path);
  for (const CdcFile& cdc : plan.cdcs) paths.push_back(cdc.path);
  for (const std::string& encoded : paths) {
    QN_GET(const std::string path, DecodePath(encoded));
    const std::string full = FullPath(options_.folder, path);
    const Status found = world_.files.Stat(full).status();
    if (found.kind() != Kind::kNotFound) {
      QN_TRY(found);
      continue;
    }
    return Failed("QN-3303", "Table '" + options_.folder + "' is not where the checkpoint left it.")
        .With("The file '" + full + "' of step " + std::to_string(plan.epoch) +
              " was written, is not committed yet, and is gone.")
        .With("Was the table deleted, restored or copied? Committing would lose rows, so nothing was done.")
        .With("Restore table and storage from the same moment, or rebuild with --full-refresh.");
  }
  return Ok();
}

Status DeltaSink::RunMachine(const CommitPlan& plan) {
  const std::lock_guard lock(snapshot_mutex_);
  CommitMachine machine(plan, snapshot_, options_.folder, options_.engine);
  CommitEvent event;
  while (true) {
    event.now_ms = world_.clock.WallMs();
    CommitEffect effect = machine.Step(event);
    event = {};
    switch (effect.what) {
      case CommitEffect::What::kRead: {
        Result<std::optional<std::string>> text = ReadEntry(world_.files, options_.folder, effect.version);
        event.what = text.ok() ? CommitEvent::What::kEntry : CommitEvent::What::kReadFailed;
        event.status = text.status();
        if (text.ok()) event.text = std::move(text).value();
        break;
      }
      case CommitEffect::What::kPut:
        QN_TRY(CheckFiles(plan));
        event.what = CommitEvent::What::kPut;
        event.status = world_.files.PutIfAbsent(EntryPath(options_.folder, effect.version), effect.text);
        break;
      case CommitEffect::What::kDone:
        return Ok();
      case CommitEffect::What::kFail:
        return effect.status;
    }
  }
}

Result<Epoch> DeltaSink::Committed() {
  const std::lock_guard lock(snapshot_mutex_);
  Status updated = UpdateSnapshot(world_.files, options_.folder, snapshot_);
  if (updated.code() == "QN-3304") {
    QN_GET(snapshot_, LoadSnapshot(world_.files, options_.folder, world_.checkpoints));
  } else {
    QN_TRY(std::move(updated));
  }
  const auto found = snapshot_.txns.find(options_.app_id);
  return found == snapshot_.txns.end() ? 0 : found->second.version;
}

bool DeltaSink::IsOurs(std::string_view path) const {
  return BaseName(path).starts_with("part-" + writer_ + "-");
}

// Of a file with changes: the snapshot does not know which of them the log names. Those of steps that the
// table has are in it, until its retention time is over.
bool DeltaSink::IsStale(const FileInfo& info) const {
  const std::string name(BaseName(info.path));
  const Epoch epoch = std::strtoll(name.substr(name.find(writer_) + writer_.size() + 1).c_str(), nullptr, 10);
  const auto txn = snapshot_.txns.find(options_.app_id);
  const Epoch committed = txn == snapshot_.txns.end() ? 0 : txn->second.version;
  const int64_t kept_ms = RetentionMs(snapshot_.metadata.configuration);
  return epoch > committed || info.modified_ns / 1'000'000 + kept_ms < world_.clock.WallMs();
}

Result<uint64_t> DeltaSink::SweepOrphans(std::span<const Receipt> pending) {
  std::set<std::string> keep;
  for (const Receipt& receipt : pending) {
    QN_GET(const CommitPlan plan, PlanOf(receipt));
    for (const AddFile& add : plan.adds) {
      QN_GET(const std::string path, DecodePath(add.path));
      keep.insert(FullPath(options_.folder, path));
    }
    for (const CdcFile& cdc : plan.cdcs) {
      QN_GET(const std::string path, DecodePath(cdc.path));
      keep.insert(FullPath(options_.folder, path));
    }
  }
  QN_TRY(Committed().status());
  // Files that the table has dropped stay: older versions of it can still be read.
  for (const auto& [path, add] : snapshot_.files) keep.insert(FullPath(options_.folder, path));
  for (const auto& [path, remove] : snapshot_.tombstones) keep.insert(FullPath(options_.folder, path));
  QN_FAIL("delta.sweep.before");
  QN_GET(const auto listed, world_.files.List(options_.folder));
  const std::string changes = ChangesFolder() + "/";
  uint64_t swept = 0;
  for (const FileInfo& info : listed) {
    const bool orphan =
        IsOurs(info.path) && keep.count(info.path) == 0 && (!info.path.starts_with(changes) || IsStale(info));
    // DuckDB writes under a name with "tmp_" in front until a file is whole.
    const std::string_view name = BaseName(info.path);
    const bool torn = name.starts_with(kTempPrefix) || name.starts_with("tmp_part-" + writer_ + "-");
    if (!orphan && !torn) continue;
    QN_TRY(world_.files.Remove(info.path));
    swept += orphan ? 1 : 0;
  }
  return swept;
}

}  // namespace qn::delta
