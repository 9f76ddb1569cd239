// Many threads pull blocks from one stream. Each takes a ticket (a piece of a file to read), reads it with
// nobody waiting, and then waits for its turn: cutting the piece into whole records is done in the order of
// the tickets, because where a record begins and its line number follow from the piece before. Cutting costs
// a tenth of decoding, reading costs a core; so only the first is done one at a time.
#include "connectors/files/record_slice.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <utility>

#include "connectors/files/files_reader.h"
#include "connectors/files/problems.h"
#include "connectors/files/unpacker.h"

namespace qn::files {
namespace {

enum class Deed : uint8_t {
  kRead,    // a piece of a plain file
  kUnpack,  // the next block of a compressed file
  kFinish,  // all pieces of a plain file are given out
  kEnd,     // all parts are
};

struct Ticket {
  uint64_t number = 0;
  Deed deed = Deed::kEnd;
  size_t part = 0;
  std::shared_ptr<ReadableFile> file;
  uint64_t offset = 0;
  size_t size = 0;
};

class Stream final : public BlockStream {
 public:
  explicit Stream(std::shared_ptr<SliceState> state)
      : state_(std::move(state)), ends_(state_->part_count()) {}

  Result<bool> Next(Block* out) override {
    for (;;) {
      Ticket ticket;
      {
        Result<bool> taken = TakeTicket(&ticket);
        if (!taken.ok()) return taken;
        if (!*taken) return false;
      }
      Piece piece;
      Status read = ticket.deed == Deed::kRead ? ReadPiece(ticket, &piece) : Ok();
      Result<bool> made = InTurn(ticket, std::move(read), std::move(piece), out);
      if (made.ok() && *made) QN_TRY(AddHead(out));
      if (!made.ok() || *made) return made;
    }
  }

 private:
  // A block from the middle of a file may need what stands at its beginning: a CSV file's header.
  Status AddHead(Block* out) {
    if (!state_->context().splitter.WantsHead() || out->offset == 0) return Ok();
    QN_GET(out->head, state_->HeadOf(out->file));
    return Ok();
  }

  // ---- tickets: under ticket_mutex_ ----

  Result<bool> TakeTicket(Ticket* out) {
    const std::lock_guard lock(ticket_mutex_);
    if (!failure_.ok()) return failure_;
    if (is_ended_) return false;
    Result<bool> found = FindWork(out);
    if (!found.ok()) {
      failure_ = found.status();
      return failure_;
    }
    if (!*found) {
      *out = {};
      is_ended_ = true;
    }
    out->number = tickets_++;
    return true;
  }

  // False when all parts are given out.
  Result<bool> FindWork(Ticket* out) {
    for (;;) {
      if (is_full_.load() || next_part_ >= state_->part_count()) return false;
      Part& part = state_->part(next_part_);
      if (file_ == nullptr) {
        QN_GET(file_, OpenPart(state_->context(), part));
        if (file_ == nullptr) {
          ++next_part_;
          continue;
        }
        next_offset_ = part.offset;
      }
      *out = {0, Deed::kUnpack, next_part_, file_, 0, 0};
      if (part.codec != Codec::kPlain) {
        if (unpacked_parts_.load() <= next_part_) return true;
        LeavePart();
        continue;
      }
      if (next_offset_ >= part.end) {
        out->deed = Deed::kFinish;
        LeavePart();
        // The rest of a file comes before the files after it, so it waits with them for the next slice.
        if (part.end < part.size) next_part_ = state_->part_count();
        return true;
      }
      out->deed = Deed::kRead;
      out->offset = next_offset_;
      out->size = static_cast<size_t>(
          std::min<uint64_t>(state_->context().pool->block_bytes(), part.end - next_offset_));
      next_offset_ += out->size;
      return true;
    }
  }

  void LeavePart() {
    ++next_part_;
    file_.reset();
  }

  // ---- reading: under no lock ----

  Status ReadPiece(const Ticket& ticket, Piece* piece) {
    *piece = NewPiece(*state_->context().pool);
    piece->size = ticket.size;
    return ReadWhole(state_->part(ticket.part), *ticket.file, ticket.offset, piece->data, ticket.size);
  }

  // ---- cutting: one thread at a time, in the order of the tickets ----

  Result<bool> InTurn(const Ticket& ticket, Status read, Piece piece, Block* out) {
    {
      std::unique_lock lock(turn_mutex_);
      turn_.wait(lock, [&] { return turn_number_ == ticket.number; });
    }
    Result<bool> made = !has_failed_ && read.ok() ? Serve(ticket, std::move(piece), out)
                        : read.ok()               ? Result<bool>(false)
                                                  : Result<bool>(read);
    if (!made.ok()) Fail(made.status());
    {
      const std::lock_guard lock(turn_mutex_);
      ++turn_number_;
    }
    turn_.notify_all();
    return made;
  }

