// Each DuckDB thread pulls blocks from the slice's stream and decodes them with a decoder of its own.
#include "app/line_scan.h"

#include <algorithm>

namespace qn::app {
namespace {

constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

void RaiseTo(std::atomic<int64_t>& target, int64_t value) {
  int64_t seen = target.load(std::memory_order_relaxed);
  while (seen < value && !target.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

class LineScan::Refused final : public Rejects {
 public:
  Refused(LineScan& scan, bool counts) : scan_(scan), counts_(counts) {}
  void Add(uint32_t file, int64_t line, std::string_view raw, std::string detail) override {
    if (!counts_) return;
    scan_.rejects_.fetch_add(1, std::memory_order_relaxed);
    const auto& files = scan_.slice_->Files();
    file -= scan_.file_base_;
    scan_.dead_letters_.Add({"decode", "", std::move(detail), std::string(raw), scan_.source_,
                             file < files.size() ? files[file] : "", line});
  }

 private:
  LineScan& scan_;
  bool counts_;
};

class LineScan::Thread final : public duck::ScanThread {
 public:
  Thread(LineScan& scan, BlockStream& blocks, std::vector<int> columns, bool counts)
      : scan_(scan),
        blocks_(blocks),
        time_slot_(TimeSlot(scan, columns)),
        counts_(counts),
        refused_(scan, counts) {
    const Schema declared(scan.columns_.begin(), scan.columns_.begin() + static_cast<long>(scan.declared_));
    if (time_slot_ == static_cast<int>(columns.size())) {
      columns.push_back(scan.event_time_column_);
      own_time_ = std::make_unique<duck::OwnChunk>(
          duck::TheApi(), std::vector<Type>{declared[static_cast<size_t>(scan.event_time_column_)].type});
    }
    decoder_ = scan.format_.NewDecoder(declared, columns);
  }

  Result<size_t> Fill(duck::ChunkOut& out) override {
    // The block before stays alive until here: strings of the last chunk point into it.
    while (true) {
      if (block_.data == nullptr || cursor_.at >= block_.size) {
        const Result<bool> more = blocks_.Next(&block_);
        if (!more.ok()) return scan_.failure_.Keep(more.status());
        if (!*more) {
          block_ = {};
          return size_t{0};
        }
        block_.file += scan_.file_base_;
        cursor_ = {0, block_.first_line};
      }
      const size_t rows = Decode(out);
      if (rows > 0) return rows;
    }
  }

 private:
  // Where the event time is decoded to: a column that DuckDB asked for, or one more; -1 when there is none.
  static int TimeSlot(const LineScan& scan, const std::vector<int>& columns) {
    if (scan.event_time_column_ < 0) return -1;
    return static_cast<int>(std::find(columns.begin(), columns.end(), scan.event_time_column_) -
                            columns.begin());
  }

  size_t Decode(duck::ChunkOut& out) {
    if (own_time_ != nullptr) {
      duck::ChunkOut own;
      own_time_->Reset(own);
      out.columns.push_back(std::move(own.columns[0]));
    }
    const size_t rows = decoder_->Decode(block_, cursor_, out, refused_);
    if (counts_) scan_.rows_.fetch_add(static_cast<int64_t>(rows), std::memory_order_relaxed);
    if (time_slot_ >= 0) FollowTime(out.columns[static_cast<size_t>(time_slot_)], rows);
    if (own_time_ != nullptr) out.columns.pop_back();
    return rows;
  }

  void FollowTime(duck::ColumnOut& column, size_t rows) {
    const auto* times = column.data<int64_t>();
    int64_t latest = kNoTime;
    for (size_t row = 0; row < rows; ++row) {
      if (!column.IsNull(row)) latest = std::max(latest, times[row]);
    }
    RaiseTo(scan_.event_time_max_, latest);
  }

  LineScan& scan_;
  BlockStream& blocks_;
  int time_slot_;
  bool counts_;
  std::unique_ptr<duck::OwnChunk> own_time_;
  Refused refused_;
  std::unique_ptr<Decoder> decoder_;
  Block block_;
  Cursor cursor_;
};

class LineScan::Run final : public duck::ScanRun {
 public:
  Run(LineScan& scan, std::unique_ptr<BlockStream> blocks, std::span<const int> columns, bool is_first)
      : scan_(scan),
        blocks_(std::move(blocks)),
        columns_(columns.begin(), columns.end()),
        is_first_(is_first) {}
  Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
    return std::unique_ptr<duck::ScanThread>(new Thread(scan_, *blocks_, columns_, is_first_));
  }
  int ThreadsMax() const override { return scan_.threads_; }

 private:
  LineScan& scan_;
  std::unique_ptr<BlockStream> blocks_;
  std::vector<int> columns_;
  bool is_first_;  // of its step: what cannot be decoded is told once
};

LineScan::LineScan(std::string source, Schema declared, const Format& format, int event_time_column,
                   int threads, DeadLetters& dead_letters)
    : source_(std::move(source)),
      declared_(declared.size()),
      columns_(std::move(declared)),
      format_(format),
      event_time_column_(event_time_column),
      threads_(threads),
      dead_letters_(dead_letters) {
  columns_.push_back({kRawColumn, Type::Of(TypeId::kBlob), true, ""});
  columns_.push_back({kFileColumn, Type::Of(TypeId::kUInteger), true, ""});
  columns_.push_back({kLineColumn, Type::Of(TypeId::kBigInt), true, ""});
}

namespace {

class NoRows final : public duck::ScanRun {
 public:
  class Thread final : public duck::ScanThread {
    Result<size_t> Fill(duck::ChunkOut& out) override { return size_t{0}; }
  };
  Result<std::unique_ptr<duck::ScanThread>> OpenThread() override {
    return std::unique_ptr<duck::ScanThread>(new Thread);
  }
  int ThreadsMax() const override { return 1; }
};

}  // namespace

Result<std::unique_ptr<duck::ScanRun>> LineScan::Begin(std::span<const int> columns) {
  if (slice_ == nullptr) return std::unique_ptr<duck::ScanRun>(new NoRows);
  Result<std::unique_ptr<BlockStream>> blocks = slice_->Blocks();
  if (!blocks.ok()) return failure_.Keep(blocks.status());
  return std::unique_ptr<duck::ScanRun>(
      new Run(*this, std::move(blocks).value(), columns, runs_.fetch_add(1) == 0));
}

void LineScan::SetSlice(Slice* slice, uint32_t file_base) {
  slice_ = slice;
  file_base_ = file_base;
  failure_.Clear();
  runs_ = 0;
  rows_ = 0;
  rejects_ = 0;
  event_time_max_ = kNoTime;
}

}  // namespace qn::app
