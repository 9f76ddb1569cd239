// Rows of a view's files on their way into the successors of these files: those that are taken back stay
// behind. Runs as a sink on DuckDB's threads.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "app/buckets.h"
#include "app/line_scan.h"
#include "duck/row_codec.h"
#include "duck/row_sink.h"
#include "formats/parquet/writer.h"

namespace qn::app {

// Rows that are to go, each with how often. Built by one thread, asked by many.
class TakenBack {
 public:
  struct Row {
    std::string_view bytes;
    int64_t count = 0;
  };
  // Each row once.
  explicit TakenBack(std::span<const Row> rows);

  // One such row goes, when one is left.
  bool Take(std::string_view row);
  // Whether Take would be true.
  bool Wants(std::string_view row) const;
  int64_t left() const { return left_.load(std::memory_order_relaxed); }
  // Of the rows with index `from` to below `to`.
  int64_t LeftOf(size_t from, size_t to) const;
  // The first that is left.
  std::string_view Remaining() const;

 private:
  size_t Find(std::string_view row) const;

  struct Entry {
    std::string_view bytes;
    std::atomic<int64_t> left{0};
  };
  std::unique_ptr<Entry[]> entries_;
  size_t size_ = 0;
  std::vector<uint32_t> slots_;  // index + 1; 0: free
  std::atomic<int64_t> left_{0};
};

class Survivors final : public duck::RowSink {
 public:
  // What one statement's rows are for. Everything is borrowed.
  struct Pass {
    TakenBack* taken = nullptr;  // null: all stay
    bool only_looks = false;     // whether any row would be taken; nothing is written
    Region region;               // rows outside of it are passed over, where it is cut
    uint32_t bits = 0;           // it is cut into 2^bits regions, a writer each
    std::vector<parquet::PartitionedWriter*> writers;
  };

  Survivors(const duck::RowCodec& codec, const Buckets& buckets) : codec_(codec), buckets_(buckets) {}

  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override;

  void Begin(Pass pass);
  int64_t kept() const { return kept_.load(); }    // written since Begin
  int64_t taken() const { return taken_.load(); }  // not written, or (only_looks) seen
  Status failure() const { return failure_.Get(); }

 private:
  class Thread;
  const duck::RowCodec& codec_;
  const Buckets& buckets_;
  Pass pass_;
  std::atomic<int64_t> kept_{0};
  std::atomic<int64_t> taken_{0};
  FirstFailure failure_;
};

}  // namespace qn::app
