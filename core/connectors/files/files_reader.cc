// Lists, puts in order, cuts slices and remembers. All reading of content is in the slices; one thread is
// here.
#include "connectors/files/files_reader.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/fail_point.h"
#include "connectors/files/listing.h"
#include "connectors/files/problems.h"
#include "connectors/files/record_slice.h"
#include "connectors/files/seen_files.h"
#include "connectors/files/unpacker.h"

namespace qn {
namespace files {
namespace {

constexpr int64_t kPositionVersion = 1;
constexpr size_t kPartsMax = 10'000;                      // files of one slice
constexpr uint64_t kLookAheadBytes = uint64_t{64} << 10;  // of a grown file, to see whether a record is whole
constexpr int64_t kListingShare = 4;  // idle listing takes at most one part in (this + 1) of the time
constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

std::string_view NameOf(FileOrder order) {
  switch (order) {
    case FileOrder::kModified:
      return "modified";
    case FileOrder::kEventTime:
      return "event_time";
    case FileOrder::kName:
      break;
  }
  return "name";
}

// A file that has something to read.
struct Waiting {
  int64_t time = 0;  // the order's first key
  FileInfo file;
  bool is_begun = false;
  Mark mark;

  uint64_t bytes() const { return file.size - std::min(file.size, mark.stored); }
};

class RecordsSlice final : public Slice {
 public:
  RecordsSlice(std::shared_ptr<SliceState> state, uint64_t bytes) : state_(std::move(state)), bytes_(bytes) {}
  SliceKind kind() const override { return SliceKind::kRows; }
  uint64_t bytes() const override { return bytes_; }
  const std::vector<std::string>& Files() const override { return state_->paths(); }
  Result<std::unique_ptr<BlockStream>> Blocks() override { return NewStream(state_); }
  const std::vector<ParquetPart>& Parquet() const override { return none_; }

 private:
  const std::shared_ptr<SliceState> state_;
  const uint64_t bytes_;
  const std::vector<ParquetPart> none_;
};

class NoBlocks final : public BlockStream {
 public:
  Result<bool> Next(Block*) override { return false; }
};

// Whole Parquet files, or nothing at all.
class WholeFilesSlice final : public Slice {
 public:
  WholeFilesSlice(SliceKind kind, std::vector<ParquetPart> parts) : kind_(kind), parts_(std::move(parts)) {
    for (const ParquetPart& part : parts_) paths_.push_back(part.path);
  }
  SliceKind kind() const override { return kind_; }
  uint64_t bytes() const override {
    uint64_t sum = 0;
    for (const ParquetPart& part : parts_) sum += part.size;
    return sum;
  }
  const std::vector<std::string>& Files() const override { return paths_; }
  Result<std::unique_ptr<BlockStream>> Blocks() override {
    return std::unique_ptr<BlockStream>(std::make_unique<NoBlocks>());
  }
  const std::vector<ParquetPart>& Parquet() const override { return parts_; }

 private:
  const SliceKind kind_;
  const std::vector<ParquetPart> parts_;
  std::vector<std::string> paths_;
};

class FilesReader final : public Reader {
 public:
  FilesReader(Files& files, const FilesOptions& options, const RecordSplitter* splitter, EventTimePeek peek,
              WarningSink warnings)
      : files_(files),
        options_(options),
        splitter_(splitter),
        peek_(std::move(peek)),
        warnings_(std::move(warnings)),
        hidden_(options.glob),
        pool_(std::make_shared<BlockPool>(options.block_bytes)) {}

  Status Load(const Json& position) {
    if (position.IsNull()) return Ok();
    if (!position.IsObject()) return UnreadablePosition("it is not a JSON object");
    if (position["v"].Int() != kPositionVersion) {
      return UnreadablePosition("its version is " + position["v"].Dump() + ", this Qanat knows " +
                                std::to_string(kPositionVersion));
    }
    QN_TRY(CheckSame("content", position["content"].Str(), Content()));
    QN_TRY(CheckSame("glob", position["glob"].Str(), options_.glob));
    QN_TRY(CheckSame("order", position["order"].Str(), NameOf(options_.order)));
    QN_GET(seen_, SeenFiles::Load(position["files"]));
    current_ = position["current"].Str();
    listed_before_ns_ = position["listed_ns"].Int();
    listed_ns_ = listed_before_ns_;
    return Ok();
  }

