// One letter a row.
#include "app/late_sink.h"

namespace qn::app {

class LateSink::Thread final : public duck::RowSinkThread {
 public:
  explicit Thread(LateSink& sink) : sink_(sink) {}

  Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
    for (size_t row = 0; row < rows; ++row) {
      DeadLetter letter;
      letter.reason = "late";
      letter.source = sink_.source_;
      letter.detail =
          "The window of " + std::string(columns[3].as<duck::String>()[row].view()) +
          " was closed: the watermark had come to " + sink_.watermark_ + "." +
          (columns[4].as<uint8_t>()[row] != 0 ? " The row was taken back; the window has it." : "");
      if (!columns[0].IsNull(row)) letter.raw = columns[0].as<duck::String>()[row].view();
      const uint32_t file = columns[1].IsNull(row) ? UINT32_MAX : columns[1].as<uint32_t>()[row];
      if (file < sink_.files_.paths.size()) {
        letter.file = sink_.files_.paths[file];
        letter.source = sink_.files_.sources[file];
      }
      if (!columns[2].IsNull(row)) letter.line = columns[2].as<int64_t>()[row];
      sink_.dead_letters_.Add(std::move(letter));
    }
    sink_.rows_.fetch_add(static_cast<int64_t>(rows), std::memory_order_relaxed);
    return Ok();
  }

 private:
  LateSink& sink_;
};

std::vector<Type> LateSink::Arguments() {
  return {Type::Of(TypeId::kBlob), Type::Of(TypeId::kUInteger), Type::Of(TypeId::kBigInt),
          Type::Of(TypeId::kVarchar), Type::Of(TypeId::kBoolean)};
}

Result<std::unique_ptr<duck::RowSinkThread>> LateSink::OpenThread() {
  return std::unique_ptr<duck::RowSinkThread>(new Thread(*this));
}

}  // namespace qn::app
