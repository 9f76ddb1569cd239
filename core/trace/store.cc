// A trace's runs are like the digits of a number: eight of one level become one of the next, so a byte is
// copied a few times however many steps there are; the whole trace is written anew when its changes outweigh
// it. Nothing is in memory as a whole, neither when it is written nor when it is read: a section at a time.
#include "trace/store.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/fail_point.h"

namespace qn::trace {
namespace {

constexpr std::string_view kMagic = "QNSTATE1";
constexpr std::string_view kPrefix = "state-";
constexpr std::string_view kSuffix = ".bin";
constexpr size_t kFrame = sizeof(uint64_t);
constexpr int kWhole = 100;
constexpr size_t kMergedRuns = 8;
constexpr uint64_t kWholeBytesMin = uint64_t{1} << 20;
constexpr uint64_t kMoveBytesMin = uint64_t{64} << 10;
constexpr uint64_t kMoveRatio = 4;               // a file of which less than a fourth is named is given up
constexpr size_t kPieceBytes = size_t{1} << 20;  // of a copy
constexpr int kNamesMax = 10'000;
constexpr int kUnknownMax = 3;

std::string FileName(Epoch epoch, int attempt) {
  const std::string digits = std::to_string(epoch);
  return std::string(kPrefix) + std::string(20 - std::min<size_t>(20, digits.size()), '0') + digits + "-" +
         std::to_string(attempt) + std::string(kSuffix);
}

bool IsOurs(std::string_view name) {
  return (name.starts_with(kPrefix) && name.ends_with(kSuffix)) || name.starts_with(kTempPrefix);
}

Status Damaged(const std::string& file, const std::string& trace, const std::string& reason) {
  return Status(Kind::kFailed, "QN-3408", "What a query remembers cannot be read back.")
      .With("file: '" + file + "', for " + trace)
      .With(reason)
      .With("Nothing was started: going on without it would give wrong answers.")
      .With("Put the file back from a backup, or rebuild the dataset with --full-refresh.");
}

}  // namespace

// The file of this step, on its way: what is appended is not kept. Its runs have no file name yet.
class StateStore::StepFile {
 public:
  explicit StepFile(StateStore& store) : store_(store), pending_(kMagic), size_(kMagic.size()) {}
  bool is_empty() const { return size_ == kMagic.size(); }
  uint64_t size() const { return size_; }

  // What is appended from here on is a run.
  void BeginRun() {
    begin_ = size_;
    crc_ = 0;
  }
  Run EndRun(int level) const { return {"", begin_, size_ - begin_, crc_, level}; }

  Status Append(std::string_view bytes) {
    crc_ = Crc32c(bytes, crc_);
    size_ += bytes.size();
    if (pending_.size() + bytes.size() > kPendingBytes) QN_TRY(Flush());
    if (bytes.size() > kPendingBytes) return file_->Append(bytes);
    pending_ += bytes;
    return Ok();
  }
  // One section, with its size before it.
  Status AppendSection(std::string_view section) {
    const uint64_t size = section.size();
    QN_TRY(Append({reinterpret_cast<const char*>(&size), kFrame}));
    return Append(section);
  }
  Status PutIfAbsent(const std::string& path) {
    QN_TRY(Flush());
    return file_->PutIfAbsent(path);
  }

 private:
  static constexpr size_t kPendingBytes = size_t{256} << 10;  // written at once
  Status Flush() {
    if (file_ == nullptr) {
      QN_TRY(store_.PrepareFolder());
      QN_GET(file_, store_.files_.Create(store_.folder_));
    }
    if (!pending_.empty()) QN_TRY(file_->Append(pending_));
    pending_.clear();
    return Ok();
  }

  StateStore& store_;
  std::unique_ptr<NewFile> file_;
  std::string pending_;
  uint64_t size_;
  uint64_t begin_ = 0;
  uint32_t crc_ = 0;
};

// A run from its front to its end, a piece at a time; only at the end it is known to be sound.
class StateStore::RunReader {
 public:
  RunReader(ReadableFile& file, const Run& run, std::string path, std::string trace)
      : file_(file), run_(run), path_(std::move(path)), trace_(std::move(trace)) {}

