// Arrow at the border: rows leave DuckDB to Python and come back, chunk by chunk, without copies of ours.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "duck/arrow_abi.h"
#include "duck/database.h"
#include "duck/vector.h"

namespace qn::duck {

// Owns one of the structs; moving empties the source.
template <typename T>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : value_(other.value_) { other.value_.release = nullptr; }
  Owned& operator=(Owned&& other) noexcept {
    Reset();
    value_ = other.value_;
    other.value_.release = nullptr;
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { Reset(); }
  T* get() { return &value_; }
  T* operator->() { return &value_; }

 private:
  void Reset() {
    if (value_.release != nullptr) value_.release(&value_);
    value_.release = nullptr;
  }
  T value_{};
};

struct ArrowBatch {
  Owned<ArrowSchema> schema;
  Owned<ArrowArray> array;  // a struct array; at most kChunkRows rows when it comes from DuckDB
};

Result<Owned<ArrowSchema>> ToArrowSchema(Connection& connection, const Schema& schema);

// The rows of a query as a stream of batches. The connection is busy until it is destroyed.
class ArrowQuery {
 public:
  static Result<std::unique_ptr<ArrowQuery>> Open(Connection& connection, const std::string& sql);
  ~ArrowQuery();
  Result<bool> Next(ArrowBatch* out);  // false at the end

 private:
  struct State;
  explicit ArrowQuery(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A batch of at most kChunkRows rows as DuckDB sees it; owns the batch.
class ArrowChunk {
 public:
  static Result<std::unique_ptr<ArrowChunk>> From(Connection& connection, ArrowBatch batch);
  ~ArrowChunk();
  size_t rows() const { return rows_; }
  // Makes out.columns[i] show the batch's column columns[i]; the chunk must outlive what reads them.
  void ShowIn(ChunkOut& out, std::span<const int> columns) const;

 private:
  ArrowChunk(const Api& api, void* chunk, size_t rows) : api_(api), chunk_(chunk), rows_(rows) {}
  const Api& api_;
  void* chunk_;
  size_t rows_;
};

}  // namespace qn::duck