  Result<std::unique_ptr<Slice>> Next(uint64_t bytes_max) override {
    QN_FAIL("files.next");
    QN_TRY(Settle());
    if (MustList()) QN_TRY(ListAgain());
    std::unique_ptr<Slice> slice;
    if (splitter_ == nullptr) {
      QN_GET(slice, NextFiles(bytes_max));
    } else {
      QN_GET(slice, NextRecords(bytes_max));
    }
    if (slice == nullptr) {
      slice = std::make_unique<WholeFilesSlice>(options_.is_continuous ? SliceKind::kIdle : SliceKind::kEnd,
                                                std::vector<ParquetPart>());
    }
    return slice;
  }

  Result<Json> Tell() const override {
    QN_TRY(Settle());
    Json position;
    position.Set("v", kPositionVersion);
    position.Set("content", Content());
    position.Set("glob", options_.glob);
    position.Set("order", NameOf(options_.order));
    if (!current_.empty()) position.Set("current", current_);
    position.Set("listed_ns", listed_ns_);
    position.Set("files", seen_.Save());
    return position;
  }

  uint64_t BytesWaiting() const override { return waiting_bytes_; }
  uint64_t BytesRead() const override { return read_bytes_ + slice_bytes_; }

  int64_t WatermarkBound() const override {
    if (options_.order != FileOrder::kEventTime) return std::numeric_limits<int64_t>::max();
    if (!Settle().ok()) return kNoTime;
    for (const Waiting& waiting : waiting_) {
      if (!waiting.is_begun) return waiting.time;
    }
    return std::numeric_limits<int64_t>::max();
  }

 private:
  std::string_view Content() const { return splitter_ == nullptr ? "parquet" : "records"; }

  static Status CheckSame(std::string_view what, const std::string& before, std::string_view now) {
    return before == now ? Ok() : OtherPosition(what, before, std::string(now));
  }

  void Warn(std::string text) const {
    if (warnings_) warnings_(std::move(text));
  }

  // ---- listing ----

  bool MustList() const {
    const int64_t now = options_.clock == nullptr ? 0 : options_.clock->MonotonicNs();
    if (!has_listed_) return true;
    if (waiting_.empty())
      return !options_.is_continuous || options_.clock == nullptr || now >= idle_until_ns_;
    constexpr int64_t kNsInMs = 1'000'000;
    return options_.clock != nullptr && now - listed_at_ns_ >= options_.relist_ms * kNsInMs;
  }

  Status ListAgain() {
    const int64_t begun = options_.clock == nullptr ? 0 : options_.clock->MonotonicNs();
    QN_GET(const std::vector<FileInfo> found, ListFiles(files_, options_.glob, hidden_));
    if (!has_listed_ && found.empty()) Warn(NothingFoundWarning(options_.glob));
    QN_TRY(CheckCurrent(found));
    std::vector<Waiting> waiting;
    std::unordered_map<std::string, int64_t> times;
    for (const FileInfo& file : found) {
      Waiting one;
      QN_GET(const bool has_news, HasNews(file, &one));
      listed_ns_ = std::max(listed_ns_, file.modified_ns);
      if (!has_news) continue;
      QN_GET(one.time, TimeOf(one, &times));
      waiting.push_back(std::move(one));
    }
    times_ = std::move(times);
    std::sort(waiting.begin(), waiting.end(), [this](const Waiting& a, const Waiting& b) {
      const bool a_goes_on = a.file.path == current_;
      const bool b_goes_on = b.file.path == current_;
      if (a_goes_on != b_goes_on) return a_goes_on;
      return a.time != b.time ? a.time < b.time : a.file.path < b.file.path;
    });
    waiting_.assign(std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end()));
    CountWaiting();
    has_listed_ = true;
    if (options_.clock != nullptr) {
      listed_at_ns_ = options_.clock->MonotonicNs();
      idle_until_ns_ = listed_at_ns_ + kListingShare * (listed_at_ns_ - begun);
    }
    return Ok();
  }

  // The rest of a file that was begun is owed: without it, nothing goes on.
  Status CheckCurrent(const std::vector<FileInfo>& found) const {
    const auto is_current = [this](const FileInfo& file) { return file.path == current_; };
    if (current_.empty() || std::any_of(found.begin(), found.end(), is_current)) return Ok();
    const SeenFile* seen = seen_.Find(current_);
    return VanishedFile(current_, seen == nullptr ? Mark{} : seen->mark);
  }

