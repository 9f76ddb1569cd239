// The file source: every record of every file that a glob finds, now or later, exactly once. Knows no format
// and no schema; what is in a record is the decoder's business.
//
// Files. A file is known by its path and read once, also across restarts. A file that grows is read on where
// it was left. One that became shorter or was overwritten after something of it was read stops the run:
// nothing is guessed. (Overwritten is told by its first kilobyte and the one before the mark, looked at when
// its size or its modification time has changed.) So does one that vanishes in its middle. One that was read
// to its end may be emptied, deleted or moved away; one that vanishes before it was begun is skipped with a
// warning. A Parquet file is taken once and whole; that it changed later is a warning. Empty files are not
// there yet. Names that begin with '.' or '_' below the fixed part of the glob are not there
// either, unless the glob itself names such a beginning ("data/_*.json").
//
// The last record of a file. Only whole records are taken. A record at the end of a file without a line end
// is taken when the run is bounded and the file is, when its end is reached, still as long as when it was
// opened; a continuous run waits for the line end. If such a file grows later, a line end must follow, or the
// run stops. A bounded run takes of each file what is there when its end is reached; what is added later
// waits for the next run, so that a busy writer cannot keep it from ending. New files are looked for until
// none is found.
//
// Compressed files are told by their first bytes, then by their name. One that is cut off stops a bounded
// run; a continuous run waits for the rest.
//
// Order. One file after another: by name (bytes of the path), by modification time then name, or by the time
// of the first event then name. A file that was begun is finished first. A file that appears late takes its
// place among those not yet begun.
//
// Watermark. After a step it may advance at most to the smaller of (largest event time seen - delay) and
// WatermarkBound(). With order by event time that is the earliest first event of all files that are known and
// not begun; a file without an event time counts as the earliest of all and is read first. With other orders
// the reader knows nothing of the times ahead and sets no bound. See docs/guide/order-and-watermark.md.
//
// Tell: JSON, versioned; loading the position of another glob, order or kind of content is refused. Exact for
// any number of files; 100,000 numbered names take about 100 kB. Marks of finished files are kept
// for the 4,096 modified last: an older one that grows while nothing runs is not read on, and a warning says
// so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "contract/files.h"
#include "contract/source.h"
#include "data/json.h"

namespace qn {

enum class FileOrder : uint8_t { kName, kModified, kEventTime };

// What one read brings, and the size of most blocks.
inline constexpr size_t kFileBlockBytes = size_t{2} << 20;
inline constexpr uint64_t kRecordBytesMax = uint64_t{64} << 20;

struct FilesOptions {
  std::string glob;
  FileOrder order = FileOrder::kName;
  bool is_continuous = false;
  // A larger record is handed out as its first MiB and its size (Block::oversize_bytes). At least three
  // blocks.
  uint64_t record_bytes_max = kRecordBytesMax;
  // New files are looked for when the known ones are drained, and otherwise after this long.
  int64_t relist_ms = 1000;
  const Clock* clock = nullptr;          // borrowed; without one, only when they are drained
  size_t block_bytes = kFileBlockBytes;  // tests make it small, so that borders fall everywhere
};

// Time of the first event of a file in microseconds; none when it has none.
using EventTimePeek = std::function<Result<std::optional<int64_t>>(const std::string& path)>;
using WarningSink = std::function<void(std::string)>;

// `splitter` is null for Parquet. `position` is null on a first start, else what Tell gave. `files`,
// `splitter` and the options' clock must outlive the reader and its slices. `warnings` is called on the
// reader's thread.
Result<std::unique_ptr<Reader>> OpenFilesReader(Files& files, const FilesOptions& options,
                                                const RecordSplitter* splitter, EventTimePeek peek,
                                                const Json& position, WarningSink warnings);

// The first whole records of a file, unpacked, of about 64 KiB or one record, to look at its schema or its
// first event time. An unterminated record only when it is the only one; none when the file is empty.
Result<std::optional<Block>> FirstRecords(Files& files, const RecordSplitter& splitter,
                                          const std::string& path);

}  // namespace qn
