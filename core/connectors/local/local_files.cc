// Every deed that must last ends in fsync of the bytes and of the folder that names them.
#include "connectors/local/local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/fail_point.h"
#include "base/file_error.h"

namespace qn {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

int OpenRetrying(const char* path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = ::open(path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

FileInfo InfoOf(const std::string& path, const struct stat& st) {
  FileInfo info;
  info.path = path;
  info.size = static_cast<uint64_t>(st.st_size);
  info.modified_ns = int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
  info.inode = st.st_ino;
  return info;
}

class LocalReadable final : public ReadableFile {
 public:
  LocalReadable(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(fd_.get(), out + done, size - done, static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FileError(errno, "read", path_);
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Result<uint64_t> Size() override {
    struct stat st {};
    if (::fstat(fd_.get(), &st) != 0) return FileError(errno, "look at", path_);
    return static_cast<uint64_t>(st.st_size);
  }

 private:
  Fd fd_;
  std::string path_;
};

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Ok();
}

// A file that has its bytes on disk under a name nobody reads, removed unless it was kept.
class TempFile {
 public:
  explicit TempFile(const std::string& folder) {
    static std::atomic<uint64_t> counter{0};
    path_ = folder + "/" + std::string(kTempPrefix) + std::to_string(::getpid()) + "-" +
            std::to_string(counter.fetch_add(1)) + "-" + std::to_string(SystemRandom() % 1'000'000'000);
  }
  ~TempFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (fd_ >= 0) ::close(fd_);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  // `target` is for messages.
  Status Open(const std::string& target) {
    fd_ = OpenRetrying(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd_ < 0) {
      const int error = errno;
      path_.clear();
      return FileError(error, "write", target);
    }
    return Ok();
  }
  Status Append(std::string_view bytes, const std::string& target) { return WriteAll(fd_, bytes, target); }
  Status Sync(const std::string& target) {
    return ::fsync(fd_) == 0 ? Ok() : FileError(errno, "sync", target);
  }
  const char* path() const { return path_.c_str(); }
  void Renamed() { path_.clear(); }
  // The name count tells whether link(2) happened although its answer said otherwise (NFS retries do that).
  bool HasSecondName() const {
    struct stat st {};
    return ::fstat(fd_, &st) == 0 && st.st_nlink == 2;
  }

 private:
  std::string path_;
  int fd_ = -1;
};

// A second, exclusive name. File systems without hard links get a rename that refuses to replace.
int LinkExclusive(TempFile& temp, const std::string& target) {
  if (::link(temp.path(), target.c_str()) == 0) return 0;
  const int error = errno;
  if (error == EEXIST && temp.HasSecondName()) return 0;
  if (error != EPERM && error != EOPNOTSUPP && error != ENOSYS) return error;
  if (::renameat2(AT_FDCWD, temp.path(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) != 0) {
    return errno == EEXIST ? EEXIST : error;
  }
  temp.Renamed();
  return 0;
}

Status SyncPath(const std::string& path, int flags, const char* deed) {
  const Fd fd(OpenRetrying(path.c_str(), O_RDONLY | flags));
  if (!fd.ok()) return FileError(errno, deed, path);
  if (::fsync(fd.get()) != 0) return FileError(errno, deed, path, true);
  return Ok();
}

class LocalNewFile final : public NewFile {
 public:
  explicit LocalNewFile(const std::string& folder) : temp_(folder) {}

  Status Open(const std::string& target) {
    target_ = target;
    return temp_.Open(target_);
  }
  Status Append(std::string_view bytes) override { return temp_.Append(bytes, target_); }
  Status PutIfAbsent(const std::string& path) override {
    // Once: a second fsync says nothing of what the first one failed to write.
    if (!is_synced_) QN_TRY(temp_.Sync(path));
    is_synced_ = true;
    QN_FAIL("files.put.before_link");
    if (named_ != path) {
      if (const int error = LinkExclusive(temp_, path); error != 0)
        return FileError(error, "write", path, error == EIO);
      named_ = path;
    }
    QN_FAIL("files.put.after_link");
    QN_TRY(SyncPath(FolderOf(path), O_DIRECTORY, "sync the folder"));
    QN_FAIL("files.put.after_sync");
    return Ok();
  }

 private:
  TempFile temp_;
  std::string target_;
  bool is_synced_ = false;
  std::string named_;
};

Status ListInto(const std::string& root, std::vector<FileInfo>& out) {
  std::vector<std::string> folders{root};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    if (dir == nullptr) {
      if (errno == ENOENT) continue;
      return FileError(errno, "list", folder);
    }
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string path = folder + "/" + std::string(name);
      struct stat st {};
      if (::lstat(path.c_str(), &st) != 0) continue;  // gone between the listing and the look
      if (S_ISDIR(st.st_mode)) folders.push_back(path);
      if (S_ISLNK(st.st_mode) && ::stat(path.c_str(), &st) != 0) continue;
      if (S_ISREG(st.st_mode)) out.push_back(InfoOf(path, st));
    }
  }
  return Ok();
}

}  // namespace

uint64_t SystemRandom() {
  uint64_t bits = 0;
  QN_CHECK(::getrandom(&bits, sizeof bits, 0) == sizeof bits);
  return bits;
}

Result<std::unique_ptr<ReadableFile>> LocalFiles::Open(const std::string& path) {
  const int fd = OpenRetrying(path.c_str(), O_RDONLY);
  if (fd < 0) return FileError(errno, "open", path);
  auto file = std::make_unique<LocalReadable>(fd, path);
  struct stat st {};
  if (::fstat(fd, &st) != 0) return FileError(errno, "open", path);
  if (S_ISDIR(st.st_mode)) return FileError(EISDIR, "open", path);
  return std::unique_ptr<ReadableFile>(std::move(file));
}

Result<std::string> LocalFiles::Read(const std::string& path) {
  QN_GET(const auto file, Open(path));
  QN_GET(const uint64_t size, file->Size());
  // One byte more than stat said, so that a file that grows meanwhile is read to its present end.
  std::string bytes(size + 1, '\0');
  size_t done = 0;
  while (true) {
    QN_GET(const size_t n, file->ReadAt(done, bytes.data() + done, bytes.size() - done));
    done += n;
    if (done < bytes.size()) break;
    bytes.resize(bytes.size() * 2);
  }
  bytes.resize(done);
  return bytes;
}

Result<FileInfo> LocalFiles::Stat(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return FileError(errno, "look at", path);
  return InfoOf(path, st);
}

Result<std::vector<FileInfo>> LocalFiles::List(const std::string& folder) {
  std::vector<FileInfo> found;
  QN_TRY(ListInto(folder, found));
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

Status LocalFiles::MakeFolder(const std::string& path) {
  const std::string parent = FolderOf(path);
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) {
    if (!S_ISDIR(st.st_mode)) return FileError(ENOTDIR, "make the folder", path);
    // It may have been made by a process that died before it synced the name. Where we may not look, we
    // trust.
    Status synced = SyncFolder(parent);
    return synced.code() == "QN-3102" ? Ok() : synced;
  }
  if (parent != path) QN_TRY(MakeFolder(parent));
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return FileError(errno, "make the folder", path);
  return SyncFolder(parent);
}

Status LocalFiles::PutIfAbsent(const std::string& path, std::string_view bytes) {
  // Costs less than writing and syncing what then cannot be linked.
  if (struct stat st{}; ::lstat(path.c_str(), &st) == 0) return FileError(EEXIST, "write", path);
  LocalNewFile file(FolderOf(path));
  QN_FAIL("files.put.before_write");
  QN_TRY(file.Open(path));
  QN_TRY(file.Append(bytes));
  return file.PutIfAbsent(path);
}

Result<std::unique_ptr<NewFile>> LocalFiles::Create(const std::string& folder) {
  auto file = std::make_unique<LocalNewFile>(folder);
  QN_FAIL("files.put.before_write");
  QN_TRY(file->Open(folder));
  return std::unique_ptr<NewFile>(std::move(file));
}

Status LocalFiles::Put(const std::string& path, std::string_view bytes) {
  TempFile temp(FolderOf(path));
  QN_TRY(temp.Open(path));
  QN_TRY(temp.Append(bytes, path));
  QN_TRY(temp.Sync(path));
  QN_FAIL("files.replace.before_rename");
  if (::rename(temp.path(), path.c_str()) != 0) return FileError(errno, "replace", path, errno == EIO);
  temp.Renamed();
  QN_FAIL("files.replace.after_rename");
  return SyncFolder(FolderOf(path));
}

Status LocalFiles::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(errno, "remove", path, errno == EIO);
  return Ok();
}

Status LocalFiles::Sync(const std::string& path) { return SyncPath(path, 0, "sync"); }

Status LocalFiles::SyncFolder(const std::string& path) {
  return SyncPath(path, O_DIRECTORY, "sync the folder");
}

}  // namespace qn
