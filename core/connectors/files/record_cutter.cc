// The usual piece costs one Whole() and a copy of the torn record at its end into the headroom of the next.
// Everything else here is for records larger than that headroom.
#include "connectors/files/record_cutter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace qn::files {
namespace {

constexpr size_t kFreeBlocksMax = 16;
constexpr size_t kHeadroomShare = 32;  // 64 KiB of a block of 2 MiB

std::shared_ptr<char> NewBytes(size_t size) {
  return {new char[size + kBlockPadding], std::default_delete<char[]>()};
}

}  // namespace

BlockPool::BlockPool(size_t block_bytes)
    : block_bytes_(block_bytes), headroom_(std::max<size_t>(1, block_bytes / kHeadroomShare)) {
  QN_CHECK(block_bytes > 0);
}

std::shared_ptr<char> BlockPool::Take() {
  std::unique_ptr<char[]> memory;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (memory == nullptr) memory.reset(new char[headroom_ + block_bytes_ + kBlockPadding]);
  return {memory.release(), [pool = shared_from_this()](char* done) {
            std::unique_ptr<char[]> back(done);
            const std::lock_guard lock(pool->mutex_);
            if (pool->free_.size() < kFreeBlocksMax) pool->free_.push_back(std::move(back));
          }};
}

Piece NewPiece(BlockPool& pool) {
  Piece piece;
  piece.owner = pool.Take();
  piece.room = pool.headroom();
  piece.data = piece.owner.get() + piece.room;
  return piece;
}

void RecordCutter::Freed::operator()(char* memory) const { std::free(memory); }

RecordCutter::RecordCutter(const RecordSplitter& splitter, const BlockPool& pool, uint64_t record_bytes_max,
                           Place place)
    : splitter_(splitter),
      large_bytes_(pool.headroom()),
      // A joined piece may hold two pieces and a torn record: no record in it may be over the limit, or what
      // counts as too large would depend on where the pieces were cut.
      record_bytes_max_(std::max<uint64_t>(record_bytes_max, 3 * pool.block_bytes())),
      place_(place) {}

bool RecordCutter::Push(Piece piece, Block* out) {
  QN_CHECK(!took_unterminated_);
  if (piece.size == 0) return false;
  if (passed_bytes_ > 0) return PassOver(piece, out);
  if (grown_size_ > 0) return PushToGrown(piece, out);
  return Cut(tail_.size == 0 ? std::move(piece) : Joined(piece), out);
}

bool RecordCutter::Finish(bool is_final, Block* out) {
  if (passed_bytes_ > 0) {
    if (!is_final) return false;
    ++scan_lines_;
    took_unterminated_ = true;
    EmitOversize(out);
    return true;
  }
  if (grown_size_ > 0) {
    if (!is_final) return false;
    tail_ = TakeGrown();
  }
  if (tail_.size == 0) return false;
  const Piece tail = std::exchange(tail_, {});
  uint64_t lines = 0;
  const size_t whole = splitter_.Whole(tail.data, tail.size, &lines);
  const size_t rest = tail.size - whole;
  if (is_final && rest > 0) {
    const char* begin = tail.data + whole;
    lines += static_cast<uint64_t>(std::count(begin, begin + rest, '\n')) + 1;
    took_unterminated_ = true;
    Emit(tail.owner, tail.data, tail.size, lines, out);
    return true;
  }
  if (rest > 0) tail_ = Piece{tail.owner, tail.data + whole, rest, 0};
  if (whole == 0) return false;
  Emit(tail.owner, tail.data, whole, lines, out);
  return true;
}

bool RecordCutter::Cut(Piece piece, Block* out) {
  uint64_t lines = 0;
  const size_t whole = splitter_.Whole(piece.data, piece.size, &lines);
  QN_CHECK(whole <= piece.size);
  if (whole == 0 && piece.size > large_bytes_) {
    tail_ = {};
    BeginGrown(piece);
    return false;
  }
  tail_ = whole == piece.size ? Piece{} : Piece{piece.owner, piece.data + whole, piece.size - whole, 0};
  if (whole == 0) return false;
  Emit(std::move(piece.owner), piece.data, whole, lines, out);
  return true;
}

