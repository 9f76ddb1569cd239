// One file's share of a slice: opened, checked against what was read of it before, and bounded once for all
// streams of the slice.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "connectors/files/compression.h"
#include "connectors/files/record_cutter.h"
#include "connectors/files/seen_files.h"
#include "contract/files.h"
#include "contract/source.h"

namespace qn::files {

class Unpacker;

inline constexpr size_t kPrintBytes = 1024;  // of a file's head, and before the mark

// Checksum by which a file is known again: of its first bytes and of the last ones before `stored`.
Result<uint32_t> PrintOf(ReadableFile& file, uint64_t stored);

// What all parts of a slice are read with.
struct ReadContext {
  Files& files;
  const RecordSplitter& splitter;
  std::shared_ptr<BlockPool> pool;
  bool is_continuous = false;
  uint64_t record_bytes_max = 0;
};

// Where a part ended, for the reader to go on from.
struct PartEnd {
  bool is_reached = false;   // false: the slice was full before
  bool is_vanished = false;  // it was never begun and is not there any more
  Mark mark;
  uint64_t size = 0;                   // of the file, as stored, when the part was opened
  bool is_drained = false;             // everything up to `size` was looked at
  bool is_finished = false;            // and everything of it was taken
  std::shared_ptr<Unpacker> unpacker;  // alive, when the archive goes on
};

struct Part {
  // Set by the reader, not changed after that.
  std::string path;
  bool is_begun = false;  // something of it was read before
  Mark begin;
  uint64_t bytes_max = 0;  // plain files: about how much to take

  std::mutex mutex;  // guards all below: decided by the stream that comes there first
  bool is_open = false;
  bool is_vanished = false;
  Codec codec = Codec::kPlain;
  uint64_t size = 0;
  uint64_t offset = 0;           // where records begin: after the line end that a last record lacked before
  bool awaits_line_end = false;  // and whether that is still lacking
  uint64_t end = 0;              // plain files: read up to here; the last record may end before
  std::optional<bool> is_final;

  // Compressed files: what was unpacked stays for the next stream.
  std::shared_ptr<Unpacker> unpacker;
  std::vector<Block> unpacked;
  std::optional<PartEnd> unpacked_end;
};

// Opens it for one stream; null when it vanished before it was begun.
Result<std::shared_ptr<ReadableFile>> OpenPart(const ReadContext& context, Part& part);
// Whether an unterminated last record is to be taken: bounded runs, and the file is as it was when opened.
Result<bool> IsFinal(const ReadContext& context, Part& part, ReadableFile& file);
// Exactly `size` bytes at `offset`, which were there before; otherwise the file shrank.
Status ReadWhole(const Part& part, ReadableFile& file, uint64_t offset, char* out, size_t size);

}  // namespace qn::files