  void Fail(const Status& status) {
    has_failed_ = true;
    const std::lock_guard lock(ticket_mutex_);
    if (failure_.ok()) failure_ = status;
  }

  Result<bool> Serve(const Ticket& ticket, Piece piece, Block* out) {
    if (ticket.deed == Deed::kEnd) {
      for (size_t i = 0; i < ends_.size(); ++i) ends_[i].is_vanished = IsVanished(i);
      state_->Publish(std::move(ends_));
      return false;
    }
    if (is_full_.load()) return false;
    Result<bool> made = ticket.deed == Deed::kUnpack ? ServeUnpack(ticket, out)
                        : ticket.deed == Deed::kRead ? CutterOf(ticket).Push(std::move(piece), out)
                                                     : ServeFinish(ticket, out);
    if (made.ok() && *made) has_made_ = true;
    return made;
  }

  bool IsVanished(size_t index) {
    Part& part = state_->part(index);
    const std::lock_guard lock(part.mutex);
    return part.is_vanished;
  }

  RecordCutter& CutterOf(const Ticket& ticket) {
    if (!cutter_.has_value() || cut_part_ != ticket.part) {
      cut_part_ = ticket.part;
      const ReadContext& context = state_->context();
      const Part& part = state_->part(ticket.part);
      cutter_.emplace(context.splitter, *context.pool, context.record_bytes_max,
                      RecordCutter::Place{static_cast<uint32_t>(ticket.part), part.offset, part.begin.line});
    }
    return *cutter_;
  }

  Result<bool> ServeFinish(const Ticket& ticket, Block* out) {
    Part& part = state_->part(ticket.part);
    RecordCutter& cutter = CutterOf(ticket);
    const bool is_whole_file = part.end == part.size;
    QN_GET(const bool may_be_final, IsFinal(state_->context(), part, *ticket.file));
    bool made = cutter.Finish(is_whole_file && may_be_final, out);
    bool is_drained = is_whole_file;
    // A slice must get on: its first record is taken whole, however small the slice is.
    if (!is_whole_file && !made && !has_made_) {
      QN_GET(made, ReadOn(ticket, part, cutter, out));
      if (!made) made = cutter.Finish(may_be_final, out);
      is_drained = !made || cutter.took_unterminated() || cutter.offset() == part.size;
    }
    QN_TRY(EndPart(ticket, part, cutter, is_drained));
    return made;
  }

  // On beyond the part's end until a block is there; false at the end of the file.
  Result<bool> ReadOn(const Ticket& ticket, const Part& part, RecordCutter& cutter, Block* out) {
    uint64_t at = part.end;
    while (at < part.size) {
      Ticket more = ticket;
      more.offset = at;
      more.size =
          static_cast<size_t>(std::min<uint64_t>(state_->context().pool->block_bytes(), part.size - at));
      Piece piece;
      QN_TRY(ReadPiece(more, &piece));
      at += more.size;
      if (cutter.Push(std::move(piece), out)) return true;
    }
    return false;
  }

  Status EndPart(const Ticket& ticket, const Part& part, const RecordCutter& cutter, bool is_drained) {
    PartEnd& end = ends_[ticket.part];
    end.is_reached = true;
    end.mark.offset = cutter.offset();
    end.mark.line = cutter.line();
    end.mark.stored = cutter.offset();
    const bool has_taken = cutter.offset() > part.offset;
    end.mark.unterminated = has_taken ? cutter.took_unterminated() : part.awaits_line_end;
    end.size = part.size;
    end.is_drained = is_drained;
    end.is_finished = end.mark.stored == part.size;
    return SetPrint(part, *ticket.file, end);
  }

  static Status SetPrint(const Part& part, ReadableFile& file, PartEnd& end) {
    Result<uint32_t> print = PrintOf(file, end.mark.stored);
    if (!print.ok()) return CannotRead(part.path, print.status());
    end.mark.print = *print;
    return Ok();
  }

  // ---- compressed parts: unpacked once for all streams ----

  Result<bool> ServeUnpack(const Ticket& ticket, Block* out) {
    if (unpacked_parts_.load() > ticket.part) return false;
    if (cut_part_ != ticket.part || cutter_.has_value()) {
      cut_part_ = ticket.part;
      cutter_.reset();
      unpacked_blocks_ = 0;
    }
    Part& part = state_->part(ticket.part);
    const std::lock_guard lock(part.mutex);
    if (unpacked_blocks_ == part.unpacked.size() && !part.unpacked_end.has_value()) {
      QN_TRY(UnpackMore(ticket, part));
    }
    if (unpacked_blocks_ < part.unpacked.size()) {
      *out = part.unpacked[unpacked_blocks_++];
      return true;
    }
    if (part.unpacked_end.has_value()) {
      ends_[ticket.part] = *part.unpacked_end;
      if (!part.unpacked_end->is_drained) is_full_.store(true);
      unpacked_parts_.store(ticket.part + 1);
    }
    return false;
  }