// The tail and the piece after it as one.
Piece RecordCutter::Joined(const Piece& piece) {
  const Piece tail = std::exchange(tail_, {});
  Piece joined;
  joined.size = tail.size + piece.size;
  if (tail.size <= piece.room) {
    joined.owner = piece.owner;
    joined.data = piece.data - tail.size;
  } else {
    joined.owner = NewBytes(joined.size);
    joined.data = joined.owner.get();
    std::memcpy(joined.data + tail.size, piece.data, piece.size);
  }
  std::memcpy(joined.data, tail.data, tail.size);
  return joined;
}

void RecordCutter::BeginGrown(const Piece& piece) {
  scan_ = 0;
  scan_lines_ = 0;
  // Whole() has said that no record ends here; this only sets the state of the search.
  splitter_.RecordEnd(piece.data, piece.size, &scan_, &scan_lines_);
  AppendToGrown(piece.data, piece.size);
}

void RecordCutter::AppendToGrown(const char* data, size_t size) {
  const size_t needed = grown_size_ + size + kBlockPadding;
  if (needed > grown_room_) {
    grown_room_ = std::max(needed, 2 * grown_room_);
    void* larger = std::realloc(grown_.get(), grown_room_);
    if (larger == nullptr) throw std::bad_alloc();
    static_cast<void>(grown_.release());
    grown_.reset(static_cast<char*>(larger));
  }
  std::memcpy(grown_.get() + grown_size_, data, size);
  grown_size_ += size;
}

Piece RecordCutter::TakeGrown() {
  Piece piece;
  piece.size = std::exchange(grown_size_, 0);
  grown_room_ = 0;
  piece.data = grown_.get();
  piece.owner = {grown_.release(), Freed()};
  return piece;
}

bool RecordCutter::PushToGrown(const Piece& piece, Block* out) {
  const size_t end = splitter_.RecordEnd(piece.data, piece.size, &scan_, &scan_lines_);
  if (end > 0 && grown_size_ + end <= record_bytes_max_) {
    AppendToGrown(piece.data, piece.size);
    Piece all = TakeGrown();
    // Where RecordEnd and Whole disagree (a format that kept the simple RecordEnd), Whole is right: the
    // record is grown on.
    return Cut(std::move(all), out);
  }
  if (grown_size_ + (end > 0 ? end : piece.size) <= record_bytes_max_) {
    AppendToGrown(piece.data, piece.size);
    return false;
  }
  BeginPassing(piece.data, end > 0 ? end : piece.size);
  if (end == 0) return false;
  EmitOversize(out);
  if (end < piece.size) tail_ = Piece{piece.owner, piece.data + end, piece.size - end, 0};
  return true;
}

// `more` is what follows the grown bytes; together they are over the limit, so the head's size does not
// depend on where the pieces were cut.
void RecordCutter::BeginPassing(const char* more, size_t more_size) {
  passed_bytes_ = grown_size_ + more_size;
  head_size_ = std::min<size_t>(kOversizeHeadBytes, record_bytes_max_);
  head_ = NewBytes(head_size_);
  const size_t grown = std::min(grown_size_, head_size_);
  std::memcpy(head_.get(), grown_.get(), grown);
  std::memcpy(head_.get() + grown, more, head_size_ - grown);
  grown_.reset();
  grown_size_ = 0;
  grown_room_ = 0;
}

bool RecordCutter::PassOver(const Piece& piece, Block* out) {
  const size_t end = splitter_.RecordEnd(piece.data, piece.size, &scan_, &scan_lines_);
  passed_bytes_ += end > 0 ? end : piece.size;
  if (end == 0) return false;
  EmitOversize(out);
  if (end < piece.size) tail_ = Piece{piece.owner, piece.data + end, piece.size - end, 0};
  return true;
}

void RecordCutter::Emit(std::shared_ptr<const void> owner, const char* data, size_t size, uint64_t lines,
                        Block* out) {
  *out = {};
  out->owner = std::move(owner);
  out->data = data;
  out->size = size;
  out->file = place_.file;
  out->offset = place_.offset;
  out->first_line = place_.line;
  place_.offset += size;
  place_.line += lines;
}

void RecordCutter::EmitOversize(Block* out) {
  const uint64_t bytes = std::exchange(passed_bytes_, 0);
  Emit(head_, head_.get(), head_size_, scan_lines_, out);
  place_.offset += bytes - head_size_;
  out->oversize_bytes = bytes;
  head_.reset();
  head_size_ = 0;
}

}  // namespace qn::files
