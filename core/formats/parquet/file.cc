// Writes carry their position, so that a file may be closed between row groups and goes on where it was.
#include "formats/parquet/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fail_point.h"
#include "base/file_error.h"
#include "contract/files.h"
#include "formats/parquet/thrift.h"

namespace qn::parquet {
namespace {

constexpr std::string_view kMagic = "PAR1";
// Ids of the footer's structs.
constexpr int16_t kVersion = 1, kSchema = 2, kRows = 3, kGroups = 4, kCreatedBy = 6, kOrders = 7;

}  // namespace

ParquetFile::ParquetFile(const ParquetSchema& schema, std::string path, std::string created_by)
    : schema_(schema),
      path_(std::move(path)),
      created_by_(std::move(created_by)),
      bounds_(schema.leaves().size()),
      leaf_nulls_(schema.leaves().size(), 0),
      list_nulls_(schema.null_counts(), 0) {
  const size_t name = path_.rfind('/') + 1;  // npos + 1 is 0
  temp_path_ = path_.substr(0, name) + std::string(kTempPrefix) + path_.substr(name);
}

ParquetFile::~ParquetFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!is_finished_) ::unlink(temp_path_.c_str());
}

Result<std::unique_ptr<ParquetFile>> ParquetFile::Open(const ParquetSchema& schema, std::string path,
                                                       std::string created_by) {
  std::unique_ptr<ParquetFile> file(new ParquetFile(schema, std::move(path), std::move(created_by)));
  if (::access(file->path_.c_str(), F_OK) == 0) {
    file->is_finished_ = true;  // nothing of ours to remove
    return FileError(EEXIST, "write", file->path_);
  }
  const Status opened = file->OpenAgain(O_CREAT | O_EXCL);
  if (!opened.ok()) {
    file->is_finished_ = true;
    return opened;
  }
  QN_TRY(file->Write(kMagic));
  return file;
}

