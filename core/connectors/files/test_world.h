// A file system in memory, record splitters and a ledger for the tests of this folder. Not for production.
#pragma once

#include <fnmatch.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connectors/files/files_reader.h"

namespace qn::files {

struct FakeFile {
  std::string bytes;
  int64_t modified_ns = 0;
  uint64_t inode = 0;
  bool is_unreadable = false;
};

// Thread-safe. An open file is the inode: it stays readable when its name goes.
class FakeFiles final : public Files {
 public:
  void Write(const std::string& path, std::string bytes, int64_t modified_ns = 0) {
    const std::lock_guard lock(mutex_);
    auto file = std::make_shared<FakeFile>();
    file->bytes = std::move(bytes);
    file->modified_ns = modified_ns == 0 ? ++now_ : modified_ns;
    file->inode = ++inodes_;
    files_[path] = std::move(file);
  }
  void Append(const std::string& path, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<FakeFile>& file = files_[path];
    if (file == nullptr) {
      file = std::make_shared<FakeFile>();
      file->inode = ++inodes_;
    }
    file->bytes += bytes;
    file->modified_ns = ++now_;
  }
  void Change(const std::string& path, const std::function<void(FakeFile&)>& change) {
    const std::lock_guard lock(mutex_);
    change(*files_.at(path));
  }
  void Delete(const std::string& path) {
    const std::lock_guard lock(mutex_);
    files_.erase(path);
  }
  std::string BytesOf(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return files_.contains(path) ? files_.at(path)->bytes : "";
  }
  // Called after each byte range read, outside of any lock.
  std::function<void(const std::string& path)> on_read;
  std::function<void(const std::string& path)> on_open;
  int listings = 0;

  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override {
    if (on_open) on_open(path);
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return Status(Kind::kNotFound, "QN-3101", "There is no file '" + path + "'.");
    if (found->second->is_unreadable) {
      return Failed("QN-3102", "'" + path + "': Permission denied.");
    }
    return std::unique_ptr<ReadableFile>(std::make_unique<Opened>(this, path, found->second));
  }
  Result<FileInfo> Stat(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return Status(Kind::kNotFound, "QN-3101", "There is no file '" + path + "'.");
    return InfoOf(found->first, *found->second);
  }
  Result<std::vector<FileInfo>> Glob(const std::string& pattern) override {
    const std::lock_guard lock(mutex_);
    ++listings;
    if (!glob_failure.ok()) return glob_failure;
    std::vector<FileInfo> list;
    for (const auto& [path, file] : files_) {
      if (fnmatch(pattern.c_str(), path.c_str(), 0) == 0) list.push_back(InfoOf(path, *file));
    }
    return list;
  }
  Status glob_failure;

  Result<std::string> Read(const std::string&) override { return No(); }
  Result<std::vector<FileInfo>> List(const std::string&) override { return No(); }
  Status MakeFolder(const std::string&) override { return No(); }
  Status PutIfAbsent(const std::string&, std::string_view) override { return No(); }
  Status Put(const std::string&, std::string_view) override { return No(); }
  Status Remove(const std::string&) override { return No(); }
  Status Sync(const std::string&) override { return No(); }
  Status SyncFolder(const std::string&) override { return No(); }

 private:
  class Opened final : public ReadableFile {
   public:
    Opened(FakeFiles* files, std::string path, std::shared_ptr<FakeFile> file)
        : files_(files), path_(std::move(path)), file_(std::move(file)) {}
    Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) override {
      size_t got = 0;
      {
        const std::lock_guard lock(files_->mutex_);
        const std::string& bytes = file_->bytes;
        if (offset < bytes.size()) got = std::min<size_t>(size, bytes.size() - offset);
        if (got > 0) std::memcpy(out, bytes.data() + offset, got);
      }
      if (files_->on_read) files_->on_read(path_);
      return got;
    }
    Result<uint64_t> Size() override {
      const std::lock_guard lock(files_->mutex_);
      return file_->bytes.size();
    }

   private:
    FakeFiles* files_;
    std::string path_;
    std::shared_ptr<FakeFile> file_;
  };

  static FileInfo InfoOf(const std::string& path, const FakeFile& file) {
    return {path, file.bytes.size(), file.modified_ns, file.inode};
  }
  static Status No() { return Failed("QN-9001", "The fake cannot do this."); }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<FakeFile>> files_;
  int64_t now_ = 1'000'000;
  uint64_t inodes_ = 0;
};

class LineSplitter final : public RecordSplitter {
 public:
  size_t Whole(const char* data, size_t size, uint64_t* lines) const override {
    *lines = static_cast<uint64_t>(std::count(data, data + size, '\n'));
    const void* last = memrchr(data, '\n', size);
    return last == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(last) - data) + 1;
  }
};

