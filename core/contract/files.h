// The file system as it is handed in. Who promises durability: only Sync and SyncFolder; a name or a byte
// not synced may vanish in a power cut. Any call may answer kUnknown on a remote store: read back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace qn {

// Names that begin so are half-written files of ours. List shows them, nobody reads them; whoever holds a
// folder alone may remove them.
inline constexpr std::string_view kTempPrefix = ".qn-tmp-";

struct FileInfo {
  std::string path;  // as listed: the folder asked for + "/" + the rest
  uint64_t size = 0;
  int64_t modified_ns = 0;
  uint64_t inode = 0;  // 0 where the store has none
};

// A file open for reading. Thread-safe: reads carry their own position.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Up to `size` bytes at `offset`; fewer only at the end of the file, none beyond it.
  virtual Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) = 0;
  virtual Result<uint64_t> Size() = 0;
};

// A file on its way, which nobody sees before it has a name; without one it is gone with this object.
class NewFile {
 public:
  virtual ~NewFile() = default;
  virtual Status Append(std::string_view bytes) = 0;
  // Files::PutIfAbsent of everything that was appended; nothing may be appended then. After kConflict another
  // name may be tried, after kUnknown the same one.
  virtual Status PutIfAbsent(const std::string& path) = 0;
};

class Files {
 public:
  virtual ~Files() = default;

  virtual Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) = 0;  // kNotFound when absent
  virtual Result<std::string> Read(const std::string& path) = 0;
  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  // Every file below `folder`, recursively, sorted by path; an absent folder is empty.
  virtual Result<std::vector<FileInfo>> List(const std::string& folder) = 0;
  // Regular files that match a shell pattern (*, ?, [..], ** for any depth, {a,b}), sorted by path.
  virtual Result<std::vector<FileInfo>> Glob(const std::string& pattern) = 0;

  // With parents; fine when there. Each folder made, and the nearest one that was there, is synced into its
  // parent.
  virtual Status MakeFolder(const std::string& path) = 0;
  // Writes `bytes` to `path` so that nobody ever sees half of it, synced with its folder. kConflict when
  // `path` is there already, whoever wrote it.
  virtual Status PutIfAbsent(const std::string& path, std::string_view bytes) = 0;
  // The same, a piece at a time, for what need not be in memory as a whole. The name will be in `folder`,
  // which is there. (Unless a store does better, the pieces are collected.)
  virtual Result<std::unique_ptr<NewFile>> Create(const std::string& folder);
  // The same as PutIfAbsent, replacing what is there.
  virtual Status Put(const std::string& path, std::string_view bytes) = 0;
  virtual Status Remove(const std::string& path) = 0;  // fine when absent
  virtual Status Sync(const std::string& path) = 0;
  virtual Status SyncFolder(const std::string& path) = 0;
};

class CollectedFile final : public NewFile {
 public:
  explicit CollectedFile(Files& files) : files_(files) {}
  Status Append(std::string_view bytes) override {
    bytes_ += bytes;
    return Ok();
  }
  Status PutIfAbsent(const std::string& path) override { return files_.PutIfAbsent(path, bytes_); }

 private:
  Files& files_;
  std::string bytes_;
};

inline Result<std::unique_ptr<NewFile>> Files::Create(const std::string&) {
  return std::unique_ptr<NewFile>(std::make_unique<CollectedFile>(*this));
}

}  // namespace qn
