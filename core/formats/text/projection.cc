// Binds a chunk's columns to the declared ones.
#include "formats/text/projection.h"

#include <algorithm>

namespace qn::text {

Projection::Projection(std::span<const int> columns, size_t schema_size)
    : columns_(columns.begin(), columns.end()), outs_(schema_size) {
  for (const int column : columns_) {
    QN_CHECK(column >= 0);
    QN_CHECK(static_cast<size_t>(column) < schema_size + kHiddenColumns);
  }
}

void Projection::Bind(duck::ChunkOut& out) {
  QN_CHECK(out.columns.size() == columns_.size());
  std::fill(outs_.begin(), outs_.end(), nullptr);
  std::fill(std::begin(hidden_), std::end(hidden_), nullptr);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto column = static_cast<size_t>(columns_[i]);
    duck::ColumnOut*& slot = column < outs_.size() ? outs_[column] : hidden_[column - outs_.size()];
    slot = &out.columns[i];
  }
}

void Projection::PutHidden(const Block& block, std::string_view raw, uint64_t line, size_t row) {
  if (hidden_[0] != nullptr) hidden_[0]->SetString(row, raw.data(), raw.size());
  if (hidden_[1] != nullptr) hidden_[1]->data<uint32_t>()[row] = block.file;
  if (hidden_[2] != nullptr) hidden_[2]->data<int64_t>()[row] = static_cast<int64_t>(line);
}

void RejectOversize(const Block& block, uint64_t line, Rejects& rejects) {
  rejects.Add(block.file, static_cast<int64_t>(line), {block.data, block.size},
              "a record of " + std::to_string(block.oversize_bytes) +
                  " bytes is larger than the source's limit; only its beginning is kept here");
}

}  // namespace qn::text
