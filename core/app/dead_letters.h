// Dead letters of one dataset in one step, on their way to <dataset>__dead_letters: a few in memory, the rest
// in the step's files already.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "contract/sink.h"
#include "data/dead_letter.h"
#include "data/type.h"
#include "formats/parquet/writer.h"

namespace qn::app {

// reason, rule, detail, raw, source, file, line, epoch, time.
const Schema& DeadLetterColumns();

class DeadLetters {
 public:
  // A batch goes to the writer when it has so many letters, or so many bytes.
  static constexpr size_t kBatchLettersMax = 2048;
  static constexpr size_t kBatchBytesMax = 4 << 20;
  // Memory of the writer's rows.
  static constexpr size_t kWriterBytesMax = 16 << 20;

  // Makes the writer of a step's files, with DeadLetterColumns(). Called once a step at most, when there are
  // letters, from the thread that adds one.
  using OpenWriter = std::function<Result<std::unique_ptr<parquet::PartitionedWriter>>()>;
  explicit DeadLetters(OpenWriter open) : open_(std::move(open)) {}

  // What a step that failed has left is removed.
  void BeginStep(Epoch epoch, int64_t time_ms);
  // Thread-safe; waits while the batch before is being written. A failure to write is told by Finish.
  void Add(DeadLetter letter);
  // After the last Add of the step: its files; none without letters.
  Result<std::vector<StagedFile>> Finish();

 private:
  std::vector<DeadLetter> TakeBatch();
  void Write(const std::vector<DeadLetter>& letters);
  Status TryWrite(const std::vector<DeadLetter>& letters);

  OpenWriter open_;
  Epoch epoch_ = 0;
  int64_t time_us_ = 0;

  std::mutex mutex_;  // of the batch; never taken under the other one
  std::vector<DeadLetter> batch_;
  size_t batch_bytes_ = 0;

  std::mutex write_mutex_;  // of the writer
  std::unique_ptr<parquet::PartitionedWriter> writer_;
  parquet::PartitionedWriter::Thread* rows_ = nullptr;  // one for all threads: letters keep their order
  Status failure_;
};

}  // namespace qn::app
