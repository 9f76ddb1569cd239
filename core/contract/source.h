// Where rows come from. A source is read in slices; a slice can be streamed more than once within its step,
// because two datasets may read the same source.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn {

// A run of whole records (lines for JSON lines and CSV) of one file. The bytes live as long as the block.
// `bytes` is followed by at least kBlockPadding readable bytes (content unspecified), for SIMD decoders.
inline constexpr size_t kBlockPadding = 64;
struct Block {
  std::shared_ptr<const void> owner;
  const char* data = nullptr;
  size_t size = 0;
  uint32_t file = 0;        // index into Slice::Files()
  uint64_t offset = 0;      // of the first byte, in the uncompressed file
  uint64_t first_line = 1;  // 1-based number of the first line
  // Not 0: the block is only the head of one record of this many bytes, larger than the limit; it becomes a
  // dead letter.
  uint64_t oversize_bytes = 0;
  // The first bytes of the same file, uncompressed, at most kFileHeadBytes: where the splitter wants them (a
  // CSV file's header) and offset > 0. May be shared by all blocks of the file.
  std::shared_ptr<const std::string> head;
};
inline constexpr size_t kFileHeadBytes = 64 << 10;

// Finds where records end. Stateless: `data` always begins at the beginning of a record.
class RecordSplitter {
 public:
  virtual ~RecordSplitter() = default;
  // How many of the first bytes are whole records (0 when not even one is), and how many lines they span.
  virtual size_t Whole(const char* data, size_t size, uint64_t* lines) const = 0;
  // Whether blocks need Block::head.
  virtual bool WantsHead() const { return false; }
  // Looks for the end of one record that comes in pieces, so that a record larger than memory can be passed
  // over. `state` is 0 with the piece that begins the record, afterwards the splitter's own. Returns the
  // bytes of this piece up to and with the record's end, 0 when the record goes on; adds the line ends passed
  // to `lines`. A format whose records span lines says where they end.
  virtual size_t RecordEnd(const char* data, size_t size, uint64_t* state, uint64_t* lines) const {
    const void* end = size == 0 ? nullptr : std::memchr(data, '\n', size);
    if (end == nullptr) return 0;
    ++*lines;
    return static_cast<size_t>(static_cast<const char*>(end) - data) + 1;
  }
};

// Thread-safe: DuckDB's threads pull blocks from one stream, each block goes to exactly one of them, in
// order.
class BlockStream {
 public:
  virtual ~BlockStream() = default;
  virtual Result<bool> Next(Block* out) = 0;  // false at the end of the slice
};

// A Parquet file taken whole by a step.
struct ParquetPart {
  std::string path;
  uint64_t size = 0;
};

enum class SliceKind : uint8_t {
  kRows,  // there is something to compute
  kIdle,  // nothing now; more may come
  kEnd,   // nothing, and nothing will come unless the world changes (bounded runs stop here)
};

class Slice {
 public:
  virtual ~Slice() = default;
  virtual SliceKind kind() const = 0;
  virtual uint64_t bytes() const = 0;  // of input, as stored (compressed size), for progress
  virtual const std::vector<std::string>& Files() const = 0;    // paths the slice touches
  virtual Result<std::unique_ptr<BlockStream>> Blocks() = 0;    // a fresh stream from the slice's beginning
  virtual const std::vector<ParquetPart>& Parquet() const = 0;  // for Parquet sources instead of Blocks
};

// One source. One thread calls it; only the streams of a slice are shared.
class Reader {
 public:
  virtual ~Reader() = default;
  // Never blocks for new data. At most about `bytes_max` bytes (one record more, if it is larger).
  virtual Result<std::unique_ptr<Slice>> Next(uint64_t bytes_max) = 0;
  // The resume point after the last slice, never inside a record. Valid once that slice has been streamed
  // to its end at least once.
  virtual Result<Json> Tell() const = 0;
  // Everything below the last Tell may be forgotten: the step that holds it is committed.
  virtual Status Ack() { return Ok(); }
  // Bytes known to be waiting behind the last slice, for progress and lag; 0 when unknown.
  virtual uint64_t BytesWaiting() const { return 0; }
  virtual uint64_t BytesRead() const { return 0; }
  // The watermark must not pass this event time (microseconds) after the last slice: what the reader knows of
  // but has not handed out begins here. No bound by default.
  virtual int64_t WatermarkBound() const { return std::numeric_limits<int64_t>::max(); }
};

}  // namespace qn
