// A trace's runs are like the digits of a number: eight of one level become one of the next, so a byte is
// copied a few times however many steps there are; the whole trace is written anew when its changes outweigh
// it.
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
constexpr uint64_t kMoveRatio = 4;  // a file of which less than a fourth is named is given up
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

void SetFrame(std::string& bytes, size_t at, uint64_t size) { std::memcpy(bytes.data() + at, &size, kFrame); }

}  // namespace

// The file of this step, in memory until it is written. Its runs have no file name yet.
class StateStore::NewFile {
 public:
  NewFile() : bytes_(kMagic) {}
  bool is_empty() const { return bytes_.size() == kMagic.size(); }
  std::string& bytes() { return bytes_; }

  // Everything behind `begin` as a run.
  Run RunFrom(size_t begin, int level) const {
    const std::string_view run = std::string_view(bytes_).substr(begin);
    return {"", begin, run.size(), Crc32c(run), level};
  }
  // One section, written by `write`, with its size before it; nothing written: nothing at all.
  template <typename F>
  void Section(F&& write) {
    const size_t begin = bytes_.size();
    bytes_.append(kFrame, '\0');
    write(bytes_);
    if (bytes_.size() == begin + kFrame) return bytes_.resize(begin);
    SetFrame(bytes_, begin, bytes_.size() - begin - kFrame);
  }

 private:
  std::string bytes_;
};

Status StateStore::AppendChanges(const std::string& name, Trace& trace, Saved& saved, NewFile& file) {
  std::string& bytes = file.bytes();
  const size_t begin = bytes.size();
  file.Section([&](std::string& out) { trace.TakeChanges(out); });
  if (bytes.size() == begin) return Ok();
  saved.changes += bytes.size() - begin;
  if (saved.changes > std::max(saved.whole, kWholeBytesMin)) {
    bytes.resize(begin);
    file.Section([&](std::string& out) { trace.Dump(out); });
    saved = {{file.RunFrom(begin, kWhole)}, bytes.size() - begin, 0};
    return Ok();
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
  std::string before;
  for (size_t i = saved.runs.size() - merged; i < saved.runs.size(); ++i) {
    QN_GET(const std::string run, ReadRun(name, saved.runs[i]));
    before += run;
  }
  bytes.insert(begin, before);
  saved.runs.resize(saved.runs.size() - merged);
  saved.runs.push_back(file.RunFrom(begin, level));
  return Ok();
}

// What little is still named of old files moves into the new one, so that they can go.
Status StateStore::MoveOut(Content& content, NewFile& file) {
  std::map<std::string, uint64_t> named;
  for (const auto& [name, saved] : content.traces) {
    for (const Run& run : saved.runs) named[run.file] += run.size;
  }
  for (auto& [name, saved] : content.traces) {
    for (Run& run : saved.runs) {
      const auto size = content.file_sizes.find(run.file);
      if (size == content.file_sizes.end() || size->second < kMoveBytesMin) continue;
      if (named[run.file] * kMoveRatio >= size->second) continue;
      QN_GET(const std::string bytes, ReadRun(name, run));
      const size_t begin = file.bytes().size();
      file.bytes() += bytes;
      run = file.RunFrom(begin, run.level);
    }
  }
  return Ok();
}

Result<Json> StateStore::Save(Epoch epoch, const NamedTraces& traces) {
  Content next;
  next.file_sizes = content_.file_sizes;
  NewFile file;
  for (const auto& [name, trace] : traces) {
    const auto before = content_.traces.find(name);
    Saved& saved = next.traces[name];
    if (before != content_.traces.end()) saved = before->second;
    QN_TRY(AppendChanges(name, *trace, saved, file));
  }
  if (!file.is_empty()) {
    QN_TRY(MoveOut(next, file));
    QN_GET(const std::string name, Write(epoch, file.bytes()));
    next.file_sizes[name] = file.bytes().size();
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

// A name that is taken is of an attempt that failed or a life that ended: nobody reads it. So is one of which
// it is unknown whether it was written.
Result<std::string> StateStore::Write(Epoch epoch, const std::string& bytes) {
  QN_FAIL("state.save.before");
  if (!has_folder_) QN_TRY(files_.MakeFolder(folder_));
  has_folder_ = true;
  int unknown = 0;
  for (int attempt = 0; attempt < kNamesMax; ++attempt) {
    const std::string name = FileName(epoch, attempt);
    Status put = files_.PutIfAbsent(folder_ + "/" + name, bytes);
    if (put.kind() != Kind::kConflict) there_.insert(name);
    if (put.ok()) {
      QN_FAIL("state.save.after");
      return name;
    }
    if (put.kind() == Kind::kConflict) continue;
    if (put.kind() != Kind::kUnknown || ++unknown == kUnknownMax) return put;
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

// Checked, always: also before it is copied into a newer file.
Result<std::string> StateStore::ReadRun(const std::string& name, const Run& run) {
  QN_GET(ReadableFile * file, OpenFile(name, run.file));
  const std::string path = folder_ + "/" + run.file;
  QN_GET(const uint64_t size, file->Size());
  if (run.offset > size || run.size > size - run.offset) {
    return Damaged(path, name,
                   "It ends after " + std::to_string(size) + " bytes; " +
                       std::to_string(run.offset + run.size) + " were expected.");
  }
  std::string bytes(run.size, '\0');
  for (size_t done = 0; done < bytes.size();) {
    QN_GET(const size_t n, file->ReadAt(run.offset + done, bytes.data() + done, bytes.size() - done));
    if (n == 0) return Damaged(path, name, "It became shorter while it was read.");
    done += n;
  }
  if (Crc32c(bytes) != run.crc) return Damaged(path, name, "Its checksum is wrong.");
  return bytes;
}

Status StateStore::ApplyRun(const std::string& name, const Run& run, Trace& trace) {
  QN_GET(const std::string bytes, ReadRun(name, run));
  const std::string path = folder_ + "/" + run.file;
  for (std::string_view left = bytes; !left.empty();) {
    uint64_t size = 0;
    if (left.size() >= kFrame) std::memcpy(&size, left.data(), kFrame);
    if (left.size() < kFrame || size > left.size() - kFrame) {
      return Damaged(path, name, "Its sections have no sound sizes.");
    }
    Status applied = trace.Apply(left.substr(kFrame, size));
    if (!applied.ok()) return std::move(applied).With("file: '" + path + "', for " + name);
    left.remove_prefix(kFrame + size);
  }
  return Ok();
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
    traces.Set(name,
               Json::Object{{"whole", saved.whole}, {"changes", saved.changes}, {"runs", std::move(runs)}});
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
    saved.changes = trace["changes"].Uint();
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
