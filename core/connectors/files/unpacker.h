// One compressed file from its beginning to where its slices ended so far. Stays alive between slices,
// because an archive cannot be entered in its middle; after a restart it unpacks again and drops what was
// read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/files/part.h"

namespace qn::files {

// What of a line end the next bytes begin with: nothing when bytes of another kind are there.
struct LineEnd {
  size_t size = 0;
  bool is_whole = false;  // false: more of it may come
};
std::optional<LineEnd> LineEndAt(std::string_view next);

class Unpacker {
 public:
  // `begin`: where to begin in the unpacked bytes; what is before is unpacked and dropped.
  Unpacker(const ReadContext& context, std::string path, Codec codec, const Mark& begin);

  // The next block; false when the first `size` bytes of the file are used up. Index `file` goes into it.
  Result<bool> Next(ReadableFile& file, uint64_t size, uint32_t file_index, Block* out);
  // After Next said false: takes what is whole, and with `is_final` an unterminated last record.
  Result<bool> Finish(uint32_t file_index, bool is_final, Block* out);

  bool AtBoundary() const { return decompressor_->AtBoundary(); }
  bool is_between_records() const { return cutter_.is_between_records(); }
  // The print is left to the caller.
  Mark mark() const;

 private:
  Result<bool> Fill(ReadableFile& file, uint64_t size, Piece& piece);
  Status Refill(ReadableFile& file, uint64_t size);
  Result<bool> Drop(Piece& piece);

  const std::string path_;
  const Codec codec_;
  const Mark begin_;
  std::shared_ptr<BlockPool> pool_;
  std::unique_ptr<Decompressor> decompressor_;
  std::unique_ptr<char[]> input_;
  std::string_view unused_;  // of input_
  uint64_t read_bytes_ = 0;  // of the file, into input_
  uint64_t to_drop_ = 0;     // unpacked bytes before `begin`
  bool awaits_line_end_ = false;
  RecordCutter cutter_;
};

}  // namespace qn::files