// Line ends inside double quotes do not end a record, as in CSV.
class QuotedSplitter final : public RecordSplitter {
 public:
  size_t Whole(const char* data, size_t size, uint64_t* lines) const override {
    size_t whole = 0;
    bool is_quoted = false;
    uint64_t seen = 0;
    *lines = 0;
    for (size_t i = 0; i < size; ++i) {
      if (data[i] == '"') is_quoted = !is_quoted;
      if (data[i] != '\n') continue;
      ++seen;
      if (is_quoted) continue;
      whole = i + 1;
      *lines = seen;
    }
    return whole;
  }
  size_t RecordEnd(const char* data, size_t size, uint64_t* state, uint64_t* lines) const override {
    for (size_t i = 0; i < size; ++i) {
      if (data[i] == '"') *state ^= 1;
      if (data[i] != '\n') continue;
      ++*lines;
      if (*state == 0) return i + 1;
    }
    return 0;
  }
};

// One record as handed out.
struct Record {
  std::string path;
  uint64_t line = 0;
  std::string text;  // with its line end; the head only, if oversize
  uint64_t oversize = 0;

  auto operator<=>(const Record&) const = default;  // NOLINT(modernize-use-nullptr): what it compares with
  friend void PrintTo(const Record& r, std::ostream* out) {
    *out << r.path << ":" << r.line << " " << testing::PrintToString(r.text.substr(0, 40)) << " "
         << r.oversize;
  }
};

// Cuts a block into records by the splitter, one at a time.
inline void Unblock(const Block& block, const std::vector<std::string>& paths, const RecordSplitter& splitter,
                    std::vector<Record>* out) {
  ASSERT_LT(block.file, paths.size());
  ASSERT_GT(block.size, 0U);
  volatile char padding = 0;
  for (size_t i = 0; i < kBlockPadding; ++i) padding = block.data[block.size + i];
  static_cast<void>(padding);
  if (block.oversize_bytes > 0) {
    out->push_back({paths[block.file], block.first_line, {block.data, block.size}, block.oversize_bytes});
    return;
  }
  uint64_t line = block.first_line;
  size_t at = 0;
  while (at < block.size) {
    uint64_t state = 0;
    uint64_t lines = 0;
    size_t size = splitter.RecordEnd(block.data + at, block.size - at, &state, &lines);
    if (size == 0) size = block.size - at;
    out->push_back({paths[block.file], line, {block.data + at, size}, 0});
    at += size;
    line += lines;
  }
}

// All records of one stream, pulled by `threads` threads; in order when there is one.
inline Result<std::vector<Record>> Pull(Slice& slice, const RecordSplitter& splitter, int threads = 1) {
  Result<std::unique_ptr<BlockStream>> opened = slice.Blocks();
  if (!opened.ok()) return opened.status();
  BlockStream& stream = **opened;
  std::mutex mutex;
  std::vector<Record> records;
  Status failure;
  const auto work = [&] {
    for (;;) {
      Block block;
      Result<bool> more = stream.Next(&block);
      const std::lock_guard lock(mutex);
      if (!more.ok()) {
        if (failure.ok()) failure = more.status();
        return;
      }
      if (!*more) return;
      Unblock(block, slice.Files(), splitter, &records);
    }
  };
  if (threads == 1) {
    work();
  } else {
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back(work);
    for (std::thread& thread : all) thread.join();
  }
  if (!failure.ok()) return failure;
  return records;
}

struct World {
  FakeFiles files;
  LineSplitter lines;
  const RecordSplitter* splitter = &lines;
  FilesOptions options;
  EventTimePeek peek;
  std::vector<std::string> warnings;

  World() {
    options.glob = "/in/*";
    options.block_bytes = 64;
  }
  Result<std::unique_ptr<Reader>> TryOpen(const Json& position = {}) {
    return OpenFilesReader(files, options, splitter, peek, position,
                           [this](std::string text) { warnings.push_back(std::move(text)); });
  }
  std::unique_ptr<Reader> Open(const Json& position = {}) {
    Result<std::unique_ptr<Reader>> reader = TryOpen(position);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return reader.ok() ? std::move(*reader) : nullptr;
  }
  // Until idle or end.
  Result<std::vector<Record>> TryDrain(Reader& reader, uint64_t bytes_max = 1 << 20, int threads = 1) {
    std::vector<Record> all;
    for (;;) {
      Result<std::unique_ptr<Slice>> slice = reader.Next(bytes_max);
      if (!slice.ok()) return slice.status();
      if ((*slice)->kind() != SliceKind::kRows) return all;
      Result<std::vector<Record>> records = Pull(**slice, *splitter, threads);
      if (!records.ok()) return records.status();
      all.insert(all.end(), records->begin(), records->end());
    }
  }
  std::vector<Record> Drain(Reader& reader, uint64_t bytes_max = 1 << 20, int threads = 1) {
    Result<std::vector<Record>> all = TryDrain(reader, bytes_max, threads);
    EXPECT_TRUE(all.ok()) << all.status().ToString();
    return all.ok() ? *all : std::vector<Record>();
  }
  Json Tell(const Reader& reader) {
    Result<Json> position = reader.Tell();
    EXPECT_TRUE(position.ok()) << position.status().ToString();
    // Through text, as a checkpoint does.
    return position.ok() ? *Json::Parse(position->Dump()) : Json();
  }
};

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string Zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

}  // namespace qn::files