  // One block more, or the part's end, or both.
  Status UnpackMore(const Ticket& ticket, Part& part) {
    Unpacker& unpacker = *part.unpacker;
    Block block;
    const auto index = static_cast<uint32_t>(ticket.part);
    QN_GET(const bool made, unpacker.Next(*ticket.file, part.size, index, &block));
    if (made) {
      const bool is_full = state_->Keep(block.size);
      part.unpacked.push_back(std::move(block));
      return is_full ? EndUnpacked(ticket, part, false) : Ok();
    }
    if (!unpacker.AtBoundary() && !state_->context().is_continuous) {
      return TruncatedArchive(part.path, part.codec, part.size, unpacker.mark());
    }
    Result<uint64_t> size = ticket.file->Size();
    if (!size.ok()) return CannotRead(part.path, size.status());
    const bool is_final = !state_->context().is_continuous && *size == part.size;
    QN_GET(const bool has_rest, unpacker.Finish(index, is_final, &block));
    if (has_rest) {
      state_->Keep(block.size);
      part.unpacked.push_back(std::move(block));
    }
    return EndUnpacked(ticket, part, true);
  }

  static Status EndUnpacked(const Ticket& ticket, Part& part, bool is_drained) {
    PartEnd end;
    end.is_reached = true;
    end.mark = part.unpacker->mark();
    end.size = part.size;
    end.is_drained = is_drained;
    end.is_finished = is_drained && part.unpacker->is_between_records() && part.unpacker->AtBoundary();
    if (!is_drained) end.unpacker = part.unpacker;
    QN_TRY(SetPrint(part, *ticket.file, end));
    part.unpacked_end = std::move(end);
    return Ok();
  }

  const std::shared_ptr<SliceState> state_;

  std::mutex ticket_mutex_;
  Status failure_;
  bool is_ended_ = false;
  uint64_t tickets_ = 0;
  size_t next_part_ = 0;
  std::shared_ptr<ReadableFile> file_;
  uint64_t next_offset_ = 0;

  std::mutex turn_mutex_;
  std::condition_variable turn_;
  uint64_t turn_number_ = 0;

  // Written only in turn, read by those who take tickets.
  std::atomic<bool> is_full_{false};       // no part after this one belongs to the slice
  std::atomic<size_t> unpacked_parts_{0};  // compressed parts below are given out

  // Only in turn.
  bool has_failed_ = false;
  bool has_made_ = false;
  size_t cut_part_ = 0;
  std::optional<RecordCutter> cutter_;
  size_t unpacked_blocks_ = 0;
  std::vector<PartEnd> ends_;
};

}  // namespace

SliceState::SliceState(ReadContext context, std::vector<std::unique_ptr<Part>> parts, uint64_t kept_bytes_max)
    : context_(std::move(context)), parts_(std::move(parts)), kept_bytes_max_(kept_bytes_max) {
  paths_.reserve(parts_.size());
  for (const std::unique_ptr<Part>& part : parts_) paths_.push_back(part->path);
}

bool SliceState::Keep(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  kept_bytes_ += bytes;
  return kept_bytes_ >= kept_bytes_max_;
}

Result<std::shared_ptr<const std::string>> SliceState::HeadOf(size_t index) {
  const std::lock_guard lock(heads_mutex_);
  std::shared_ptr<const std::string>& head = heads_[index];
  if (head == nullptr) {
    QN_GET(const std::optional<Block> first, FirstRecords(context_.files, context_.splitter, paths_[index]));
    const size_t size = first.has_value() ? std::min(first->size, kFileHeadBytes) : 0;
    head = std::make_shared<const std::string>(size > 0 ? first->data : "", size);
  }
  return head;
}

void SliceState::Publish(std::vector<PartEnd> ends) {
  const std::lock_guard lock(mutex_);
  if (!ends_.has_value()) ends_ = std::move(ends);
}

const std::vector<PartEnd>* SliceState::ends() const {
  const std::lock_guard lock(mutex_);
  return ends_.has_value() ? &*ends_ : nullptr;
}

std::unique_ptr<BlockStream> NewStream(std::shared_ptr<SliceState> state) {
  return std::make_unique<Stream>(std::move(state));
}

}  // namespace qn::files
