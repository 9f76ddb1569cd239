// Files in memory, for tests and the simulator: forgets in a power cut whatever was not synced, as a disk
// does, and fails where it is told to. Not for production.
#pragma once

#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contract/files.h"

namespace qn {

// One thread. Paths are absolute.
class MemoryFiles : public Files {
 public:
  // Asked before (`after` = false) and after each deed that changes or syncs something: "put_if_absent",
  // "put", "remove", "sync", "sync_folder", "make_folder", and before "read". A failure before: it did not
  // happen; after: it did, and the caller is told the failure.
  using Fault = std::function<Status(std::string_view deed, const std::string& path, bool after)>;
  void SetFault(Fault fault) { fault_ = std::move(fault); }

  // As a program that never syncs writes: the file and the folders above it may be lost.
  void WriteUnsynced(const std::string& path, std::string_view bytes) {
    for (std::string folder = FolderOf(path); folder != "/"; folder = FolderOf(folder))
      folders_.insert(folder);
    files_[path] = NewNode(bytes);
  }

  // Everything that was not synced is gone. With `keep`, each unsynced name and content stays when it says
  // so: a disk may have written it anyway.
  void PowerCut(const std::function<bool()>& keep = nullptr) {
    const auto luck = [&] { return keep != nullptr && keep(); };
    for (const std::string& folder : folders_) {
      if (durable_folders_.count(folder) == 0 && luck()) durable_folders_.insert(folder);
    }
    for (const auto& [path, node] : files_) {
      const auto durable = durable_files_.find(path);
      if ((durable == durable_files_.end() || durable->second != node) && luck()) durable_files_[path] = node;
    }
    folders_ = durable_folders_;
    std::erase_if(folders_, [&](const std::string& folder) { return !Reachable(folder); });
    files_ = durable_files_;
    std::erase_if(files_, [&](const auto& item) { return !Reachable(FolderOf(item.first)); });
    for (const auto& [path, node] : files_) {
      if (node->bytes != node->synced && !luck()) node->bytes = node->synced;
      node->synced = node->bytes;
    }
    durable_files_ = files_;
    durable_folders_ = folders_;
  }

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Absent(path);
    return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(found->second));
  }
  Result<std::string> Read(const std::string& path) override {
    QN_TRY(Ask("read", path, false));
    const auto found = files_.find(path);
    if (found == files_.end()) return Absent(path);
    return found->second->bytes;
  }
  Result<FileInfo> Stat(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Absent(path);
    return InfoOf(path, *found->second);
  }
  Result<std::vector<FileInfo>> List(const std::string& folder) override {
    std::vector<FileInfo> found;
    for (const auto& [path, node] : files_) {
      if (path.starts_with(folder + "/")) found.push_back(InfoOf(path, *node));
    }
    return found;
  }
  Result<std::vector<FileInfo>> Glob(const std::string& pattern) override {
    std::vector<FileInfo> found;
    for (const auto& [path, node] : files_) {
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) {
        found.push_back(InfoOf(path, *node));
      }
    }
    return found;
  }

  Status MakeFolder(const std::string& path) override {
    QN_TRY(Ask("make_folder", path, false));
    std::string folder = path;
    for (; folder != "/" && folders_.insert(folder).second; folder = FolderOf(folder))
      durable_folders_.insert(folder);
    durable_folders_.insert(folder);  // the one that was there
    return Ask("make_folder", path, true);
  }
  Status PutIfAbsent(const std::string& path, std::string_view bytes) override {
    QN_TRY(Ask("put_if_absent", path, false));
    if (folders_.count(FolderOf(path)) == 0) return Absent(FolderOf(path));
    if (files_.count(path) != 0)
      return Status(Kind::kConflict, "QN-3106", "'" + path + "' is there already.");
    Place(path, bytes);
    QN_TRY(Ask("put_if_absent", path, true));
    return SyncFolder(FolderOf(path));
  }
  Status Put(const std::string& path, std::string_view bytes) override {
    QN_TRY(Ask("put", path, false));
    if (folders_.count(FolderOf(path)) == 0) return Absent(FolderOf(path));
    Place(path, bytes);
    QN_TRY(Ask("put", path, true));
    return SyncFolder(FolderOf(path));
  }
  Status Remove(const std::string& path) override {
    QN_TRY(Ask("remove", path, false));
    files_.erase(path);
    return Ask("remove", path, true);
  }
  Status Sync(const std::string& path) override {
    QN_TRY(Ask("sync", path, false));
    const auto found = files_.find(path);
    if (found == files_.end()) return Absent(path);
    found->second->synced = found->second->bytes;
    return Ask("sync", path, true);
  }
  Status SyncFolder(const std::string& path) override {
    QN_TRY(Ask("sync_folder", path, false));
    if (folders_.count(path) == 0 && path != "/") return Absent(path);
    std::erase_if(durable_files_, [&](const auto& item) { return FolderOf(item.first) == path; });
    for (const auto& item : files_) {
      if (FolderOf(item.first) == path) durable_files_.insert(item);
    }
    for (const std::string& folder : folders_) {
      if (FolderOf(folder) == path) durable_folders_.insert(folder);
    }
    return Ask("sync_folder", path, true);
  }

 private:
  struct Node {
    std::string bytes;
    std::string synced;
    uint64_t inode = 0;
  };
  class Reader final : public ReadableFile {
   public:
    explicit Reader(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
    Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) override {
      if (offset >= node_->bytes.size()) return size_t{0};
      const size_t n = std::min<size_t>(size, node_->bytes.size() - offset);
      node_->bytes.copy(out, n, offset);
      return n;
    }
    Result<uint64_t> Size() override { return uint64_t{node_->bytes.size()}; }

   private:
    std::shared_ptr<const Node> node_;
  };

  static std::string FolderOf(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
  static Status Absent(const std::string& path) {
    return Status(Kind::kNotFound, "QN-3105", "There is no '" + path + "'.");
  }
  static FileInfo InfoOf(const std::string& path, const Node& node) {
    return {path, node.bytes.size(), static_cast<int64_t>(node.inode), node.inode};
  }
  std::shared_ptr<Node> NewNode(std::string_view bytes) {
    auto node = std::make_shared<Node>();
    node->bytes = bytes;
    node->inode = ++inodes_;
    return node;
  }
  void Place(const std::string& path, std::string_view bytes) {
    auto node = NewNode(bytes);
    node->synced = node->bytes;
    files_[path] = std::move(node);
  }
  bool Reachable(std::string folder) const {
    for (; folder != "/"; folder = FolderOf(folder)) {
      if (durable_folders_.count(folder) == 0) return false;
    }
    return true;
  }
  Status Ask(std::string_view deed, const std::string& path, bool after) {
    return fault_ == nullptr ? Ok() : fault_(deed, path, after);
  }

  std::map<std::string, std::shared_ptr<Node>> files_, durable_files_;
  std::set<std::string> folders_, durable_folders_;
  uint64_t inodes_ = 0;
  Fault fault_;
};

}  // namespace qn
