// Reads a little, unpacks a block's worth, cuts it. Memory: one input buffer, one block, one record, and the
// codec's window, whatever the archive unpacks to.
#include "connectors/files/unpacker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/fail_point.h"
#include "connectors/files/problems.h"

namespace qn::files {
namespace {

constexpr size_t kInputBytes = size_t{256} << 10;

}  // namespace

std::optional<LineEnd> LineEndAt(std::string_view next) {
  if (next.empty()) return LineEnd{0, false};
  if (next == "\r") return LineEnd{1, false};
  if (next.front() == '\n') return LineEnd{1, true};
  if (next.starts_with("\r\n")) return LineEnd{2, true};
  return std::nullopt;
}

Unpacker::Unpacker(const ReadContext& context, std::string path, Codec codec, const Mark& begin)
    : path_(std::move(path)),
      codec_(codec),
      begin_(begin),
      pool_(context.pool),
      decompressor_(NewDecompressor(codec)),
      input_(new char[kInputBytes]),
      to_drop_(begin.offset),
      awaits_line_end_(begin.unterminated),
      cutter_(context.splitter, *context.pool, context.record_bytes_max, {0, begin.offset, begin.line}) {}

Result<bool> Unpacker::Next(ReadableFile& file, uint64_t size, uint32_t file_index, Block* out) {
  cutter_.set_file(file_index);
  for (;;) {
    Piece piece = NewPiece(*pool_);
    QN_GET(const bool has_more, Fill(file, size, piece));
    if (piece.size > 0) {
      QN_GET(const bool is_kept, Drop(piece));
      if (is_kept && cutter_.Push(std::move(piece), out)) return true;
    }
    if (!has_more) return false;
  }
}

Result<bool> Unpacker::Finish(uint32_t file_index, bool is_final, Block* out) {
  if (to_drop_ > 0) return Shrank(path_, begin_.offset, begin_.offset - to_drop_);
  cutter_.set_file(file_index);
  return cutter_.Finish(is_final, out);
}

Mark Unpacker::mark() const {
  Mark mark;
  mark.offset = cutter_.offset();
  mark.line = cutter_.line();
  mark.stored = read_bytes_ - unused_.size();
  mark.unterminated = cutter_.took_unterminated() || awaits_line_end_;
  return mark;
}

// False when the input is used up; the piece may hold bytes all the same.
Result<bool> Unpacker::Fill(ReadableFile& file, uint64_t size, Piece& piece) {
  while (piece.size < pool_->block_bytes()) {
    if (unused_.empty()) QN_TRY(Refill(file, size));
    Decompressor::Step step;
    std::string why;
    if (!decompressor_->Run(unused_, piece.data + piece.size, pool_->block_bytes() - piece.size, &step,
                            &why)) {
      return DamagedArchive(path_, codec_, read_bytes_ - unused_.size(), size, mark(), why);
    }
    unused_.remove_prefix(step.used);
    piece.size += step.made;
    if (step.used == 0 && step.made == 0 && unused_.empty() && read_bytes_ >= size) return false;
  }
  return true;
}

Status Unpacker::Refill(ReadableFile& file, uint64_t size) {
  QN_FAIL("files.read");
  if (read_bytes_ >= size) return Ok();
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(kInputBytes, size - read_bytes_));
  Result<size_t> got = file.ReadAt(read_bytes_, input_.get(), wanted);
  if (!got.ok()) return CannotRead(path_, got.status());
  if (*got == 0) return Shrank(path_, size, read_bytes_);
  unused_ = {input_.get(), *got};
  read_bytes_ += *got;
  return Ok();
}

// Takes away what was read before this process began. False when nothing is left of the piece.
Result<bool> Unpacker::Drop(Piece& piece) {
  const auto dropped = static_cast<size_t>(std::min<uint64_t>(to_drop_, piece.size));
  to_drop_ -= dropped;
  piece.data += dropped;
  piece.size -= dropped;
  piece.room += dropped;
  if (piece.size == 0) return false;
  if (!awaits_line_end_) return true;
  const std::optional<LineEnd> line_end = LineEndAt({piece.data, piece.size});
  if (!line_end.has_value()) return TornRecord(path_, begin_);
  awaits_line_end_ = !line_end->is_whole;
  cutter_.PassLineEnd(line_end->size);
  piece.data += line_end->size;
  piece.size -= line_end->size;
  piece.room += line_end->size;
  return piece.size > 0;
}

}  // namespace qn::files
