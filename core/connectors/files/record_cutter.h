// Turns the bytes of one file, which come in pieces of any size, into blocks of whole records with right line
// numbers. Holds at most one record; refuses to hold one larger than the limit and passes it over instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "contract/source.h"

namespace qn::files {

// Memory of blocks, used again: fresh pages cost more than reading into them. Thread-safe.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  explicit BlockPool(size_t block_bytes);

  size_t block_bytes() const { return block_bytes_; }
  // Free bytes before the data of a fresh piece, where the torn record of the piece before is put.
  size_t headroom() const { return headroom_; }
  // headroom + block_bytes + kBlockPadding bytes; they come back when the last owner lets go.
  std::shared_ptr<char> Take();

 private:
  const size_t block_bytes_;
  const size_t headroom_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> free_;
};

// Bytes as read. `room` bytes before `data` and kBlockPadding after its end belong to the piece as well.
struct Piece {
  std::shared_ptr<char> owner;
  char* data = nullptr;
  size_t size = 0;
  size_t room = 0;
};
Piece NewPiece(BlockPool& pool);

// One thread at a time.
class RecordCutter {
 public:
  struct Place {
    uint32_t file = 0;    // goes into the blocks
    uint64_t offset = 0;  // of the first byte that will be pushed
    uint64_t line = 1;    // its line
  };
  // Records of more than `record_bytes_max` bytes are passed over; it is raised to what a block may hold.
  RecordCutter(const RecordSplitter& splitter, const BlockPool& pool, uint64_t record_bytes_max, Place place);

  // The next bytes of the file. True when `out` is a block.
  bool Push(Piece piece, Block* out);
  // No more bytes for now. What is whole becomes a block; with `is_final` an unterminated record, too. More
  // may be pushed later if it was not final.
  bool Finish(bool is_final, Block* out);

  // The first byte that no block holds, and its line: never inside a record.
  uint64_t offset() const { return place_.offset; }
  uint64_t line() const { return place_.line; }
  bool took_unterminated() const { return took_unterminated_; }
  bool is_between_records() const { return tail_.size == 0 && grown_size_ == 0 && passed_bytes_ == 0; }
  // Before the first Push: the file goes on behind a line end that belongs to a record taken before.
  void PassLineEnd(size_t size) { place_.offset += size; }
  void set_file(uint32_t file) { place_.file = file; }

 private:
  struct Freed {
    void operator()(char* memory) const;
  };

  bool Cut(Piece piece, Block* out);
  bool PushToGrown(const Piece& piece, Block* out);
  bool PassOver(const Piece& piece, Block* out);
  Piece Joined(const Piece& piece);
  void BeginGrown(const Piece& piece);
  void AppendToGrown(const char* data, size_t size);
  void BeginPassing(const char* more, size_t more_size);
  void Emit(std::shared_ptr<const void> owner, const char* data, size_t size, uint64_t lines, Block* out);
  void EmitOversize(Block* out);
  Piece TakeGrown();

  const RecordSplitter& splitter_;
  const size_t large_bytes_;  // a torn record above this is grown instead of copied along
  const uint64_t record_bytes_max_;
  Place place_;
  bool took_unterminated_ = false;

  Piece tail_;  // bytes after the last block; begins at the beginning of a record

  // A record that did not fit one piece. Its end is looked for piece by piece: `scan_` and `scan_lines_` are
  // RecordEnd's.
  std::unique_ptr<char, Freed> grown_;
  size_t grown_size_ = 0;
  size_t grown_room_ = 0;
  uint64_t scan_ = 0;
  uint64_t scan_lines_ = 0;

  // A record above the limit: only its head is kept.
  std::shared_ptr<char> head_;
  size_t head_size_ = 0;
  uint64_t passed_bytes_ = 0;
};

inline constexpr size_t kOversizeHeadBytes = size_t{1} << 20;  // how much of a passed-over record is shown

}  // namespace qn::files