  // Whether there is something to read in it.
  Result<bool> HasNews(const FileInfo& file, Waiting* out) {
    out->file = file;
    const SeenFile* seen = seen_.Find(file.path);
    if (seen == nullptr) return file.size > 0;
    if (!seen->has_mark) {
      WarnOfChange(file, *seen);
      return false;
    }
    out->mark = seen->mark;
    out->is_begun = seen->mark.offset > 0;
    if (file.size < seen->mark.stored && out->is_begun) {
      if (seen->is_finished && file.size == 0) return false;  // emptied after it was read: nothing is lost
      return Shrank(file.path, seen->mark.stored, file.size);
    }
    if (seen->is_finished && file.size == seen->size && file.modified_ns != seen->modified_ns) {
      QN_TRY(CheckTouched(file, *seen));
      return false;
    }
    if (!options_.is_continuous) {
      return !done_.contains(file.path) && (!seen->is_finished || file.size != seen->size);
    }
    return file.size != seen->size;
  }

  // Of a file that was read whole and of which no more is known.
  void WarnOfChange(const FileInfo& file, const SeenFile& seen) {
    const int64_t known_ns = seen.modified_ns != 0 ? seen.modified_ns : listed_before_ns_;
    if (known_ns == 0 || file.modified_ns <= known_ns || !warned_.insert(file.path).second) return;
    Warn(splitter_ != nullptr ? ForgottenMarkWarning(file.path) : ChangedParquetWarning(file.path));
  }

  // As long as it was, and modified since: touched or copied, or other content stands where we have read.
  Status CheckTouched(const FileInfo& file, SeenFile seen) {
    const Result<std::unique_ptr<ReadableFile>> opened = files_.Open(file.path);
    if (!opened.ok()) return Ok();  // nothing of it is wanted any more
    const Result<uint32_t> print = PrintOf(**opened, seen.mark.stored);
    if (!print.ok()) return Ok();
    if (*print != seen.mark.print) return Replaced(file.path, seen.mark.stored);
    seen.modified_ns = file.modified_ns;
    seen_.Put(std::move(seen));
    return Ok();
  }

  Result<int64_t> TimeOf(const Waiting& waiting, std::unordered_map<std::string, int64_t>* times) {
    if (options_.order == FileOrder::kName) return int64_t{0};
    if (options_.order == FileOrder::kModified) return waiting.file.modified_ns;
    const auto known = times_.find(waiting.file.path);
    int64_t time = kNoTime;
    if (known != times_.end() && known->second != kNoTime) {
      time = known->second;
    } else if (peek_) {
      Result<std::optional<int64_t>> first = peek_(waiting.file.path);
      if (!first.ok() && first.status().kind() != Kind::kNotFound) {
        Status status = first.status();
        return status.With("while looking for the first event time of '" + waiting.file.path + "'");
      }
      if (first.ok()) time = first->value_or(kNoTime);
    }
    times->emplace(waiting.file.path, time);
    return time;
  }

  void CountWaiting() const {
    waiting_bytes_ = 0;
    for (const Waiting& waiting : waiting_) waiting_bytes_ += waiting.bytes();
  }

  // ---- slices of records ----

