// The listing decides which checkpoint and entries there are; `_last_checkpoint` is only a hint and not
// needed where a listing is cheap.
#include "connectors/delta/log.h"

#include <algorithm>
#include <cstdio>

#include "connectors/delta/path.h"
#include "connectors/delta/schema_json.h"

namespace qn::delta {
namespace {

constexpr std::string_view kReaderFeatures[] = {"timestampNtz"};
constexpr std::string_view kWriterFeatures[] = {"timestampNtz", "appendOnly", "invariants", "changeDataFeed"};
constexpr int64_t kVersionMax = INT64_MAX / 16;
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kRetentionMsDefault = 7 * kDayMs;

// The 20 digits at the front of a log file's name, or -1.
int64_t VersionOf(std::string_view name) {
  if (name.size() < 21) return -1;
  int64_t version = 0;
  for (const char c : name.substr(0, 20)) {
    if (c < '0' || c > '9' || version > kVersionMax) return -1;
    version = version * 10 + (c - '0');
  }
  return version;
}

// "0000000002" of the multipart names.
int64_t PartNumber(std::string_view text) {
  if (text.size() != 10) return -1;
  int64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

struct Listing {
  std::vector<int64_t> entries;                             // sorted
  std::map<int64_t, std::vector<std::string>> checkpoints;  // complete ones only: version → parts
};

Result<Listing> ListLog(Files& files, const std::string& folder) {
  QN_GET(const auto listed, files.List(folder));
  Listing listing;
  std::map<std::pair<int64_t, int64_t>, std::map<int64_t, std::string>> parts;  // (version, of) → part → path
  for (const FileInfo& info : listed) {
    const std::string_view name = std::string_view(info.path).substr(folder.size() + 1);
    const int64_t version = VersionOf(name);
    if (version < 0) continue;  // _last_checkpoint, sidecars, half-written files
    const std::string_view rest = name.substr(20);
    if (rest == ".json") listing.entries.push_back(version);
    if (rest == ".checkpoint.parquet") listing.checkpoints[version] = {info.path};
    if (rest.size() == 41 && rest.starts_with(".checkpoint.") && rest.ends_with(".parquet")) {
      const int64_t part = PartNumber(rest.substr(12, 10));
      const int64_t of = PartNumber(rest.substr(23, 10));
      if (part >= 1 && part <= of) parts[{version, of}][part] = info.path;
    }
  }
  for (const auto& [key, found] : parts) {
    if (static_cast<int64_t>(found.size()) != key.second || listing.checkpoints.count(key.first) != 0)
      continue;
    for (const auto& [part, path] : found) listing.checkpoints[key.first].push_back(path);
  }
  std::sort(listing.entries.begin(), listing.entries.end());
  return listing;
}

Status Gap(const std::string& folder, const std::string& found) {
  return Failed("QN-3304", "The log of table '" + folder + "' is not whole.")
      .With(found)
      .With("Restore the missing files of its _delta_log from a copy. Nothing was changed.");
}

Status ReadInto(Files& files, const std::vector<std::string>& parts, int64_t version,
                CheckpointFormat* format, Snapshot& snapshot) {
  if (format == nullptr) return Failed("QN-3316", "A log checkpoint cannot be read here.");
  Entry head;
  const auto take = [&](const Json& action) -> Status {
    Entry entry;
    QN_TRY(AddAction(action, entry));
    if (entry.protocol) head.protocol = entry.protocol;
    if (entry.metadata) head.metadata = entry.metadata;
    entry.protocol.reset();
    entry.metadata.reset();
    return ApplyEntry(snapshot, version, entry);
  };
  QN_TRY(format->Read(files, parts, take));
  if (!head.protocol || !head.metadata) {
    return Failed("QN-3316", "The log checkpoint of version " + std::to_string(version) +
                                 " lacks protocol or metadata.");
  }
  return ApplyEntry(snapshot, version, head);
}

// The newest checkpoint at or below `target` that can be read and from which the entries go on without a gap.
Result<Snapshot> FromCheckpoint(Files& files, const Listing& listing, int64_t target,
                                CheckpointFormat* format) {
  std::vector<std::string> warnings;
  for (auto it = listing.checkpoints.rbegin(); it != listing.checkpoints.rend(); ++it) {
    if (it->first > target) continue;
    Snapshot snapshot;
    const Status read = ReadInto(files, it->second, it->first, format, snapshot);
    if (read.ok()) {
      snapshot.warnings = std::move(warnings);
      snapshot.checkpoint_version = it->first;
      return snapshot;
    }
    // Features that we lack are in every checkpoint of the table: no older one helps.
    if (read.code() == "QN-3306" || read.code() == "QN-3317" || read.code() == "QN-3307") return read;
    warnings.push_back("QN-3316  A log checkpoint could not be read and was passed over: " +
                       it->second.front() + ": " + read.text());
  }
  Snapshot none;
  none.warnings = std::move(warnings);
  return none;
}

template <size_t N>
std::string Unknown(const std::vector<std::string>& features, const std::string_view (&known)[N]) {
  std::string unknown;
  for (const std::string& feature : features) {
    if (std::find(std::begin(known), std::end(known), feature) == std::end(known)) {
      unknown += (unknown.empty() ? "" : ", ") + feature;
    }
  }
  return unknown;
}

Status LacksFeature(const std::string& deed, const std::string& needs) {
  return Failed("QN-3306", "The table needs abilities that this Qanat does not have to " + deed + " it.")
      .With("It asks for: " + needs)
      .With("Use a table without them, or a newer Qanat. Nothing was changed.");
}

// "interval 7 days" in milliseconds; the fallback for anything else.
int64_t IntervalMs(const std::string& text, int64_t fallback) {
  struct Unit {
    std::string_view name;
    int64_t ms;
  };
  static constexpr Unit kUnits[] = {
      {"second", 1000}, {"minute", 60'000}, {"hour", 3'600'000}, {"day", kDayMs}, {"week", 7 * kDayMs}};
  if (!text.starts_with("interval ")) return fallback;
  char* end = nullptr;
  const int64_t count = std::strtoll(text.c_str() + 9, &end, 10);
  while (*end == ' ') ++end;
  for (const Unit& unit : kUnits) {
    if (count >= 0 && count < 100'000 && std::string_view(end).starts_with(unit.name)) return count * unit.ms;
  }
  return fallback;
}

}  // namespace

int64_t RetentionMs(const TextMap& configuration) {
  return IntervalMs(ConfigurationOr(configuration, "delta.deletedFileRetentionDuration", ""),
                    kRetentionMsDefault);
}

std::string LogFolder(const std::string& table_folder) { return table_folder + "/_delta_log"; }

std::string EntryPath(const std::string& table_folder, int64_t version) {
  char name[32];
  std::snprintf(name, sizeof name, "%020lld.json", static_cast<long long>(version));
  return LogFolder(table_folder) + "/" + name;
}

Result<std::optional<std::string>> ReadEntry(Files& files, const std::string& table_folder, int64_t version) {
  const std::string path = EntryPath(table_folder, version);
  Result<std::string> text = files.Read(path);
  if (!text.ok() && text.status().kind() == Kind::kNotFound) return std::optional<std::string>();
  QN_TRY(text.status());
  QN_TRY(files.Sync(path));
  QN_TRY(files.SyncFolder(LogFolder(table_folder)));
  return std::optional<std::string>(std::move(text).value());
}

Result<Snapshot> LoadSnapshot(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                              int64_t version) {
  QN_GET(const Listing listing, ListLog(files, LogFolder(table_folder)));
  int64_t newest = listing.entries.empty() ? -1 : listing.entries.back();
  if (!listing.checkpoints.empty()) newest = std::max(newest, listing.checkpoints.rbegin()->first);
  if (newest < 0) return Snapshot{};
  if (version > newest) {
    return Invalid("QN-3318", "Table '" + table_folder + "' has no version " + std::to_string(version) + ".")
        .With("Its newest version is " + std::to_string(newest) + ".");
  }
  const int64_t target = version < 0 ? newest : version;
  QN_GET(Snapshot snapshot, FromCheckpoint(files, listing, target, checkpoints));
  const std::string from =
      snapshot.version < 0 ? "" : " after the checkpoint of " + std::to_string(snapshot.version);
  for (int64_t next = snapshot.version + 1; next <= target; ++next) {
    if (!std::binary_search(listing.entries.begin(), listing.entries.end(), next)) {
      Status gap = Gap(table_folder, "Entry " + std::to_string(next) + " of " + std::to_string(target) +
                                         " is missing" + from + ".");
      for (const std::string& warning : snapshot.warnings) gap.With(warning);
      return gap;
    }
    QN_GET(const std::string text, files.Read(EntryPath(table_folder, next)));
    QN_GET(const Entry entry, ParseEntry(next, text));
    QN_TRY(ApplyEntry(snapshot, next, entry));
  }
  if (snapshot.metadata.schema_string.empty())
    return Gap(table_folder, "It has no metaData or no protocol action.");
  return snapshot;
}

Status UpdateSnapshot(Files& files, const std::string& table_folder, Snapshot& snapshot) {
  while (true) {
    QN_GET(const auto text, ReadEntry(files, table_folder, snapshot.version + 1));
    if (!text.has_value()) break;
    QN_GET(const Entry entry, ParseEntry(snapshot.version + 1, *text));
    QN_TRY(ApplyEntry(snapshot, snapshot.version + 1, entry));
  }
  if (snapshot.version < 0) return Ok();
  // Entries older than a log checkpoint may be cleaned away: then "the next one is not there" proves nothing.
  const Result<FileInfo> last = files.Stat(EntryPath(table_folder, snapshot.version));
  if (last.ok()) return Ok();
  if (last.status().kind() != Kind::kNotFound) return last.status();
  return Gap(table_folder, "Entry " + std::to_string(snapshot.version) + ", the last that we know, is gone.");
}

Status ApplyEntry(Snapshot& snapshot, int64_t version, const Entry& entry) {
  if (entry.protocol) {
    QN_TRY(CheckReadable(*entry.protocol));
    snapshot.protocol = *entry.protocol;
  }
  if (entry.metadata) {
    QN_GET(snapshot.schema, SchemaFromJson(entry.metadata->schema_string));
    snapshot.metadata = *entry.metadata;
  }
  for (const RemoveFile& remove : entry.removes) {
    QN_GET(const std::string path, DecodePath(remove.path));
    snapshot.files.erase(path);
    snapshot.tombstones[path] = std::make_shared<const RemoveFile>(remove);
  }
  for (const AddFile& add : entry.adds) {
    QN_GET(const std::string path, DecodePath(add.path));
    snapshot.tombstones.erase(path);
    snapshot.files[path] = std::make_shared<const AddFile>(add);
  }
  for (const Txn& txn : entry.txns) {
    snapshot.txns[txn.app_id] = {txn.version, entry.commit_info["txnId"].Str(),
                                 entry.commit_info["engineInfo"].Str(),
                                 entry.commit_info["timestamp"].Int(txn.updated_ms)};
  }
  snapshot.version = version;
  return Ok();
}

Status CheckReadable(const Protocol& protocol) {
  if (protocol.reader == 1) return Ok();
  if (protocol.reader != 3) return LacksFeature("read", "reader version " + std::to_string(protocol.reader));
  const std::string unknown = Unknown(protocol.reader_features, kReaderFeatures);
  return unknown.empty() ? Ok() : LacksFeature("read", unknown);
}

Status CheckWritable(const Snapshot& snapshot) {
  const Protocol& protocol = snapshot.protocol;
  QN_TRY(CheckReadable(protocol));
  if (protocol.writer > 2 && protocol.writer != 7) {
    return LacksFeature("write", "writer version " + std::to_string(protocol.writer));
  }
  if (const std::string unknown = Unknown(protocol.writer_features, kWriterFeatures); !unknown.empty()) {
    return LacksFeature("write", unknown);
  }
  if (snapshot.metadata.schema_string.find("\"delta.invariants\"") != std::string::npos) {
    return LacksFeature("write", "column invariants (delta.invariants)");
  }
  if (snapshot.metadata.schema_string.find("\"delta.columnMapping.") != std::string::npos) {
    return LacksFeature("write", "column mapping");
  }
  const std::string retention =
      ConfigurationOr(snapshot.metadata.configuration, "delta.setTransactionRetentionDuration", "");
  if (!retention.empty()) {
    return LacksFeature("write",
                        "delta.setTransactionRetentionDuration (it lets the table forget our progress)");
  }
  return Ok();
}

}  // namespace qn::delta
