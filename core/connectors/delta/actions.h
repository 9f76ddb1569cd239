// The actions of a Delta log entry, in memory and as JSON lines. Follows the Delta protocol's PROTOCOL.md
// word by word; knows nothing of files or of when to commit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn::delta {

// Of a table whose commits tell the rows that they change.
inline constexpr const char* kChangesProperty = "delta.enableChangeDataFeed";

using TextMap = std::vector<std::pair<std::string, std::string>>;
// Partition column → Delta's text of the value; none for NULL.
using PartitionValues = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct Protocol {
  int reader = 1;
  int writer = 2;
  std::vector<std::string> reader_features;  // only when reader is 3
  std::vector<std::string> writer_features;  // only when writer is 7
  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;  // UUID of the table, never changes
  std::string name;
  std::string description;
  std::string schema_string;
  std::vector<std::string> partition_cols;
  TextMap configuration;
  int64_t created_ms = 0;
  bool operator==(const Metadata&) const = default;
};

struct AddFile {
  std::string path;  // as the log has it: percent-encoded
  PartitionValues partition;
  uint64_t size = 0;
  int64_t modified_ms = 0;
  bool data_change = true;
  std::string stats;  // JSON text; empty when there are none
  TextMap tags;
  bool operator==(const AddFile&) const = default;
};

struct RemoveFile {
  std::string path;
  int64_t deleted_ms = 0;
  bool data_change = true;
  bool extended = false;  // the next two are known
  PartitionValues partition;
  uint64_t size = 0;
};

// Rows that a commit changes, and how: what readers of the change data feed read in place of its other files.
struct CdcFile {
  std::string path;
  PartitionValues partition;
  uint64_t size = 0;
  TextMap tags;
  bool operator==(const CdcFile&) const = default;
};

struct Txn {
  std::string app_id;
  int64_t version = 0;
  int64_t updated_ms = 0;  // 0: not told
};

Json PartitionJson(const PartitionValues& values);  // {column:text|null}

// {"add": {…}} and so on, one line of a log entry each.
Json ToAction(const Protocol& protocol);
Json ToAction(const Metadata& metadata);
Json ToAction(const AddFile& add);
Json ToAction(const RemoveFile& remove);
Json ToAction(const CdcFile& cdc);
Json ToAction(const Txn& txn);

// Everything in one log entry, or in one row of a checkpoint.
struct Entry {
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<AddFile> adds;
  std::vector<RemoveFile> removes;
  std::vector<CdcFile> cdcs;
  std::vector<Txn> txns;
  Json commit_info;  // null when there is none
};

// Adds one action to `entry`. Kinds that do not matter to readers (domainMetadata, …) are passed over.
// Fails with QN-3305 (malformed) or QN-3317 (deletion vector).
Status AddAction(const Json& action, Entry& entry);

// A whole log entry. QN-3305 tells the line.
Result<Entry> ParseEntry(int64_t version, std::string_view text);

// Value of a configuration key, or the fallback.
std::string ConfigurationOr(const TextMap& configuration, std::string_view key, std::string_view fallback);

}  // namespace qn::delta
