// LocalFiles::Glob: walks only the folders that the pattern can reach.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file_error.h"
#include "connectors/local/glob.h"
#include "connectors/local/local_files.h"

namespace qn {
namespace {

struct Entry {
  std::string name;
  bool folder = false;  // also through a link
  bool link = false;
};

// Entries of a folder; none when it is absent or no folder.
Result<std::vector<Entry>> Entries(const std::string& folder) {
  const std::string path = folder.empty() ? "." : folder;
  std::vector<Entry> entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  if (dir == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return entries;
    return FileError(errno, "list", path);
  }
  while (const dirent* found = ::readdir(dir.get())) {
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat st {};
    const std::string full = path + "/" + std::string(name);
    if (::lstat(full.c_str(), &st) != 0) continue;
    Entry entry{std::string(name), S_ISDIR(st.st_mode), S_ISLNK(st.st_mode)};
    if (entry.link && ::stat(full.c_str(), &st) == 0) entry.folder = S_ISDIR(st.st_mode);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string Join(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

class Walk {
 public:
  explicit Walk(std::string_view pattern) {
    size_t start = 0;
    while (start < pattern.size()) {
      const size_t slash = std::min(pattern.find('/', start), pattern.size());
      if (slash > start) segments_.emplace_back(pattern.substr(start, slash - start));
      start = slash + 1;
    }
    open_.push_back({pattern.starts_with('/') ? "/" : "", 0});
  }

  Status Run(std::set<std::string>& out) {
    while (!open_.empty()) {
      const auto [folder, index] = std::move(open_.back());
      open_.pop_back();
      if (index >= segments_.size()) continue;
      // Two ** reach the same folder by several ways.
      if (!seen_.insert({folder, index}).second) continue;
      QN_TRY(Visit(folder, index, out));
    }
    return Ok();
  }

 private:
  Status Visit(const std::string& folder, size_t index, std::set<std::string>& out) {
    const std::string& segment = segments_[index];
    const bool last = index + 1 == segments_.size();
    if (segment == "**") {
      if (!last) open_.push_back({folder, index + 1});
      QN_GET(const auto entries, Entries(folder));
      for (const Entry& entry : entries) {
        if (entry.name.front() == '.') continue;
        if (entry.folder && !entry.link) open_.push_back({Join(folder, entry.name), index});
        if (last && !entry.folder) out.insert(Join(folder, entry.name));
      }
      return Ok();
    }
    std::string literal;
    if (IsLiteralSegment(segment, &literal)) {
      if (last) out.insert(Join(folder, literal));
      if (!last) open_.push_back({Join(folder, literal), index + 1});
      return Ok();
    }
    QN_GET(const auto entries, Entries(folder));
    for (const Entry& entry : entries) {
      if (!MatchSegment(segment, entry.name)) continue;
      if (last && !entry.folder) out.insert(Join(folder, entry.name));
      if (!last && entry.folder) open_.push_back({Join(folder, entry.name), index + 1});
    }
    return Ok();
  }

  std::vector<std::string> segments_;
  std::vector<std::pair<std::string, size_t>> open_;
  std::set<std::pair<std::string, size_t>> seen_;
};

}  // namespace

Result<std::vector<FileInfo>> LocalFiles::Glob(const std::string& pattern) {
  QN_GET(const auto patterns, ExpandBraces(pattern));
  std::set<std::string> paths;
  for (const std::string& one : patterns) QN_TRY(Walk(one).Run(paths));
  std::vector<FileInfo> found;
  for (const std::string& path : paths) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    Result<FileInfo> info = Stat(path);
    if (!info.ok() && info.status().kind() == Kind::kNotFound) continue;  // gone between the two looks
    QN_TRY(info.status());
    found.push_back(std::move(info).value());
  }
  return found;
}

}  // namespace qn
