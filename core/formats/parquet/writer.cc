// A thread keeps a buffer a partition and hands over whole row groups; the partition's file is shared.
#include "formats/parquet/writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file_error.h"
#include "formats/parquet/partition.h"

namespace qn::parquet {
namespace {

constexpr size_t kParallelBytesMin = 4 << 20;  // less is not worth another thread

// With parents. Not synced: whoever commits the files syncs the folders that they name.
Status MakeFolders(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return Ok();
  const int error = errno;
  const size_t slash = path.rfind('/');
  if (error != ENOENT || slash == 0 || slash == std::string::npos)
    return FileError(error, "make the folder", path);
  QN_TRY(MakeFolders(path.substr(0, slash)));
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return Ok();
  return FileError(errno, "make the folder", path);
}

}  // namespace

// One partition of the table and its files of this step, for all threads.
class PartitionedWriter::Partition {
 public:
  Partition(PartitionedWriter& writer, std::string folder) : writer_(writer), folder_(std::move(folder)) {}

  void AddKey(const std::string& column, const KeyValue& value, const Type& type) {
    if (value.is_null) {
      nulls_.push_back(column);
    } else {
      values_.emplace_back(column, value.Text(type));
    }
  }

  Status Append(const EncodedRowGroup& group) {
    const std::lock_guard lock(mutex_);
    QN_TRY(Open());
    QN_TRY(file_->AppendRowGroup(group));
    if (file_->bytes() >= writer_.options_.file_bytes_max) return FinishFile();
    if (writer_.open_files_.load() > kOpenFilesMax) {
      QN_TRY(file_->Park());
      SetOpen(false);
    } else {
      SetOpen(true);
    }
    return Ok();
  }

  Status Finish(std::vector<StagedFile>& out) {
    const std::lock_guard lock(mutex_);
    if (file_ != nullptr) QN_TRY(FinishFile());
    for (StagedFile& file : finished_) out.push_back(std::move(file));
    finished_.clear();
    return Ok();
  }

  void Abandon() {
    const std::lock_guard lock(mutex_);
    file_.reset();
    for (const StagedFile& file : finished_) ::unlink(file.path.c_str());
    finished_.clear();
  }

 private:
  Status Open() {
    if (file_ != nullptr) return Ok();
    QN_TRY(MakeFolders(folder_));
    path_ = writer_.NewPath(folder_);
    QN_GET(file_, ParquetFile::Open(writer_.schema_, path_, writer_.options_.created_by));
    SetOpen(true);
    return Ok();
  }

  Status FinishFile() {
    QN_GET(FileSummary summary, file_->Finish());
    file_.reset();
    SetOpen(false);
    StagedFile staged;
    staged.path = path_;
    staged.rows = summary.rows;
    staged.bytes = summary.bytes;
    staged.partition = values_;
    staged.partition_nulls = nulls_;
    staged.stats = std::move(summary.stats);
    finished_.push_back(std::move(staged));
    return Ok();
  }

  void SetOpen(bool is_open) {
    if (is_open == is_open_) return;
    is_open_ = is_open;
    if (is_open) {
      writer_.open_files_.fetch_add(1);
    } else {
      writer_.open_files_.fetch_sub(1);
    }
  }

  PartitionedWriter& writer_;
  std::string folder_;
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<std::string> nulls_;
  std::mutex mutex_;
  std::unique_ptr<ParquetFile> file_;
  std::string path_;
  bool is_open_ = false;
  std::vector<StagedFile> finished_;
};

// One partition's rows in one thread.
struct PartitionedWriter::Thread::Part {
  Partition* partition = nullptr;
  std::vector<KeyValue> key;
  std::unique_ptr<RowGroupBuffer> buffer;
  size_t bytes = 0;              // memory of the buffer
  std::vector<uint32_t> picked;  // rows of the vector at hand
};

// ---- Thread

PartitionedWriter::Thread::Thread(PartitionedWriter& writer)
    : writer_(writer), maker_(writer.options_.zstd_level) {}

PartitionedWriter::Thread::~Thread() = default;

bool PartitionedWriter::Thread::IsIn(const Part& part, std::span<const duck::ColumnIn> columns,
                                     size_t row) const {
  for (size_t i = 0; i < writer_.keys_.size(); ++i) {
    const size_t column = writer_.keys_[i];
    if (!part.key[i].Is(writer_.options_.columns[column].type, columns[column], row)) return false;
  }
  return true;
}

// Finds the part of a row that is not in the last one's.
Status PartitionedWriter::Thread::Locate(std::span<const duck::ColumnIn> columns, size_t row) {
  uint64_t hash = 0;
  for (const size_t column : writer_.keys_) {
    hash = hash * 0x9E3779B97F4A7C15 + KeyHash(writer_.options_.columns[column].type, columns[column], row);
  }
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    last_ = it->second;
    if (IsIn(*last_, columns, row)) return Ok();
  }
  auto part = std::make_unique<Part>();
  QN_GET(part->partition, writer_.FindPartition(columns, row));
  for (const size_t column : writer_.keys_) {
    part->key.push_back(KeyValue::Of(writer_.options_.columns[column].type, columns[column], row));
  }
  last_ = part.get();
  by_hash_.emplace(hash, last_);
  parts_.push_back(std::move(part));
  return Ok();
}

