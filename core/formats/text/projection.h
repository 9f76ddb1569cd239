// Which columns of the chunk being filled belong to which declared column, and the three hidden ones.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "formats/decoder.h"

namespace qn::text {

class Projection {
 public:
  // As Format::NewDecoder gets them.
  Projection(std::span<const int> columns, size_t schema_size);

  void Bind(duck::ChunkOut& out);
  // Of each declared column; nullptr where it is only checked.
  std::span<duck::ColumnOut* const> columns() const { return outs_; }
  void PutHidden(const Block& block, std::string_view raw, uint64_t line, size_t row);

 private:
  std::vector<int> columns_;
  std::vector<duck::ColumnOut*> outs_;
  duck::ColumnOut* hidden_[kHiddenColumns] = {};  // raw bytes, file, line
};

// A block that is only the head of a record beyond the limit: its dead letter.
void RejectOversize(const Block& block, uint64_t line, Rejects& rejects);

inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace qn::text
