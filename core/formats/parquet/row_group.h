// Rows of one table on their way to become a row group: every column's buffer, and the walk through nested
// values that turns them into definition and repetition levels.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "formats/parquet/column.h"
#include "formats/parquet/schema.h"

namespace qn::parquet {

struct EncodedRowGroup {
  uint64_t rows = 0;
  std::vector<const EncodedColumn*> columns;  // in the order of the schema's leaves; the buffer's own
  std::vector<uint64_t> null_counts;          // of lists, see Node::nulls
};

// Of one thread. The schema is borrowed.
class RowGroupBuffer {
 public:
  explicit RowGroupBuffer(const ParquetSchema& schema);

  // Copies the given rows, ascending, of flat columns in the order of the schema. QN-2061 for a value that no
  // page can hold; the buffer is then of no use.
  Status Append(std::span<const duck::ColumnIn> columns, std::span<const uint32_t> rows, PageMaker& maker);
  uint64_t rows() const { return rows_; }
  size_t memory() const;
  // Empties the buffer and keeps its memory. Valid until the next Append.
  EncodedRowGroup Encode(PageMaker& maker);

 private:
  // The entries of a node of the tree, on the way down.
  struct Entries {
    std::vector<uint32_t> row;  // in the node's vector; kEnded where something above is NULL or empty
    std::vector<uint8_t> def;
    std::vector<uint8_t> rep;  // empty above the first list
  };
  static constexpr uint32_t kEnded = UINT32_MAX;

  Status AppendFlat(const Node& node, const duck::ColumnIn& column, std::span<const uint32_t> rows);
  Status Walk(const Node& node, const duck::ColumnIn& column, const Entries& entries, size_t depth);
  Status WalkStruct(const Node& node, const duck::ColumnIn& column, const Entries& entries, size_t depth);
  Status WalkList(const Node& node, const duck::ColumnIn& column, const Entries& entries, size_t depth);
  Status WalkLeaf(const Node& node, const duck::ColumnIn& column, const Entries& entries);
  Entries& Scratch(size_t depth);

  const ParquetSchema& schema_;
  std::vector<std::unique_ptr<ColumnBuffer>> leaves_;
  std::vector<uint64_t> null_counts_;
  uint64_t rows_ = 0;
  PageMaker* maker_ = nullptr;   // during Append
  std::deque<Entries> scratch_;  // one a depth
  std::vector<uint32_t> values_;
  std::vector<uint8_t> levels_;
};

}  // namespace qn::parquet
