// Rows as bytes and back, for everything that is remembered across steps. One layout for all types: NULL
// bits, a fixed part with a slot a column, then what has no fixed size (a slot then holds offset and size;
// nested values are encoded in the same way, recursively). NULL slots are zero.
//
// As a key, values that DuckDB calls equal are equal bytes: -0.0 is 0.0, every NaN is the same, an INTERVAL
// is normalized. As a row, values come back exactly as they were.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "data/type.h"
#include "duck/vector.h"

namespace qn::duck {

enum class Encoding : uint8_t { kRow, kKey };

// A row of n columns is: n bits, padded to bytes (bit i % 8 of byte i / 8 set: column i is NULL); n slots
// without gaps, each DuckDB's physical value or, where that has no fixed size, a Tail; the bytes of those, in
// the columns' order. A STRUCT is a row of its fields, an ARRAY a row of its elements, a LIST an uint32 count
// and a row of its elements, a MAP a LIST of STRUCT(key, value); Tails in them count from their own begin.
class RowCodec {
 public:
  struct Tail {
    uint32_t offset;  // from the begin of the row
    uint32_t size;
  };

  // QN-1810 names the column whose type cannot be remembered (TypeId::kOther, kNull).
  static Status Check(const Schema& columns);

  RowCodec(std::vector<Type> types, Encoding encoding);

  // Row `row` of flat columns, stored in `arena`. `has_null`: some column is NULL; may be nullptr. data() of
  // the answer is never nullptr, also not without columns. A row is at most 4 GB.
  std::string_view Encode(std::span<const ColumnIn> columns, size_t row, Arena& arena, bool* has_null) const;

  // Column `column` of `bytes` into row `at` of `out`. Strings are not copied: `bytes` must stay. What a LIST
  // or MAP holds is appended to its child. bytes.data() == nullptr: NULL.
  void Decode(std::string_view bytes, size_t column, ColumnOut& out, size_t at) const;

  // Checks what came from disk before it is decoded: lengths and offsets stay inside. False: damaged.
  bool IsSound(std::string_view bytes) const;

  size_t columns() const { return types_.size(); }
  const std::vector<Type>& types() const { return types_; }

  // For operators that compute on encoded rows.
  static bool IsNull(std::string_view bytes, size_t column) {
    return (static_cast<unsigned char>(bytes[column / 8]) >> (column % 8) & 1) != 0;
  }
  bool HasTail(size_t column) const { return IsTail(parts_[column].form); }
  size_t SlotOffset(size_t column) const { return parts_[column].slot; }
  size_t SlotSize(size_t column) const { return parts_[column].slot_size; }
  // The value's bytes, without the slot of a Tail. data() == nullptr: NULL.
  std::string_view Cell(std::string_view bytes, size_t column) const;
  // A row of such cells.
  std::string_view FromCells(std::span<const std::string_view> cells, Arena& arena) const;

 private:
  enum class Form : uint8_t { kFixed, kFloat, kDouble, kInterval, kBytes, kStruct, kList, kArray };
  // A type, ready for the inner loops.
  struct Part {
    Form form = Form::kFixed;
    TypeId id = TypeId::kNull;
    uint32_t slot_size = 0;
    size_t slot = 0;     // where it begins, as a column or field
    uint64_t limit = 0;  // ARRAY: elements; ENUM: labels
    size_t fixed = 0;    // STRUCT and ARRAY: bytes before the tails
    std::vector<Part> children{};
  };
  struct Writer;
  struct Reader;
  struct Prover;

  static bool IsTail(Form form) { return form >= Form::kBytes; }
  static Part PartOf(const Type& type, Encoding encoding);
  static size_t Place(std::vector<Part>& parts);

  std::vector<Type> types_;
  std::vector<Part> parts_;
  std::vector<size_t> tails_;  // the columns that have one
  size_t fixed_ = 0;           // bytes before the tails
};

}  // namespace qn::duck
