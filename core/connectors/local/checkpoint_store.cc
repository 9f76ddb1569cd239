// The checksum is over bytes as they lie in the file: JSON that is parsed and printed again may differ.
#include "connectors/local/checkpoint_store.h"

#include <algorithm>
#include <cstdio>

#include "base/crc32c.h"
#include "base/fail_point.h"

namespace qn {
namespace {

constexpr int64_t kFormat = 1;
constexpr int kPutAttemptsMax = 3;

std::string Hex(uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", value);
  return text;
}

uint32_t Checksum(int64_t format, Epoch epoch, std::string_view body) {
  const std::string head =
      std::to_string(format) + " " + std::to_string(epoch) + " " + std::to_string(body.size()) + " ";
  return Crc32c(body, Crc32c(head));
}

std::string FileName(Epoch epoch) {
  char text[32];
  std::snprintf(text, sizeof text, "%020lld.json", static_cast<long long>(epoch));
  return text;
}

// The epoch that a file name stands for, or -1.
Epoch EpochOf(std::string_view name) {
  if (name.size() != 25 || !name.ends_with(".json")) return -1;
  Epoch epoch = 0;
  for (const char c : name.substr(0, 20)) {
    if (c < '0' || c > '9' || epoch > (INT64_MAX - 9) / 10) return -1;
    epoch = epoch * 10 + (c - '0');
  }
  return epoch;
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Status Damaged(std::string how) { return Failed("QN-3402", std::move(how)); }

}  // namespace

std::string CheckpointBytes(const Checkpoint& checkpoint) {
  const std::string body = checkpoint.body.Dump();
  Json head;
  head.Set("qanat_checkpoint", kFormat);
  head.Set("epoch", checkpoint.epoch);
  head.Set("length", static_cast<uint64_t>(body.size()));
  head.Set("crc32c", Hex(Checksum(kFormat, checkpoint.epoch, body)));
  return head.Dump() + "\n" + body + "\n";
}

Result<Checkpoint> ReadCheckpointBytes(std::string_view bytes) {
  if (bytes.empty()) return Damaged("it is empty");
  const size_t line = bytes.find('\n');
  if (line == std::string_view::npos) return Damaged("it ends inside its first line");
  const Result<Json> head = Json::Parse(bytes.substr(0, line));
  if (!head.ok() || !(*head)["qanat_checkpoint"].IsInt()) return Damaged("its first line is not a header");
  const int64_t format = (*head)["qanat_checkpoint"].Int();
  if (format > kFormat) {
    return Invalid("QN-3404", "A newer Qanat wrote this checkpoint.")
        .With("Its format is " + std::to_string(format) + "; this Qanat reads up to " +
              std::to_string(kFormat) + ".")
        .With("Run the newer Qanat. Nothing was changed.");
  }
  std::string_view body = bytes.substr(line + 1);
  if (!body.ends_with('\n')) return Damaged("it ends too early");
  body.remove_suffix(1);
  if (body.size() != (*head)["length"].Uint()) {
    return Damaged("its body has " + std::to_string(body.size()) + " bytes instead of " +
                   std::to_string((*head)["length"].Uint()));
  }
  const Epoch epoch = (*head)["epoch"].Int(-1);
  if ((*head)["crc32c"].Str() != Hex(Checksum(format, epoch, body))) return Damaged("its checksum is wrong");
  Result<Json> parsed = Json::Parse(body);
  if (!parsed.ok()) return Damaged("its body is not JSON");
  return Checkpoint{epoch, std::move(parsed).value()};
}

FileCheckpoints::FileCheckpoints(Files& files, std::string folder)
    : files_(files), folder_(std::move(folder)) {}

Result<std::vector<FileCheckpoints::Stored>> FileCheckpoints::ListNewestFirst() {
  QN_GET(const auto listed, files_.List(folder_));
  std::vector<Stored> stored;
  for (const FileInfo& info : listed) {
    if (info.path != folder_ + "/" + std::string(BaseName(info.path))) continue;
    if (const Epoch epoch = EpochOf(BaseName(info.path)); epoch >= 0) stored.push_back({epoch, info.path});
  }
  std::reverse(stored.begin(), stored.end());
  return stored;
}

Status FileCheckpoints::SetAside(const std::string& path, std::string_view bytes) {
  QN_TRY(files_.Put(path + ".damaged", bytes));
  QN_TRY(files_.Remove(path));
  return files_.SyncFolder(folder_);
}

Result<std::optional<Checkpoint>> FileCheckpoints::Load(std::string* warning) {
  QN_TRY(files_.MakeFolder(folder_));
  QN_GET(const auto listed, files_.List(folder_));
  std::string was_damaged;
  for (const FileInfo& info : listed) {
    if (BaseName(info.path).starts_with(kTempPrefix)) QN_TRY(files_.Remove(info.path));
    if (info.path.ends_with(".json.damaged")) was_damaged = info.path;
  }
  QN_GET(const auto stored, ListNewestFirst());
  std::string found;
  std::vector<std::pair<std::string, std::string>> damaged;
  for (const Stored& one : stored) {
    QN_GET(std::string bytes, files_.Read(one.path));
    Result<Checkpoint> checkpoint = ReadCheckpointBytes(bytes);
    if (checkpoint.ok() && checkpoint->epoch != one.epoch) checkpoint = Damaged("it is of another step");
    if (!checkpoint.ok() && checkpoint.status().code() != "QN-3402") return checkpoint.status();
    if (!checkpoint.ok()) {
      found += (found.empty() ? "" : "; ") + one.path + ": " + checkpoint.status().text();
      damaged.emplace_back(one.path, std::move(bytes));
      continue;
    }
    QN_TRY(files_.Sync(one.path));
    QN_TRY(files_.SyncFolder(folder_));
    for (const auto& [path, content] : damaged) QN_TRY(SetAside(path, content));
    if (!damaged.empty() && warning != nullptr) {
      *warning = "QN-3402  A checkpoint is damaged; step " + std::to_string(one.epoch) +
                 ", the one before, was used instead.\n  " + found + "\n  It was kept as '" +
                 damaged.front().first + ".damaged'. Check the disk.";
    }
    return std::optional<Checkpoint>(std::move(checkpoint).value());
  }
  if (damaged.empty() && was_damaged.empty()) return std::optional<Checkpoint>();
  return Failed("QN-3401", "No sound checkpoint is left in '" + folder_ + "'.")
      .With(found.empty() ? "Only '" + was_damaged + "' is there." : found)
      .With("Starting from nothing would read everything again and double it, so nothing was started.")
      .With("Put a sound checkpoint back from a backup, or rebuild with --full-refresh-all.");
}

// After an unknown outcome the file itself tells. Other bytes under our name: somebody else runs this
// pipeline.
Status FileCheckpoints::Settle(const std::string& path, const std::string& bytes, Status put) {
  for (int attempt = 1; put.kind() == Kind::kUnknown; ++attempt) {
    const Result<std::string> there = files_.Read(path);
    if (there.ok() && *there == bytes) {
      QN_TRY(files_.Sync(path));
      return files_.SyncFolder(folder_);
    }
    if (there.ok()) return Status(Kind::kConflict, "QN-3106", "'" + path + "' is there already.");
    if (there.status().kind() != Kind::kNotFound || attempt == kPutAttemptsMax) return put;
    put = files_.PutIfAbsent(path, bytes);
    // Our first attempt may have landed late: then it is ours.
    if (put.kind() == Kind::kConflict) put = Status(Kind::kUnknown, put.code(), put.text());
  }
  return put;
}

Status FileCheckpoints::Put(const Checkpoint& checkpoint) {
  QN_FAIL("checkpoint.put.before");
  QN_GET(const auto stored, ListNewestFirst());
  if (stored.empty()) QN_TRY(files_.MakeFolder(folder_));
  const std::string path = folder_ + "/" + FileName(checkpoint.epoch);
  const std::string bytes = CheckpointBytes(checkpoint);
  Status put = stored.empty() || stored.front().epoch < checkpoint.epoch
                   ? Settle(path, bytes, files_.PutIfAbsent(path, bytes))
                   : Status(Kind::kConflict, "QN-3106", "");
  if (put.kind() == Kind::kConflict) {
    return Status(Kind::kConflict, "QN-3403", "Another process runs this pipeline.")
        .With("We wanted to write the checkpoint of step " + std::to_string(checkpoint.epoch) + ", but '" +
              folder_ + "' has step " +
              std::to_string(stored.empty() ? checkpoint.epoch : stored.front().epoch) + " already.")
        .With("This run stopped; nothing of step " + std::to_string(checkpoint.epoch) +
              " was made visible by it.");
  }
  QN_TRY(std::move(put));
  QN_FAIL("checkpoint.put.after");
  // Old ones are only room on the disk: failing to remove them is no reason to stop.
  for (size_t i = kCheckpointsKept - 1; i < stored.size(); ++i) {
    if (!files_.Remove(stored[i].path).ok()) break;
  }
  return Ok();
}

}  // namespace qn
