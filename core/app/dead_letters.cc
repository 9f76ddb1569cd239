// Batches are turned into flat columns and handed to the encoder, one after the other.
#include "app/dead_letters.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace qn::app {
namespace {

size_t BytesOf(const DeadLetter& letter) {
  return sizeof letter + letter.reason.size() + letter.rules.size() + letter.detail.size() +
         letter.raw.size() + letter.source.size() + letter.file.size();
}

// One column of a batch, flat as DuckDB's.
template <typename T>
class Column {
 public:
  explicit Column(size_t rows) : values_(rows), validity_(rows / 64 + 1, ~uint64_t{0}) {}
  T& operator[](size_t row) { return values_[row]; }
  void SetNull(size_t row) { validity_[row / 64] &= ~(uint64_t{1} << (row % 64)); }
  duck::ColumnIn View() const { return {values_.data(), validity_.data()}; }

 private:
  std::vector<T> values_;
  std::vector<uint64_t> validity_;
};

// The text stays where it is.
duck::String StringOf(const std::string& text) {
  duck::String out{};
  out.size = static_cast<uint32_t>(text.size());
  if (text.size() <= 12) {
    std::memcpy(out.prefix, text.data(), text.size());
  } else {
    std::memcpy(out.prefix, text.data(), 4);
    out.pointer = text.data();
  }
  return out;
}

Column<duck::String> Texts(const std::vector<DeadLetter>& letters, std::string DeadLetter::*member,
                           bool is_null_when_empty = true) {
  Column<duck::String> column(letters.size());
  for (size_t row = 0; row < letters.size(); ++row) {
    column[row] = StringOf(letters[row].*member);
    if (is_null_when_empty && (letters[row].*member).empty()) column.SetNull(row);
  }
  return column;
}

Column<int64_t> Lines(const std::vector<DeadLetter>& letters) {
  Column<int64_t> column(letters.size());
  for (size_t row = 0; row < letters.size(); ++row) {
    column[row] = letters[row].line;
    if (letters[row].line == 0) column.SetNull(row);
  }
  return column;
}

Column<int64_t> Same(size_t rows, int64_t value) {
  Column<int64_t> column(rows);
  for (size_t row = 0; row < rows; ++row) column[row] = value;
  return column;
}

}  // namespace

const Schema& DeadLetterColumns() {
  static const Schema kColumns = {
      {"reason", Type::Of(TypeId::kVarchar), true, "decode, expectation, udf, sink or late"},
      {"rule", Type::Of(TypeId::kVarchar), true, "names of the broken expectations, comma-separated"},
      {"detail", Type::Of(TypeId::kVarchar), true, "what was found and what was expected"},
      {"raw", Type::Of(TypeId::kBlob), true, "the bytes as they came; the row as JSON where there were none"},
      {"source", Type::Of(TypeId::kVarchar), true, "the source or dataset that the row came from"},
      {"file", Type::Of(TypeId::kVarchar), true, "the file that it stood in"},
      {"line", Type::Of(TypeId::kBigInt), true, "its line, from 1"},
      {"epoch", Type::Of(TypeId::kBigInt), true, "the step that found it"},
      {"time", Type::Of(TypeId::kTimestampTz), true, "when it was found"},
  };
  return kColumns;
}

void DeadLetters::BeginStep(Epoch epoch, int64_t time_ms) {
  TakeBatch();
  epoch_ = epoch;
  time_us_ = time_ms * 1000;
  rows_ = nullptr;
  writer_ = nullptr;
  failure_ = Ok();
}

std::vector<DeadLetter> DeadLetters::TakeBatch() {
  batch_bytes_ = 0;
  return std::exchange(batch_, {});
}

void DeadLetters::Add(DeadLetter letter) {
  std::unique_lock lock(mutex_);
  batch_bytes_ += BytesOf(letter);
  batch_.push_back(std::move(letter));
  if (batch_.size() < kBatchLettersMax && batch_bytes_ < kBatchBytesMax) return;
  // Taken before the other lock goes: batches are written in their order, and no more than two are there.
  const std::lock_guard writing(write_mutex_);
  const std::vector<DeadLetter> letters = TakeBatch();
  lock.unlock();
  Write(letters);
}

void DeadLetters::Write(const std::vector<DeadLetter>& letters) {
  if (!failure_.ok()) return;
  failure_ = TryWrite(letters);
}

Status DeadLetters::TryWrite(const std::vector<DeadLetter>& letters) {
  if (writer_ == nullptr) {
    QN_GET(writer_, open_());
    rows_ = &writer_->ThisThread();
  }
  const auto reasons = Texts(letters, &DeadLetter::reason);
  const auto rules = Texts(letters, &DeadLetter::rules);
  const auto details = Texts(letters, &DeadLetter::detail);
  const auto raws = Texts(letters, &DeadLetter::raw, false);
  const auto sources = Texts(letters, &DeadLetter::source);
  const auto files = Texts(letters, &DeadLetter::file);
  const auto lines = Lines(letters);
  const auto epochs = Same(letters.size(), epoch_);
  const auto times = Same(letters.size(), time_us_);
  const std::array<duck::ColumnIn, 9> columns = {reasons.View(), rules.View(),   details.View(),
                                                 raws.View(),    sources.View(), files.View(),
                                                 lines.View(),   epochs.View(),  times.View()};
  std::vector<uint32_t> rows(letters.size());
  std::iota(rows.begin(), rows.end(), 0U);
  return rows_->Append(columns, rows);
}

Result<std::vector<StagedFile>> DeadLetters::Finish() {
  const std::lock_guard lock(mutex_);
  const std::lock_guard writing(write_mutex_);
  const std::vector<DeadLetter> letters = TakeBatch();
  if (!letters.empty()) Write(letters);
  if (!failure_.ok()) return failure_;
  if (writer_ == nullptr) return std::vector<StagedFile>();
  Result<std::vector<StagedFile>> files = writer_->Finish();
  rows_ = nullptr;
  writer_ = nullptr;
  return files;
}

}  // namespace qn::app