Status PartitionedWriter::Thread::Append(std::span<const duck::ColumnIn> columns,
                                         std::span<const uint32_t> rows) {
  QN_CHECK(columns.size() == writer_.options_.columns.size());
  if (rows.empty()) return Ok();
  Status status = Take(columns, rows);
  return status.ok() ? status : writer_.Keep(std::move(status));
}

Status PartitionedWriter::Thread::Take(std::span<const duck::ColumnIn> columns,
                                       std::span<const uint32_t> rows) {
  if (writer_.keys_.empty()) {
    if (last_ == nullptr) QN_TRY(Locate(columns, rows[0]));
    QN_TRY(AppendTo(*last_, columns, rows));
    return KeepBudget();
  }
  touched_.clear();
  for (const uint32_t row : rows) {
    if (last_ == nullptr || !IsIn(*last_, columns, row)) QN_TRY(Locate(columns, row));
    if (last_->picked.empty()) touched_.push_back(last_);
    last_->picked.push_back(row);
  }
  for (Part* part : touched_) {
    QN_TRY(AppendTo(*part, columns, part->picked));
    part->picked.clear();
  }
  return KeepBudget();
}

Status PartitionedWriter::Thread::AppendTo(Part& part, std::span<const duck::ColumnIn> columns,
                                           std::span<const uint32_t> rows) {
  while (!rows.empty()) {
    if (part.buffer == nullptr) part.buffer = std::make_unique<RowGroupBuffer>(writer_.schema_);
    const size_t room = writer_.options_.rows_max - part.buffer->rows();
    const size_t taken = std::min(room, rows.size());
    QN_TRY(part.buffer->Append(columns, rows.first(taken), maker_));
    rows = rows.subspan(taken);
    if (taken < room) continue;
    QN_TRY(Flush(part, maker_));
    // Of several partitions, an empty one would hold memory that the others need.
    if (parts_.size() > 1) part.buffer.reset();
  }
  bytes_ -= part.bytes;
  part.bytes = part.buffer == nullptr ? 0 : part.buffer->memory();
  bytes_ += part.bytes;
  return Ok();
}

Status PartitionedWriter::Thread::Flush(Part& part, PageMaker& maker) {
  return part.partition->Append(part.buffer->Encode(maker));
}

Status PartitionedWriter::Thread::KeepBudget() {
  if (bytes_ <= writer_.options_.thread_bytes_max) return Ok();
  // Well below the limit, so that the next vectors do not flush again.
  while (bytes_ > writer_.options_.thread_bytes_max / 4 * 3) {
    const auto largest = std::max_element(parts_.begin(), parts_.end(),
                                          [](const auto& a, const auto& b) { return a->bytes < b->bytes; });
    Part& part = **largest;
    if (part.buffer->rows() > 0) QN_TRY(Flush(part, maker_));
    part.buffer.reset();
    bytes_ -= part.bytes;
    part.bytes = 0;
  }
  return Ok();
}

// ---- PartitionedWriter

PartitionedWriter::PartitionedWriter(WriterOptions options, ParquetSchema schema)
    : options_(std::move(options)), schema_(std::move(schema)) {
  QN_CHECK(options_.rows_max > 0);
  QN_CHECK(options_.new_id != nullptr);
  for (const std::string& name : options_.partition_cols) {
    const int index = ColumnIndex(options_.columns, name);
    QN_CHECK(index >= 0);
    QN_CHECK(CanPartition(options_.columns[static_cast<size_t>(index)].type));
    keys_.push_back(static_cast<size_t>(index));
  }
}