  uint64_t left() const { return run_.size - done_; }
  // The next `size` bytes, at most left().
  Status Read(uint64_t size, char* out) {
    for (uint64_t got = 0; got < size;) {
      QN_GET(const size_t n, file_.ReadAt(run_.offset + done_ + got, out + got, size - got));
      if (n == 0) return Wrong("It became shorter while it was read.");
      got += n;
    }
    crc_ = Crc32c({out, size}, crc_);
    done_ += size;
    return Ok();
  }
  // The rest is read as well. QN-3408: the bytes are not those that were written.
  Status CheckAll() {
    std::string piece(std::min<uint64_t>(left(), kPieceBytes), '\0');
    while (left() > 0) QN_TRY(Read(std::min<uint64_t>(left(), piece.size()), piece.data()));
    return crc_ == run_.crc ? Ok() : Wrong("Its checksum is wrong.");
  }
  Status Wrong(const std::string& reason) const { return Damaged(path_, trace_, reason); }
  const std::string& path() const { return path_; }

 private:
  ReadableFile& file_;
  Run run_;
  std::string path_;
  std::string trace_;
  uint64_t done_ = 0;
  uint32_t crc_ = 0;
};

Status StateStore::AppendWhole(Trace& trace, Saved& saved, StepFile& file) {
  trace.DropChanges();
  file.BeginRun();
  QN_TRY(trace.Dump([&file](std::string_view section) { return file.AppendSection(section); }));
  const Run run = file.EndRun(kWhole);
  saved = {};
  if (run.size > 0) saved = {{run}, run.size, trace.keys(), 0};
  return Ok();
}

Status StateStore::AppendChanges(const std::string& name, Trace& trace, Saved& saved, StepFile& file) {
  const uint64_t change_bytes = trace.change_bytes();
  if (change_bytes == 0) return Ok();
  if (saved.changes + change_bytes > std::max(saved.whole, kWholeBytesMin)) {
    return AppendWhole(trace, saved, file);
  }
  int level = 0;
  size_t merged = 0;  // of the last runs
  for (size_t same = 0; merged + same < saved.runs.size();) {
    if (saved.runs[saved.runs.size() - 1 - merged - same].level != level) break;
    if (++same < kMergedRuns - 1) continue;
    merged += same;
    same = 0;
    ++level;
  }
  file.BeginRun();
  for (size_t i = saved.runs.size() - merged; i < saved.runs.size(); ++i) {
    QN_TRY(CopyRun(name, saved.runs[i], file));
  }
  const uint64_t before = file.size();
  QN_TRY(trace.TakeChanges([&file](std::string_view section) { return file.AppendSection(section); }));
  saved.changes += file.size() - before;
  saved.runs.resize(saved.runs.size() - merged);
  saved.runs.push_back(file.EndRun(level));
  return Ok();
}

// What little is still named of old files moves into the new one, so that they can go.
Status StateStore::MoveOut(Content& content, StepFile& file) {
  std::map<std::string, uint64_t> named;
  for (const auto& [name, saved] : content.traces) {
    for (const Run& run : saved.runs) named[run.file] += run.size;
  }
  for (auto& [name, saved] : content.traces) {
    for (Run& run : saved.runs) {
      const auto size = content.file_sizes.find(run.file);
      if (size == content.file_sizes.end() || size->second < kMoveBytesMin) continue;
      if (named[run.file] * kMoveRatio >= size->second) continue;
      file.BeginRun();
      QN_TRY(CopyRun(name, run, file));
      run = file.EndRun(run.level);
    }
  }
  return Ok();
}

Result<Json> StateStore::Save(Epoch epoch, const NamedTraces& traces) {
  Content next;
  next.file_sizes = content_.file_sizes;
  StepFile file(*this);
  for (const auto& [name, trace] : traces) {
    const auto before = content_.traces.find(name);
    Saved& saved = next.traces[name];
    if (before != content_.traces.end()) saved = before->second;
    QN_TRY(AppendChanges(name, *trace, saved, file));
  }
  if (!file.is_empty()) {
    QN_TRY(MoveOut(next, file));
    QN_GET(const std::string name, Write(epoch, file));
    next.file_sizes[name] = file.size();
    for (auto& [trace, saved] : next.traces) {
      for (Run& run : saved.runs) {
        if (run.file.empty()) run.file = name;
      }
    }
  }
  std::set<std::string> named;
  for (const auto& [trace, saved] : next.traces) {
    for (const Run& run : saved.runs) named.insert(run.file);
  }
  std::erase_if(next.file_sizes, [&](const auto& item) { return named.count(item.first) == 0; });
  std::erase_if(open_, [&](const auto& item) { return named.count(item.first) == 0; });
  content_ = std::move(next);
  return ToJson(content_);
}

Status StateStore::PrepareFolder() {
  if (!has_folder_) QN_TRY(files_.MakeFolder(folder_));
  has_folder_ = true;
  return Ok();
}

// A name that is taken is of an attempt that failed or a life that ended: nobody reads it.
Result<std::string> StateStore::Write(Epoch epoch, StepFile& file) {
  QN_FAIL("state.save.before");
  int unknown = 0;
  for (int attempt = 0; attempt < kNamesMax;) {
    const std::string name = FileName(epoch, attempt);
    Status put = file.PutIfAbsent(folder_ + "/" + name);
    if (put.kind() != Kind::kConflict) there_.insert(name);
    if (put.ok()) {
      QN_FAIL("state.save.after");
      return name;
    }
    if (put.kind() == Kind::kConflict) {
      ++attempt;
    } else if (put.kind() != Kind::kUnknown || ++unknown == kUnknownMax) {
      return put;
    }
  }
  return Failed("QN-3409", "What the queries remember cannot be stored.")
      .With("'" + folder_ + "' has " + std::to_string(kNamesMax) + " files of step " + std::to_string(epoch) +
            " already.")
      .With("Remove those that no checkpoint names, then run again.");
}

Result<ReadableFile*> StateStore::OpenFile(const std::string& name, const std::string& file) {
  const auto found = open_.find(file);
  if (found != open_.end()) return found->second.get();
  const std::string path = folder_ + "/" + file;
  Result<std::unique_ptr<ReadableFile>> opened = files_.Open(path);
  if (!opened.ok()) {
    if (opened.status().kind() == Kind::kNotFound) return Damaged(path, name, "It is not there.");
    return opened.status();
  }
  std::string magic(kMagic.size(), '\0');
  QN_GET(const size_t size, (*opened)->ReadAt(0, magic.data(), magic.size()));
  if (size != kMagic.size() || magic != kMagic) return Damaged(path, name, "It does not begin as it should.");
  return (open_[file] = std::move(opened).value()).get();
}

Result<StateStore::RunReader> StateStore::OpenRun(const std::string& name, const Run& run) {
  QN_GET(ReadableFile * file, OpenFile(name, run.file));
  const std::string path = folder_ + "/" + run.file;
  QN_GET(const uint64_t size, file->Size());
  if (run.offset > size || run.size > size - run.offset) {
    return Damaged(path, name,
                   "It ends after " + std::to_string(size) + " bytes; " +
                       std::to_string(run.offset + run.size) + " were expected.");
  }
  return RunReader(*file, run, path, name);
}

// Damage is not copied: the new file gets no name then.
Status StateStore::CopyRun(const std::string& name, const Run& run, StepFile& file) {
  QN_GET(RunReader reader, OpenRun(name, run));
  std::string piece(std::min<uint64_t>(run.size, kPieceBytes), '\0');
  while (reader.left() > 0) {
    const uint64_t size = std::min<uint64_t>(reader.left(), piece.size());
    QN_TRY(reader.Read(size, piece.data()));
    QN_TRY(file.Append(std::string_view(piece).substr(0, size)));
  }
  return reader.CheckAll();
}

// Sections are applied as they are read, for they are checked in themselves; when the whole turns out to be
// damaged, that is what is told, and what the trace has then goes with it.
Status StateStore::ApplyRun(const std::string& name, const Run& run, Trace& trace) {
  QN_GET(RunReader reader, OpenRun(name, run));
  std::string section;
  Status applied;
  while (applied.ok() && reader.left() > 0) {
    uint64_t size = 0;
    if (reader.left() >= kFrame) QN_TRY(reader.Read(kFrame, reinterpret_cast<char*>(&size)));
    if (size == 0 || size > reader.left()) {
      applied = reader.Wrong("Its sections have no sound sizes.");
      break;
    }
    if (section.size() < size) section.resize(size);
    QN_TRY(reader.Read(size, section.data()));
    applied = trace.Apply(std::string_view(section).substr(0, size));
    if (!applied.ok()) applied.With("file: '" + reader.path() + "', for " + name);
  }
  QN_TRY(reader.CheckAll());
  return applied;
}

Status StateStore::Restore(const Json& state, const NamedTraces& traces) {
  content_ = {};
  open_.clear();
  Content content;
  if (!state.IsNull() && !FromJson(state, &content)) {
    return Damaged(folder_, "all traces", "The checkpoint's list of its files makes no sense.");
  }
  for (const auto& [name, trace] : traces) {
    const auto found = content.traces.find(name);
    if (found == content.traces.end()) continue;
    QN_TRY(trace->Expect(found->second.keys));
    for (const Run& run : found->second.runs) QN_TRY(ApplyRun(name, run, *trace));
    content_.traces.insert(*found);
  }
  content_.file_sizes = std::move(content.file_sizes);
  open_.clear();
  return Ok();
}

Status StateStore::Sweep(std::span<const Json> kept) {
  if (!has_listed_) {
    QN_GET(const std::vector<FileInfo> found, files_.List(folder_));
    for (const FileInfo& info : found) {
      const std::string name = info.path.substr(folder_.size() + 1);
      if (IsOurs(name)) there_.insert(name);
    }
    has_listed_ = true;
  }
  std::set<std::string> named;
  for (const auto& [file, size] : content_.file_sizes) named.insert(file);
  for (const Json& state : kept) {
    for (const Json& file : state["files"].Items()) named.insert(file.At(0).Str());
  }
  for (auto file = there_.begin(); file != there_.end();) {
    const bool is_gone = named.count(*file) == 0 && files_.Remove(folder_ + "/" + *file).ok();
    file = is_gone ? there_.erase(file) : std::next(file);
  }
  return Ok();
}

Json StateStore::ToJson(const Content& content) {
  std::map<std::string, uint64_t> numbers;
  Json files{Json::Array{}};
  for (const auto& [file, size] : content.file_sizes) {
    numbers.emplace(file, numbers.size());
    files.Push(Json::Array{file, size});
  }
  Json traces{Json::Object{}};
  for (const auto& [name, saved] : content.traces) {
    if (saved.runs.empty()) continue;
    Json runs{Json::Array{}};
    for (const Run& run : saved.runs) {
      runs.Push(Json::Array{numbers[run.file], run.offset, run.size, uint64_t{run.crc}, run.level});
    }
    traces.Set(name, Json::Object{{"whole", saved.whole},
                                  {"keys", saved.keys},
                                  {"changes", saved.changes},
                                  {"runs", std::move(runs)}});
  }
  return Json::Object{{"files", std::move(files)}, {"traces", std::move(traces)}};
}

bool StateStore::FromJson(const Json& json, Content* out) {
  if (!json["files"].IsArray() || !json["traces"].IsObject()) return false;
  std::vector<std::string> files;
  for (const Json& file : json["files"].Items()) {
    const std::string& name = file.At(0).Str();
    if (!IsOurs(name) || name.find('/') != std::string::npos) return false;
    files.push_back(name);
    out->file_sizes[name] = file.At(1).Uint();
  }
  for (const auto& [name, trace] : json["traces"].Members()) {
    Saved& saved = out->traces[name];
    saved.whole = trace["whole"].Uint();
    saved.keys =
        trace["keys"].Uint();  // 0 where an older version wrote it: then the trace grows as they come
    saved.changes = trace["changes"].Uint();
    if (saved.keys > saved.whole) return false;
    for (const Json& run : trace["runs"].Items()) {
      const uint64_t file = run.At(0).Uint(files.size());
      if (file >= files.size() || run.Items().size() != 5) return false;
      saved.runs.push_back({files[file], run.At(1).Uint(), run.At(2).Uint(),
                            static_cast<uint32_t>(run.At(3).Uint()), static_cast<int>(run.At(4).Int())});
    }
  }
  return true;
}

}  // namespace qn::trace