  // Null when there is nothing to read.
  Result<std::unique_ptr<Slice>> NextRecords(uint64_t bytes_max) {
    std::vector<std::unique_ptr<Part>> parts;
    uint64_t planned = 0;
    bytes_max = std::max<uint64_t>(bytes_max, 1);
    for (size_t i = 0; i < waiting_.size() && planned < bytes_max && parts.size() < kPartsMax;) {
      const Waiting& waiting = waiting_[i];
      QN_GET(const bool has_whole, HasWholeRecord(waiting));
      if (!has_whole) {
        waiting_bytes_ -= waiting.bytes();
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      auto part = std::make_unique<Part>();
      part->path = waiting.file.path;
      part->is_begun = waiting.is_begun;
      part->begin = waiting.mark;
      part->bytes_max = bytes_max - planned;
      if (waiting.file.path == current_) part->unpacker = std::move(unpacker_);
      planned += std::max<uint64_t>(1, std::min(waiting.bytes(), part->bytes_max));
      parts.push_back(std::move(part));
      ++i;
    }
    if (parts.empty()) return std::unique_ptr<Slice>();
    ReadContext context{files_, *splitter_, pool_, options_.is_continuous, options_.record_bytes_max};
    slice_ = std::make_shared<SliceState>(std::move(context), std::move(parts),
                                          std::min(bytes_max, kKeptBytesMax));
    slice_bytes_ = planned;
    waiting_bytes_ -= std::min(waiting_bytes_, planned);
    return std::unique_ptr<Slice>(std::make_unique<RecordsSlice>(slice_, planned));
  }

  // A continuous run would make steps of nothing while a writer writes a record bit by bit: for the small
  // rest of a file that was looked at before, looks whether a record is whole.
  Result<bool> HasWholeRecord(const Waiting& waiting) {
    const SeenFile* seen = seen_.Find(waiting.file.path);
    if (!options_.is_continuous || seen == nullptr || seen->size == 0 || waiting.mark.unterminated ||
        waiting.mark.stored != waiting.mark.offset || waiting.bytes() > kLookAheadBytes) {
      return true;
    }
    Result<std::unique_ptr<ReadableFile>> file = files_.Open(waiting.file.path);
    if (!file.ok()) return true;  // the slice says what is wrong
    std::string rest(waiting.bytes() + kBlockPadding, '\0');
    Result<size_t> got = (*file)->ReadAt(waiting.mark.stored, rest.data(), waiting.bytes());
    if (!got.ok() || *got < waiting.bytes()) return true;
    char magic[kMagicBytes];
    Result<size_t> head = (*file)->ReadAt(0, magic, sizeof(magic));
    if (!head.ok() || CodecOf(waiting.file.path, {magic, *head}) != Codec::kPlain) return true;
    uint64_t lines = 0;
    if (splitter_->Whole(rest.data(), *got, &lines) > 0) return true;
    SeenFile looked_at = *seen;
    looked_at.size = waiting.file.size;
    seen_.Put(std::move(looked_at));
    return false;
  }

  // ---- slices of whole files ----

  Result<std::unique_ptr<Slice>> NextFiles(uint64_t bytes_max) {
    std::vector<ParquetPart> parts;
    uint64_t planned = 0;
    while (!waiting_.empty() && parts.size() < kPartsMax) {
      const FileInfo file = waiting_.front().file;
      if (planned > 0 && planned + file.size > bytes_max) break;
      waiting_.pop_front();
      waiting_bytes_ -= file.size;
      QN_GET(const bool is_whole, IsWholeParquet(file));
      if (!is_whole) continue;
      SeenFile seen;
      seen.path = file.path;
      seen.has_mark = false;
      seen.is_finished = true;
      seen.modified_ns = file.modified_ns;
      seen_.Put(std::move(seen));
      parts.push_back({file.path, file.size});
      planned += file.size;
      read_bytes_ += file.size;
    }
    if (parts.empty()) return std::unique_ptr<Slice>();
    return std::unique_ptr<Slice>(std::make_unique<WholeFilesSlice>(SliceKind::kRows, std::move(parts)));
  }

  // False when it vanished or, in a continuous run, is still being written.
  Result<bool> IsWholeParquet(const FileInfo& info) {
    Result<std::unique_ptr<ReadableFile>> file = files_.Open(info.path);
    if (!file.ok()) {
      if (file.status().kind() != Kind::kNotFound) return CannotRead(info.path, file.status());
      Warn(VanishedWarning(info.path));
      return false;
    }
    constexpr size_t kMagic = 4;
    constexpr uint64_t kLeastBytes = 12;  // both magics and the footer's length
    char head[kMagic] = {};
    char tail[kMagic] = {};
    Result<size_t> got = (*file)->ReadAt(0, head, kMagic);
    if (got.ok() && info.size >= kLeastBytes) got = (*file)->ReadAt(info.size - kMagic, tail, kMagic);
    if (!got.ok()) return CannotRead(info.path, got.status());
    const auto is_magic = [](const char* bytes) {
      const std::string_view text(bytes, kMagic);
      return text == "PAR1" || text == "PARE";
    };
    if (is_magic(head) && is_magic(tail)) return true;
    if (options_.is_continuous) return false;
    return IncompleteParquet(info.path, info.size);
  }

  // ---- what came of the last slice ----

  // Takes over where the last slice ended. If nobody streamed it to its end, that is done here first.
  Status Settle() const {
    if (slice_ == nullptr) return Ok();
    if (slice_->ends() == nullptr) {
      std::unique_ptr<BlockStream> stream = NewStream(slice_);
      Block block;
      for (;;) {
        QN_GET(const bool has_more, stream->Next(&block));
        if (!has_more) break;
      }
    }
    const std::shared_ptr<SliceState> slice = std::exchange(slice_, nullptr);
    slice_bytes_ = 0;
    std::vector<Waiting> left;
    current_.clear();
    for (size_t i = 0; i < slice->part_count(); ++i) {
      Waiting waiting = std::move(waiting_.front());
      waiting_.pop_front();
      if (TakeOver((*slice->ends())[i], &waiting)) left.push_back(std::move(waiting));
    }
    waiting_.insert(waiting_.begin(), std::make_move_iterator(left.begin()),
                    std::make_move_iterator(left.end()));
    CountWaiting();
    return Ok();
  }

  // True when the file still waits.
  bool TakeOver(const PartEnd& end, Waiting* waiting) const {
    const std::string& path = waiting->file.path;
    if (end.is_vanished) {
      Warn(VanishedWarning(path));
      return false;
    }
    if (!end.is_reached) return true;
    read_bytes_ += end.mark.stored - std::min(end.mark.stored, waiting->mark.stored);
    SeenFile seen;
    seen.path = path;
    seen.mark = end.mark;
    seen.is_finished = end.is_finished;
    seen.size = end.is_drained ? end.size : 0;  // 0: the rest waits, whatever the size is
    seen.modified_ns = waiting->file.modified_ns;
    seen_.Put(std::move(seen));
    if (end.is_drained) {
      if (!options_.is_continuous) done_.insert(path);
      return false;
    }
    current_ = path;
    unpacker_ = end.unpacker;
    waiting->is_begun = end.mark.offset > 0;
    waiting->mark = end.mark;
    waiting->file.size = std::max(waiting->file.size, end.size);
    return true;
  }

  Files& files_;
  const FilesOptions options_;
  const RecordSplitter* const splitter_;
  const EventTimePeek peek_;
  const WarningSink warnings_;
  const HiddenNames hidden_;
  const std::shared_ptr<BlockPool> pool_;

  bool has_listed_ = false;
  int64_t listed_at_ns_ = 0;
  int64_t idle_until_ns_ = 0;
  int64_t listed_before_ns_ = 0;                    // newest modification that the process before us saw
  std::unordered_map<std::string, int64_t> times_;  // first events of waiting files
  std::unordered_set<std::string> warned_;

  // Mutable: Tell and WatermarkBound, const by contract, take over the last slice's end when they come first.
  mutable SeenFiles seen_;
  mutable std::deque<Waiting> waiting_;           // in order; the parts of `slice_` are the first
  mutable std::string current_;                   // begun, and its rest waits
  mutable std::shared_ptr<Unpacker> unpacker_;    // of current_, if compressed
  mutable std::unordered_set<std::string> done_;  // bounded: nothing more of these in this run
  mutable std::shared_ptr<SliceState> slice_;     // handed out, its end not yet taken over
  mutable uint64_t slice_bytes_ = 0;
  mutable uint64_t read_bytes_ = 0;
  mutable uint64_t waiting_bytes_ = 0;
  int64_t listed_ns_ = 0;
};

}  // namespace
}  // namespace files

Result<std::unique_ptr<Reader>> OpenFilesReader(Files& files, const FilesOptions& options,
                                                const RecordSplitter* splitter, EventTimePeek peek,
                                                const Json& position, WarningSink warnings) {
  auto reader =
      std::make_unique<files::FilesReader>(files, options, splitter, std::move(peek), std::move(warnings));
  QN_TRY(reader->Load(position));
  return std::unique_ptr<Reader>(std::move(reader));
}

Result<std::optional<Block>> FirstRecords(Files& files, const RecordSplitter& splitter,
                                          const std::string& path) {
  constexpr size_t kHeadBytes = size_t{64} << 10;
  std::vector<std::unique_ptr<files::Part>> parts;
  parts.push_back(std::make_unique<files::Part>());
  parts[0]->path = path;
  parts[0]->bytes_max = kHeadBytes;
  files::ReadContext context{files, splitter, std::make_shared<files::BlockPool>(kHeadBytes), false,
                             kRecordBytesMax};
  const std::unique_ptr<BlockStream> stream =
      files::NewStream(std::make_shared<files::SliceState>(std::move(context), std::move(parts), kHeadBytes));
  Block block;
  QN_GET(const bool has_block, stream->Next(&block));
  return has_block ? std::optional<Block>(std::move(block)) : std::nullopt;
}

}  // namespace qn
