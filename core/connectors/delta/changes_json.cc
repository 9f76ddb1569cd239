// One pass over the log's entries. Follows "Change Data Files" of Delta's PROTOCOL.md: where a commit names
// such files, its adds and removes say nothing to readers of the changes.
#include "connectors/delta/changes_json.h"

#include <algorithm>
#include <optional>

#include "connectors/delta/path.h"
#include "connectors/delta/snapshot_json.h"

namespace qn::delta {
namespace {

constexpr int64_t kNsInMs = 1'000'000;

class Reader {
 public:
  Reader(Files& files, const std::string& folder, CheckpointFormat* checkpoints)
      : files_(files), folder_(folder), checkpoints_(checkpoints) {}

  Status Take(int64_t version) {
    Result<std::string> text = files_.Read(EntryPath(folder_, version));
    if (!text.ok() && text.status().kind() == Kind::kNotFound) {
      return Gone(version, "Entry " + std::to_string(version) + " of its log was cleaned away.");
    }
    QN_TRY(text.status());
    QN_GET(const Entry entry, ParseEntry(version, *text));
    if (entry.metadata) tells_ = Tells(*entry.metadata);
    QN_GET(const int64_t time_ms, TimeOf(version, entry));
    if (!entry.cdcs.empty()) {
      for (const CdcFile& cdc : entry.cdcs) QN_TRY(Add(cdc.path, cdc.partition, nullptr, version, time_ms));
      return Ok();
    }
    QN_TRY(CheckTold(version, entry));
    for (const RemoveFile& remove : entry.removes) {
      if (!remove.data_change) continue;
      QN_GET(const PartitionValues partition, PartitionOf(remove, version));
      QN_TRY(Add(remove.path, partition, "delete", version, time_ms));
    }
    for (const AddFile& add : entry.adds) {
      if (add.data_change) QN_TRY(Add(add.path, add.partition, "insert", version, time_ms));
    }
    return Ok();
  }

  Json TakeChanges() { return std::move(changes_); }

 private:
  static bool Tells(const Metadata& metadata) {
    return ConfigurationOr(metadata.configuration, kChangesProperty, "") == "true";
  }

  Status CheckTold(int64_t version, const Entry& entry) {
    const auto counts = [](const auto& file) { return file.data_change; };
    if (std::none_of(entry.adds.begin(), entry.adds.end(), counts) ||
        std::none_of(entry.removes.begin(), entry.removes.end(), counts)) {
      return Ok();
    }
    if (!tells_.has_value()) {
      QN_GET(const Snapshot then, LoadSnapshot(files_, folder_, checkpoints_, version));
      tells_ = Tells(then.metadata);
    }
    // All rows of its files went and came: so says the protocol.
    if (*tells_) return Ok();
    return Invalid("QN-3322", "Version " + std::to_string(version) + " of table '" + folder_ +
                                  "' does not tell which rows it changed.")
        .With("It rewrites files, and most rows in them are as they were.")
        .With("Let the table tell its changes from its next version on:")
        .With("  @qn.materialized_view(table_properties={\"" + std::string(kChangesProperty) +
              "\": \"true\"})")
        .With("Versions before that can be read whole, each by its number.");
  }

  Result<int64_t> TimeOf(int64_t version, const Entry& entry) {
    for (const char* key : {"inCommitTimestamp", "timestamp"}) {
      if (entry.commit_info[key].IsInt()) return entry.commit_info[key].Int();
    }
    QN_GET(const FileInfo info, files_.Stat(EntryPath(folder_, version)));
    return info.modified_ns / kNsInMs;
  }

  // Old writers leave it out where the file goes.
  Result<PartitionValues> PartitionOf(const RemoveFile& remove, int64_t version) {
    if (remove.extended) return remove.partition;
    QN_GET(const std::string path, DecodePath(remove.path));
    QN_GET(const Snapshot before, LoadSnapshot(files_, folder_, checkpoints_, version - 1));
    const auto found = before.files.find(path);
    return found == before.files.end() ? remove.partition : found->second->partition;
  }

  Status Add(const std::string& encoded, const PartitionValues& partition, const char* type, int64_t version,
             int64_t time_ms) {
    QN_GET(const std::string path, DecodePath(encoded));
    const std::string full = FullPath(folder_, path);
    const Status found = files_.Stat(full).status();
    if (found.kind() == Kind::kNotFound && !found.ok()) {
      return Gone(version, "Its file '" + full + "' was removed, by a vacuum perhaps.");
    }
    QN_TRY(found);
    Json change;
    change.Set("path", full);
    change.Set("type", type == nullptr ? Json() : Json(type));
    change.Set("version", version);
    change.Set("time_ms", time_ms);
    change.Set("partition", PartitionJson(partition));
    changes_.Push(std::move(change));
    return Ok();
  }

  Status Gone(int64_t version, const std::string& what) const {
    return Failed("QN-3323", "What version " + std::to_string(version) + " of table '" + folder_ +
                                 "' changed is no longer there.")
        .With(what)
        .With("Read the table whole at a newer version, and its changes from the version after that on.");
  }

  Files& files_;
  const std::string& folder_;
  CheckpointFormat* checkpoints_;
  std::optional<bool> tells_;  // as far as it is known
  Json changes_ = Json::Array{};
};

}  // namespace

Result<std::string> ChangesJson(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                                int64_t first, int64_t last) {
  QN_CHECK(first >= 0);
  QN_GET(const Snapshot snapshot, LoadSnapshot(files, table_folder, checkpoints, last));
  QN_GET(Json head, SnapshotHead(snapshot, table_folder));
  if (first > snapshot.version + 1) {
    return Invalid("QN-3318",
                   "Table '" + table_folder + "' has no version " + std::to_string(first - 1) + " yet.")
        .With("Its newest version is " + std::to_string(snapshot.version) + "; the next is " +
              std::to_string(snapshot.version + 1) + ".");
  }
  Reader reader(files, table_folder, checkpoints);
  for (int64_t version = first; version <= snapshot.version; ++version) QN_TRY(reader.Take(version));
  head.Set("changes", reader.TakeChanges());
  return head.Dump();
}

}  // namespace qn::delta
