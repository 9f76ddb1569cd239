// The machine's own disk as Files, on POSIX calls. Promises durability where files.h asks for it, and nothing
// about network file systems that lie about fsync.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "contract/files.h"

namespace qn {

// Stateless; any number of threads.
class LocalFiles final : public Files {
 public:
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override;
  Result<std::string> Read(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  // Follows links to files, not to folders. A file that goes while we look is left out.
  Result<std::vector<FileInfo>> List(const std::string& folder) override;
  // As shells do: names that begin with a dot only when the pattern says so; ** does not follow folder links.
  Result<std::vector<FileInfo>> Glob(const std::string& pattern) override;

  Status MakeFolder(const std::string& path) override;
  // The folder must be there. Half-written bytes carry a name with kTempPrefix until they are whole.
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override;
  Result<std::unique_ptr<NewFile>> Create(const std::string& folder) override;
  Status Put(const std::string& path, std::string_view bytes) override;
  Status Remove(const std::string& path) override;
  Status Sync(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
};

// 64 random bits from the system.
uint64_t SystemRandom();

}  // namespace qn