Status ParquetFile::OpenAgain(int flags) {
  do {
    fd_ = ::open(temp_path_.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
  } while (fd_ < 0 && errno == EINTR);
  return fd_ >= 0 ? Ok() : FileError(errno, "write", path_);
}

Status ParquetFile::Close() {
  if (fd_ < 0) return Ok();
  const int fd = fd_;
  fd_ = -1;
  // Linux has closed it also when it says EINTR.
  if (::close(fd) != 0 && errno != EINTR) return FileError(errno, "write", path_);
  return Ok();
}

Status ParquetFile::Write(std::string_view bytes) {
  if (fd_ < 0) QN_TRY(OpenAgain(0));
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(written_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(errno, "write", path_);
    bytes.remove_prefix(static_cast<size_t>(n));
    written_ += static_cast<uint64_t>(n);
  }
  return Ok();
}

Status ParquetFile::Park() {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = Close();
  return status_;
}

uint64_t ParquetFile::bytes() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

ParquetFile::Chunk ParquetFile::Describe(const EncodedColumn& column, const Leaf& leaf) const {
  Chunk chunk;
  chunk.codec = column.codec;
  chunk.plain_bytes = column.plain_bytes;
  chunk.stored_bytes = column.bytes.size();
  chunk.entries = column.entries;
  chunk.null_count = column.null_count;
  chunk.has_dictionary = column.has_dictionary;
  chunk.data_offset = column.data_offset;
  chunk.dictionary_pages = column.dictionary_pages;
  chunk.plain_pages = column.plain_pages;
  chunk.delta = column.delta;
  chunk.delta_pages = column.delta_pages;
  if (column.bounds.IsKnown()) {
    chunk.low = LowBytes(column.bounds, leaf);
    chunk.high = HighBytes(column.bounds, leaf);
    chunk.has_bounds = chunk.low.size() <= kFileBoundBytesMax && chunk.high.size() <= kFileBoundBytesMax;
  }
  return chunk;
}

Status ParquetFile::AppendRowGroup(const EncodedRowGroup& group) {
  QN_CHECK(group.columns.size() == schema_.leaves().size());
  Group described;
  described.rows = group.rows;
  for (size_t i = 0; i < group.columns.size(); ++i) {
    described.chunks.push_back(Describe(*group.columns[i], schema_.leaves()[i]));
  }
  const std::lock_guard lock(mutex_);
  QN_CHECK(!is_finished_);
  if (!status_.ok()) return status_;
  for (size_t i = 0; i < group.columns.size(); ++i) {
    const EncodedColumn& column = *group.columns[i];
    const Buffer& bytes = column.bytes;
    described.chunks[i].offset = written_;
    described.chunks[i].data_offset += written_;
    if (bytes.size() == 0) continue;
    status_ = Write(bytes.view(0, bytes.size()));
    if (!status_.ok()) return status_;
    bounds_[i].Add(column.bounds, schema_.leaves()[i].type);
    leaf_nulls_[i] += column.null_count;
  }
  for (size_t i = 0; i < group.null_counts.size(); ++i) list_nulls_[i] += group.null_counts[i];
  rows_ += group.rows;
  groups_.push_back(std::move(described));
  return Ok();
}

Result<FileSummary> ParquetFile::Finish() {
  const std::lock_guard lock(mutex_);
  QN_CHECK(!is_finished_);
  if (!status_.ok()) return status_;
  QN_FAIL("parquet.finish.before");
  std::string footer = Footer();
  const auto size = static_cast<uint32_t>(footer.size());
  footer.append(reinterpret_cast<const char*>(&size), 4);
  footer += kMagic;
  status_ = Write(footer);
  if (!status_.ok()) return status_;
  status_ = Close();
  if (!status_.ok()) return status_;
  QN_FAIL("parquet.finish.unnamed");
  if (::rename(temp_path_.c_str(), path_.c_str()) != 0) {
    status_ = FileError(errno, "name", path_);
    return status_;
  }
  is_finished_ = true;
  FileSummary summary;
  summary.rows = rows_;
  summary.bytes = written_;
  for (const Node& node : schema_.columns()) AddStats(node, summary.stats);
  return summary;
}

void ParquetFile::AddStats(const Node& node, std::vector<ColumnStats>& out) const {
  ColumnStats stats;
  stats.column = node.key;
  if (node.kind == Node::Kind::kLeaf) {
    const Bounds& bounds = bounds_[node.leaf];
    const Type& type = schema_.leaves()[node.leaf].type;
    stats.null_count = leaf_nulls_[node.leaf];
    stats.has_nan = bounds.has_nan;
    stats.has_min_max = bounds.IsKnown();
    if (stats.has_min_max) {
      stats.min = LowText(bounds, type);
      stats.max = HighText(bounds, type);
    }
    out.push_back(std::move(stats));
  } else if (node.kind == Node::Kind::kList) {
    stats.null_count = list_nulls_[static_cast<size_t>(node.nulls)];
    out.push_back(std::move(stats));
  } else {
    for (const Node& child : node.children) AddStats(child, out);
  }
}

// ---- The footer

void ParquetFile::PutChunk(const Chunk& chunk, const Leaf& leaf, ThriftWriter& out) const {
  out.BeginStruct();
  out.I64(2, static_cast<int64_t>(chunk.offset));
  out.BeginStruct(3);
  out.I32(1, static_cast<int32_t>(leaf.physical));
  std::vector<Encoding> encodings = {Encoding::kRle};
  if (chunk.has_dictionary || chunk.plain_pages > 0) encodings.push_back(Encoding::kPlain);
  if (chunk.has_dictionary) encodings.push_back(Encoding::kDictionary);
  if (chunk.delta_pages > 0) encodings.push_back(chunk.delta);
  out.BeginList(2, ThriftWriter::Kind::kI32, encodings.size());
  for (const Encoding encoding : encodings) out.Item(static_cast<int32_t>(encoding));
  out.BeginList(3, ThriftWriter::Kind::kBinary, leaf.path.size());
  for (const std::string& name : leaf.path) out.Item(name);
  out.I32(4, static_cast<int32_t>(chunk.codec));
  out.I64(5, static_cast<int64_t>(chunk.entries));
  out.I64(6, static_cast<int64_t>(chunk.plain_bytes));
  out.I64(7, static_cast<int64_t>(chunk.stored_bytes));
  out.I64(9, static_cast<int64_t>(chunk.data_offset));
  if (chunk.has_dictionary) out.I64(11, static_cast<int64_t>(chunk.offset));
  out.BeginStruct(12);
  out.I64(3, static_cast<int64_t>(chunk.null_count));
  if (chunk.has_bounds) {
    out.Binary(5, chunk.high);
    out.Binary(6, chunk.low);
    out.Bool(7, true);
    out.Bool(8, true);
  }
  out.EndStruct();
  // Page kinds and encodings: tell readers whether the dictionary has every value.
  struct Count {
    int32_t page, count;
    Encoding encoding;
  };
  const Count counts[] = {{2, chunk.has_dictionary ? 1 : 0, Encoding::kPlain},
                          {0, chunk.dictionary_pages, Encoding::kDictionary},
                          {0, chunk.plain_pages, Encoding::kPlain},
                          {0, chunk.delta_pages, chunk.delta}};
  size_t kinds = 0;
  for (const Count& count : counts) kinds += count.count > 0 ? 1 : 0;
  out.BeginList(13, ThriftWriter::Kind::kStruct, kinds);
  for (const Count& count : counts) {
    if (count.count == 0) continue;
    out.BeginStruct();
    out.I32(1, count.page);
    out.I32(2, static_cast<int32_t>(count.encoding));
    out.I32(3, count.count);
    out.EndStruct();
  }
  out.EndStruct();
  out.EndStruct();
}

void ParquetFile::PutGroup(const Group& group, ThriftWriter& out) const {
  uint64_t plain_bytes = 0;
  uint64_t stored_bytes = 0;
  for (const Chunk& chunk : group.chunks) {
    plain_bytes += chunk.plain_bytes;
    stored_bytes += chunk.stored_bytes;
  }
  out.BeginStruct();
  out.BeginList(1, ThriftWriter::Kind::kStruct, group.chunks.size());
  for (size_t i = 0; i < group.chunks.size(); ++i) PutChunk(group.chunks[i], schema_.leaves()[i], out);
  out.I64(2, static_cast<int64_t>(plain_bytes));
  out.I64(3, static_cast<int64_t>(group.rows));
  out.I64(5, static_cast<int64_t>(group.chunks.front().offset));
  out.I64(6, static_cast<int64_t>(stored_bytes));
  out.EndStruct();
}

std::string ParquetFile::Footer() const {
  std::string footer;
  ThriftWriter out(footer);
  out.BeginStruct();
  out.I32(kVersion, 1);
  schema_.Write(out, kSchema);
  out.I64(kRows, static_cast<int64_t>(rows_));
  out.BeginList(kGroups, ThriftWriter::Kind::kStruct, groups_.size());
  for (const Group& group : groups_) PutGroup(group, out);
  out.Binary(kCreatedBy, created_by_);
  out.BeginList(kOrders, ThriftWriter::Kind::kStruct, schema_.leaves().size());
  for (size_t i = 0; i < schema_.leaves().size(); ++i) {
    out.BeginStruct();
    out.EmptyStruct(1);  // the order that the type defines
    out.EndStruct();
  }
  out.EndStruct();
  return footer;
}

}  // namespace qn::parquet
