// One Parquet file being written: row groups in, footer at the end. Not synced here, that is the table's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "contract/sink.h"
#include "formats/parquet/row_group.h"

namespace qn::parquet {

struct FileSummary {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::vector<ColumnStats> stats;  // leaves, and lists (their NULLs only), that are not below a list
};

// The schema is borrowed. A file that was not finished is removed when the object goes.
class ParquetFile {
 public:
  // Under a name with kTempPrefix until Finish. QN-3106 when `path` is there already.
  static Result<std::unique_ptr<ParquetFile>> Open(const ParquetSchema& schema, std::string path,
                                                   std::string created_by);
  ~ParquetFile();
  ParquetFile(const ParquetFile&) = delete;
  ParquetFile& operator=(const ParquetFile&) = delete;

  // Thread-safe. After a failure the file is of no use, and says so again. QN-3101 (retryable): the disk is
  // full.
  Status AppendRowGroup(const EncodedRowGroup& group);
  uint64_t bytes() const;
  // Closes the descriptor; the next row group opens it again. For many files at the same time.
  Status Park();
  // Writes the footer and gives the file its name.
  Result<FileSummary> Finish();

 private:
  struct Chunk {  // what the footer says of a column of a row group
    Codec codec = Codec::kNone;
    uint64_t plain_bytes = 0, stored_bytes = 0, entries = 0, null_count = 0;
    uint64_t offset = 0, data_offset = 0;
    bool has_dictionary = false;
    Encoding delta = Encoding::kPlain;
    int32_t dictionary_pages = 0, plain_pages = 0, delta_pages = 0;
    std::string low, high;  // as bytes
    bool has_bounds = false;
  };
  struct Group {
    uint64_t rows = 0;
    std::vector<Chunk> chunks;
  };

  ParquetFile(const ParquetSchema& schema, std::string path, std::string created_by);
  Status Write(std::string_view bytes);
  Status OpenAgain(int flags);
  Status Close();
  Chunk Describe(const EncodedColumn& column, const Leaf& leaf) const;
  std::string Footer() const;
  void PutGroup(const Group& group, class ThriftWriter& out) const;
  void PutChunk(const Chunk& chunk, const Leaf& leaf, class ThriftWriter& out) const;
  void AddStats(const Node& node, std::vector<ColumnStats>& out) const;

  const ParquetSchema& schema_;
  std::string path_, temp_path_, created_by_;
  mutable std::mutex mutex_;
  int fd_ = -1;
  uint64_t written_ = 0;
  bool is_finished_ = false;
  Status status_;  // of the first failure
  uint64_t rows_ = 0;
  std::vector<Group> groups_;
  std::vector<Bounds> bounds_;  // of the whole file, a leaf each
  std::vector<uint64_t> leaf_nulls_;
  std::vector<uint64_t> list_nulls_;
};

}  // namespace qn::parquet
