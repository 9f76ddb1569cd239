// Columns of a DuckDB chunk, to be filled by a decoder or read by a row filter, without copies. The layouts
// are DuckDB's own and are checked by tests against the library.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "data/type.h"

namespace qn::duck {

class Api;

inline constexpr size_t kChunkRows = 2048;  // DuckDB's vector size, checked when the library is loaded

// DuckDB's string: up to 12 bytes inside, longer ones by pointer (first 4 bytes repeated).
struct String {
  uint32_t size;
  char prefix[4];
  union {
    const char* pointer;
    char rest[8];
  };

  std::string_view view() const {
    return size <= 12 ? std::string_view(prefix, size) : std::string_view(pointer, size);
  }
};
static_assert(sizeof(String) == 16);

struct ListEntry {
  uint64_t offset;
  uint64_t length;
};
struct HugeInt {
  uint64_t lower;
  int64_t upper;
};
struct Interval {
  int32_t months;
  int32_t days;
  int64_t micros;
};
// What DuckDB compares of an interval, where 30 days are a month and 24 hours a day: equal ones are equal,
// and the order is that of the members, all but the first from 0 to below one of the next larger unit.
struct IntervalOrder {
  static constexpr int64_t kMicrosPerDay = int64_t{86'400} * 1'000'000;
  static constexpr int64_t kDaysPerMonth = 30;

  explicit IntervalOrder(const Interval& of) : months(of.months), days(of.days), micros(of.micros) {
    days += Carry(micros, kMicrosPerDay);
    months += Carry(days, kDaysPerMonth);
  }
  auto operator<=>(const IntervalOrder&) const =
      default;  // NOLINT(modernize-use-nullptr): what it compares with

  int64_t months;
  int64_t days;
  int64_t micros;

 private:
  // Divides and keeps the remainder from 0 to below `scale`.
  static int64_t Carry(int64_t& value, int64_t scale) {
    int64_t carried = value / scale;
    value -= carried * scale;
    if (value < 0) {
      --carried;
      value += scale;
    }
    return carried;
  }
};

// One column being filled, with its children for STRUCT, LIST, ARRAY and MAP. Physical types: BOOLEAN uint8,
// integers their size, HUGEINT and UUID HugeInt (UUID: top bit of `upper` flipped), DECIMAL
// int16/32/64/HugeInt by width ≤4/9/18/38, FLOAT/DOUBLE, VARCHAR/BLOB/JSON String, DATE int32 days, TIME
// int64 micros, TIMESTAMP and TIMESTAMPTZ int64 micros (S, MS, NS in their unit), INTERVAL Interval, LIST and
// MAP ListEntry (MAP's only child is its entries' STRUCT(key, value)).
class ColumnOut {
 public:
  ColumnOut(const Api& api, const Type& type, void* vector);

  const Type& type() const { return *type_; }
  template <typename T>
  T* data() {
    return static_cast<T*>(data_);
  }

  // Rows are valid until set NULL. A STRUCT's fields become NULL with it, as DuckDB expects.
  void SetNull(size_t row);

  bool IsNull(size_t row) const {
    return validity_ != nullptr && ((validity_[row / 64] >> (row % 64)) & 1) == 0;
  }

  // Undoes SetNull, for a row slot that is written again after its first content was rejected.
  void SetValid(size_t row);

  // The bytes are not copied when longer than 12: they must stay until the next Fill of the same thread.
  void SetString(size_t row, const char* bytes, size_t size) {
    String& out = static_cast<String*>(data_)[row];
    out.size = static_cast<uint32_t>(size);
    if (size <= 12) {
      std::memset(out.prefix, 0, 12);
      std::memcpy(out.prefix, bytes, size);
    } else {
      std::memcpy(out.prefix, bytes, 4);
      out.pointer = bytes;
    }
  }

  // LIST and MAP: room for `rows` child rows in all; moves the child's data. Then the final size.
  void ReserveChild(size_t rows);
  void SetChildSize(size_t rows);

  std::vector<ColumnOut>& children() { return children_; }

  // The duckdb_vector behind, for Arrow's columns, which are referenced and not written.
  void* vector() const { return vector_; }

 private:
  void Refresh();

  const Api* api_;
  const Type* type_;
  void* vector_;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
  size_t child_capacity_ = 0;
  std::shared_ptr<Type> entries_;  // MAP only: the type of its child
  std::vector<ColumnOut> children_;
};

// One chunk being filled: `columns` in the order of the projection.
struct ChunkOut {
  std::vector<ColumnOut> columns;
};

// A chunk of our own, for columns that are decoded but that DuckDB did not ask for.
class OwnChunk {
 public:
  OwnChunk(const Api& api, const std::vector<Type>& types);
  ~OwnChunk();
  OwnChunk(const OwnChunk&) = delete;
  OwnChunk& operator=(const OwnChunk&) = delete;

  // The columns, empty again.
  void Reset(ChunkOut& out);

 private:
  const Api& api_;
  std::vector<Type> types_;
  void* chunk_;
};

// One column being read, flat (DuckDB flattens before it calls a scalar function, what is nested too). Where
// a STRUCT is NULL its fields may hold anything, and a LIST that is NULL may have any entry.
struct ColumnIn {
  const void* data = nullptr;
  const uint64_t* validity = nullptr;  // nullptr: no NULLs
  // STRUCT: its fields; LIST and ARRAY: the elements; MAP: the entries, whose children are key and value.
  std::vector<ColumnIn> children{};

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  bool IsNull(size_t row) const {
    return validity != nullptr && ((validity[row / 64] >> (row % 64)) & 1) == 0;
  }
};

// The column of a flat vector, with its children.
ColumnIn ReadColumn(const Api& api, const Type& type, void* vector);

}  // namespace qn::duck
