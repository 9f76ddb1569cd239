// The rows of one table in one step as Parquet part files, one a partition. DuckDB's threads append at the
// same time, each with a state of its own; encoding and compressing happen there, only writing takes turns.
//
// Nothing is synced here: the table's sink does that before it commits.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "contract/sink.h"
#include "data/type.h"
#include "duck/vector.h"
#include "formats/parquet/file.h"

namespace qn::parquet {

inline constexpr size_t kOpenFilesMax = 64;  // more partitions than this close their files between row groups
inline constexpr size_t kPartitionsMax = 100'000;  // of one table in one step

struct WriterOptions {
  std::string folder;                       // the table's, absolute; made when it is not there
  std::string file_prefix;                  // "part-<writer>-<epoch>-"
  std::function<std::string()> new_id;      // what follows it, unique; called by one thread at a time
  Schema columns;                           // stored types
  std::vector<std::string> partition_cols;  // kept in the files too
  // "qanat version 1.2.3": Spark takes no bounds of texts from a file whose writer it cannot read.
  std::string created_by = "qanat version 0";
  int zstd_level = 1;           // 0: not compressed
  uint64_t rows_max = 122'880;  // of a row group
  // Memory of one thread's rows; when it is over, the largest partition is written.
  uint64_t thread_bytes_max = 64 << 20;
  uint64_t file_bytes_max = 1'000'000'000;  // a file is cut when it has grown to this
};

class PartitionedWriter {
 public:
  class Thread;

  // QN-2060 for a column that Parquet files of tables do not hold.
  static Result<std::unique_ptr<PartitionedWriter>> Make(WriterOptions options);
  // Removes what was not finished.
  ~PartitionedWriter();
  PartitionedWriter(const PartitionedWriter&) = delete;
  PartitionedWriter& operator=(const PartitionedWriter&) = delete;

  // The state of the calling thread, made on its first call. Lives as long as the writer. Thread-safe.
  Thread& ThisThread();

  // Writes what is left, and the footers. Nobody appends any more. Rows of no partition, no file. After a
  // failure, of this or of an Append, every file is removed.
  Result<std::vector<StagedFile>> Finish();
  // Removes every file, finished ones too. Nobody appends any more.
  void Abandon();

 private:
  class Partition;
  friend class Thread;

  explicit PartitionedWriter(WriterOptions options, ParquetSchema schema);
  Result<Partition*> FindPartition(std::span<const duck::ColumnIn> columns, size_t row);
  Status FlushAll();
  std::string NewPath(const std::string& folder);
  Status Keep(Status failure);

  WriterOptions options_;
  ParquetSchema schema_;
  std::vector<size_t> keys_;  // indices of the partition columns
  std::mutex mutex_;          // of the maps and of new_id
  std::unordered_map<std::thread::id, std::unique_ptr<Thread>> threads_;
  std::map<std::vector<std::string>, std::unique_ptr<Partition>> partitions_;  // by encoded key
  std::atomic<size_t> open_files_{0};
  Status failure_;  // of the first Append that failed
  bool is_done_ = false;
};

// Of one thread.
class PartitionedWriter::Thread {
 public:
  explicit Thread(PartitionedWriter& writer);
  ~Thread();

  // Appends the given rows, ascending, of flat columns in the order of WriterOptions::columns. What it fails
  // with ends the step: the writer must then be abandoned.
  Status Append(std::span<const duck::ColumnIn> columns, std::span<const uint32_t> rows);

 private:
  friend class PartitionedWriter;
  struct Part;

  Status Take(std::span<const duck::ColumnIn> columns, std::span<const uint32_t> rows);
  bool IsIn(const Part& part, std::span<const duck::ColumnIn> columns, size_t row) const;
  Status Locate(std::span<const duck::ColumnIn> columns, size_t row);
  Status AppendTo(Part& part, std::span<const duck::ColumnIn> columns, std::span<const uint32_t> rows);
  Status Flush(Part& part, PageMaker& maker);
  Status KeepBudget();

  PartitionedWriter& writer_;
  PageMaker maker_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::unordered_multimap<uint64_t, Part*> by_hash_;
  Part* last_ = nullptr;
  std::vector<Part*> touched_;
  size_t bytes_ = 0;  // memory of all parts
};

}  // namespace qn::parquet
