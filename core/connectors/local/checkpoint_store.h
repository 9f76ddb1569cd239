// Checkpoints as files: one a step, `<folder>/<20-digit epoch>.json`. Refuses to start empty when there was
// something, and to read what a newer Qanat wrote.
//
// A file is two lines: a header {"qanat_checkpoint":1,"epoch":7,"length":123,"crc32c":"0a1b2c3d"} and the
// body as one line of JSON. The checksum covers the format, the epoch, the length and the body's bytes.
#pragma once

#include <string>

#include "contract/checkpoint_store.h"
#include "contract/files.h"

namespace qn {

inline constexpr size_t kCheckpointsKept = 3;

// One thread. Works over any Files; the caller holds the storage's lock.
class FileCheckpoints final : public CheckpointStore {
 public:
  FileCheckpoints(Files& files, std::string folder);

  // Also removes half-written files and sets damaged ones aside as `….json.damaged`, so that their epoch can
  // be written again. What it returns is durable, even if the process that wrote it died before its last
  // fsync.
  Result<std::optional<Checkpoint>> Load(std::string* warning) override;
  // Refuses with kConflict (QN-3403) an epoch that is not above every epoch that is there.
  Status Put(const Checkpoint& checkpoint) override;

 private:
  struct Stored {
    Epoch epoch = 0;
    std::string path;
  };
  Result<std::vector<Stored>> ListNewestFirst();
  Status SetAside(const std::string& path, std::string_view bytes);
  Status Settle(const std::string& path, const std::string& bytes, Status put);

  Files& files_;
  std::string folder_;
};

// The bytes of a checkpoint file, and back. Reading fails with QN-3402 (damaged, says how) or QN-3404
// (newer).
std::string CheckpointBytes(const Checkpoint& checkpoint);
Result<Checkpoint> ReadCheckpointBytes(std::string_view bytes);

}  // namespace qn