PartitionedWriter::~PartitionedWriter() {
  if (!is_done_) Abandon();
}

Result<std::unique_ptr<PartitionedWriter>> PartitionedWriter::Make(WriterOptions options) {
  QN_GET(ParquetSchema schema, ParquetSchema::Make(options.columns));
  return std::unique_ptr<PartitionedWriter>(new PartitionedWriter(std::move(options), std::move(schema)));
}

PartitionedWriter::Thread& PartitionedWriter::ThisThread() {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Thread>& thread = threads_[std::this_thread::get_id()];
  if (thread == nullptr) thread = std::make_unique<Thread>(*this);
  return *thread;
}

Status PartitionedWriter::Keep(Status failure) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = failure;
  return failure;
}

std::string PartitionedWriter::NewPath(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  return folder + "/" + options_.file_prefix + options_.new_id() + ".parquet";
}

Result<PartitionedWriter::Partition*> PartitionedWriter::FindPartition(
    std::span<const duck::ColumnIn> columns, size_t row) {
  std::vector<std::string> names;
  std::string folder = options_.folder;
  for (const size_t key : keys_) {
    const Field& field = options_.columns[key];
    names.push_back(PartitionFolder(field.name, KeyValue::Of(field.type, columns[key], row), field.type));
    folder += "/" + names.back();
  }
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Partition>& partition = partitions_[names];
  if (partition != nullptr) return partition.get();
  if (partitions_.size() > kPartitionsMax) {
    return Invalid("QN-2062", "A step would write more than " + std::to_string(kPartitionsMax) +
                                  " partitions of '" + options_.folder + "'.")
        .With(
            "Each partition of a step is a file of its own. Partition by something coarser, such as the "
            "day.");
  }
  partition = std::make_unique<Partition>(*this, folder);
  for (const size_t key : keys_) {
    const Field& field = options_.columns[key];
    partition->AddKey(field.name, KeyValue::Of(field.type, columns[key], row), field.type);
  }
  return partition.get();
}

// On as many threads as there were to append.
Status PartitionedWriter::FlushAll() {
  struct Item {
    Thread* thread;
    Thread::Part* part;
  };
  std::vector<Item> items;
  std::vector<Thread*> threads;
  size_t bytes = 0;
  for (const auto& [id, thread] : threads_) {
    threads.push_back(thread.get());
    bytes += thread->bytes_;
    for (const auto& part : thread->parts_) {
      if (part->buffer != nullptr && part->buffer->rows() > 0) items.push_back({thread.get(), part.get()});
    }
  }
  const size_t workers = bytes < kParallelBytesMin ? 1 : std::min(threads.size(), items.size());
  std::vector<Status> outcomes(std::max<size_t>(workers, 1));
  std::atomic<size_t> next{0};
  const auto work = [&](size_t worker) {
    for (size_t i = next.fetch_add(1); i < items.size() && outcomes[worker].ok(); i = next.fetch_add(1)) {
      outcomes[worker] = items[i].thread->Flush(*items[i].part, threads[worker]->maker_);
      items[i].part->buffer.reset();
    }
  };
  std::vector<std::thread> helpers;
  for (size_t worker = 1; worker < workers; ++worker) helpers.emplace_back(work, worker);
  if (!items.empty()) work(0);
  for (std::thread& helper : helpers) helper.join();
  for (Status& outcome : outcomes) QN_TRY(std::move(outcome));
  return Ok();
}

Result<std::vector<StagedFile>> PartitionedWriter::Finish() {
  QN_CHECK(!is_done_);
  std::vector<StagedFile> files;
  Status status = failure_.ok() ? FlushAll() : failure_;
  for (auto it = partitions_.begin(); status.ok() && it != partitions_.end(); ++it)
    status = it->second->Finish(files);
  if (!status.ok()) {
    for (const StagedFile& file : files) ::unlink(file.path.c_str());
    Abandon();
    return status;
  }
  is_done_ = true;
  threads_.clear();
  partitions_.clear();
  return files;
}

void PartitionedWriter::Abandon() {
  for (const auto& [names, partition] : partitions_) partition->Abandon();
  threads_.clear();
  partitions_.clear();
  is_done_ = true;
}

}  // namespace qn::parquet
