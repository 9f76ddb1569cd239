// A level of the tree is walked for all rows before the next: nested values cost little more than flat ones.
#include "formats/parquet/row_group.h"

namespace qn::parquet {
namespace {

// DuckDB hands out validity masks of vectors that have no NULL, too.
bool MayHaveNulls(const duck::ColumnIn& column, std::span<const uint32_t> rows) {
  if (column.validity == nullptr) return false;
  for (size_t word = rows.front() / 64; word <= rows.back() / 64; ++word) {
    if (column.validity[word] != ~uint64_t{0}) return true;
  }
  return false;
}

}  // namespace

RowGroupBuffer::RowGroupBuffer(const ParquetSchema& schema)
    : schema_(schema), null_counts_(schema.null_counts(), 0) {
  for (const Leaf& leaf : schema.leaves()) leaves_.push_back(std::make_unique<ColumnBuffer>(leaf));
}

size_t RowGroupBuffer::memory() const {
  size_t bytes = sizeof *this + values_.capacity() * 4 + levels_.capacity();
  for (const auto& leaf : leaves_) bytes += leaf->memory();
  for (const Entries& entries : scratch_)
    bytes += entries.row.capacity() * 4 + entries.def.capacity() + entries.rep.capacity();
  return bytes;
}

RowGroupBuffer::Entries& RowGroupBuffer::Scratch(size_t depth) {
  while (scratch_.size() <= depth) scratch_.emplace_back();
  return scratch_[depth];
}

Status RowGroupBuffer::Append(std::span<const duck::ColumnIn> columns, std::span<const uint32_t> rows,
                              PageMaker& maker) {
  QN_CHECK(columns.size() == schema_.columns().size());
  maker_ = &maker;
  if (rows.empty()) return Ok();
  bool is_begun = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    const Node& node = schema_.columns()[i];
    if (node.kind == Node::Kind::kLeaf) {
      QN_TRY(AppendFlat(node, columns[i], rows));
      continue;
    }
    Entries& top = Scratch(0);
    if (!is_begun) {
      top.row.assign(rows.begin(), rows.end());
      top.def.assign(rows.size(), 0);
      is_begun = true;
    }
    QN_TRY(Walk(node, columns[i], top, 1));
  }
  rows_ += rows.size();
  return Ok();
}

Status RowGroupBuffer::AppendFlat(const Node& node, const duck::ColumnIn& column,
                                  std::span<const uint32_t> rows) {
  LeafSlice slice;
  slice.column = &column;
  slice.entries = slice.values = rows.size();
  slice.rows = rows.data();
  if (MayHaveNulls(column, rows)) {
    values_.resize(rows.size());
    levels_.resize(rows.size());
    size_t values = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool is_value = !column.IsNull(rows[i]);
      levels_[i] = is_value ? 1 : 0;
      values_[values] = rows[i];
      values += is_value ? 1 : 0;
    }
    slice.def = levels_.data();
    slice.rows = values_.data();
    slice.values = values;
  }
  return leaves_[node.leaf]->Append(slice, *maker_);
}

Status RowGroupBuffer::Walk(const Node& node, const duck::ColumnIn& column, const Entries& entries,
                            size_t depth) {
  switch (node.kind) {
    case Node::Kind::kStruct:
      return WalkStruct(node, column, entries, depth);
    case Node::Kind::kList:
      return WalkList(node, column, entries, depth);
    case Node::Kind::kLeaf:
      break;
  }
  return WalkLeaf(node, column, entries);
}

Status RowGroupBuffer::WalkStruct(const Node& node, const duck::ColumnIn& column, const Entries& entries,
                                  size_t depth) {
  const Entries* inner = &entries;
  if (node.is_optional) {
    Entries& own = Scratch(depth);
    own = entries;
    for (size_t i = 0; i < own.row.size(); ++i) {
      if (own.row[i] == kEnded) continue;
      if (column.IsNull(own.row[i])) {
        own.row[i] = kEnded;
      } else {
        own.def[i] = node.def;
      }
    }
    inner = &own;
  }
  for (size_t i = 0; i < node.children.size(); ++i) {
    QN_TRY(Walk(node.children[i], column.children[i], *inner, depth + 1));
  }
  return Ok();
}

Status RowGroupBuffer::WalkList(const Node& node, const duck::ColumnIn& column, const Entries& entries,
                                size_t depth) {
  const auto* lists = column.as<duck::ListEntry>();
  const size_t size = entries.row.size();
  size_t items = 0;
  for (const uint32_t row : entries.row) {
    const bool is_empty = row == kEnded || column.IsNull(row) || lists[row].length == 0;
    items += is_empty ? 1 : lists[row].length;
  }
  Entries& own = Scratch(depth);
  own.row.resize(items);
  own.def.resize(items);
  own.rep.resize(items);
  const auto item_def = static_cast<uint8_t>(node.def + 1);
  uint64_t nulls = 0;
  size_t at = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint32_t row = entries.row[i];
    const uint8_t rep = entries.rep.empty() ? 0 : entries.rep[i];
    const bool is_null = row == kEnded || column.IsNull(row);
    nulls += is_null ? 1 : 0;
    if (is_null || lists[row].length == 0) {
      own.row[at] = kEnded;
      own.def[at] = is_null ? entries.def[i] : node.def;
      own.rep[at++] = rep;
      continue;
    }
    const duck::ListEntry list = lists[row];
    for (uint64_t k = 0; k < list.length; ++k, ++at) {
      own.row[at] = static_cast<uint32_t>(list.offset + k);
      own.def[at] = item_def;
      own.rep[at] = k == 0 ? rep : node.rep;
    }
  }
  if (node.nulls >= 0) null_counts_[static_cast<size_t>(node.nulls)] += nulls;
  return Walk(node.children[0], column.children[0], own, depth + 1);
}

Status RowGroupBuffer::WalkLeaf(const Node& node, const duck::ColumnIn& column, const Entries& entries) {
  const size_t size = entries.row.size();
  values_.resize(size);
  levels_.resize(size);
  size_t values = 0;
  for (size_t i = 0; i < size; ++i) {
    const uint32_t row = entries.row[i];
    const bool is_value = row != kEnded && !column.IsNull(row);
    levels_[i] = is_value ? node.def : entries.def[i];
    values_[values] = row;
    values += is_value ? 1 : 0;
  }
  LeafSlice slice;
  slice.column = &column;
  slice.def = levels_.data();
  slice.rep = entries.rep.empty() ? nullptr : entries.rep.data();
  slice.entries = size;
  slice.rows = values_.data();
  slice.values = values;
  return leaves_[node.leaf]->Append(slice, *maker_);
}

EncodedRowGroup RowGroupBuffer::Encode(PageMaker& maker) {
  EncodedRowGroup out;
  out.rows = rows_;
  for (const auto& leaf : leaves_) out.columns.push_back(&leaf->Encode(maker));
  out.null_counts = null_counts_;
  null_counts_.assign(null_counts_.size(), 0);
  rows_ = 0;
  return out;
}

}  // namespace qn::parquet
