// The content of the lock file is only for people; the lock is the kernel's, so a dead process leaves none.
#include "connectors/local/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/file_error.h"
#include "connectors/local/local_files.h"
#include "data/json.h"

namespace qn {
namespace {

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string UtcText(int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

Status Held(const std::string& folder) {
  LocalFiles files;
  const Result<std::string> text = files.Read(folder + "/lock");
  const Result<Json> holder = text.ok() ? Json::Parse(*text) : Result<Json>(text.status());
  Status status(Kind::kConflict, "QN-3201", "Another process runs a pipeline on this storage.");
  if (holder.ok() && (*holder)["pid"].IsInt()) {
    status.With("It is process " + std::to_string((*holder)["pid"].Int()) + " on host '" +
                (*holder)["host"].Str() + "', running since " + UtcText((*holder)["since_ms"].Int()) + ".");
  }
  return std::move(status)
      .With("Lock: " + folder + "/lock")
      .With("Nothing was started. Stop that process, or use another --storage folder.");
}

}  // namespace

Result<std::unique_ptr<StorageLock>> StorageLock::Take(const std::string& folder, const Clock& clock) {
  QN_TRY(LocalFiles().MakeFolder(folder));
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return FileError(errno, "open", path);
  std::unique_ptr<StorageLock> lock(new StorageLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Held(folder);
    return Failed("QN-3202", "This file system cannot lock the storage folder.")
        .With("'" + path + "': " + std::strerror(errno) + ".")
        .With("Put the storage on a local disk.");
  }
  Json holder;
  holder.Set("pid", static_cast<int64_t>(::getpid()));
  holder.Set("host", HostName());
  holder.Set("since_ms", clock.WallMs());
  const std::string text = holder.Dump() + "\n";
  if (::ftruncate(fd, 0) != 0) return FileError(errno, "write", path);
  if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return FileError(errno == 0 ? ENOSPC : errno, "write", path);
  }
  return lock;
}

StorageLock::~StorageLock() { ::close(fd_); }

}  // namespace qn
