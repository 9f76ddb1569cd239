// Bytes to columns. A decoder knows no file names and no network; what it cannot read becomes a dead letter.
#pragma once

#include <memory>
#include <span>

#include "contract/source.h"
#include "data/dead_letter.h"
#include "data/type.h"
#include "duck/vector.h"

namespace qn {

// Where a decoder leaves what it could not read. Thread-safe. `file` is Block::file.
class Rejects {
 public:
  virtual ~Rejects() = default;
  virtual void Add(uint32_t file, int64_t line, std::string_view raw, std::string detail) = 0;
};

// Where a decoder stands inside a block.
struct Cursor {
  size_t at = 0;      // next byte
  uint64_t line = 0;  // its line number, 1-based; the caller sets both when a block begins
};

// Of one thread, for one projection. Columns that are declared but not projected are checked all the same:
// which rows are good must not depend on who reads them.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Decodes records from `cursor` on until `out` is full (kChunkRows) or the block ends; returns the rows
  // written. out.columns[i] is schema column columns[i]; an index ≥ schema size asks for a hidden column:
  // +0 raw bytes of the record (BLOB), +1 file (UINTEGER), +2 line (BIGINT).
  virtual size_t Decode(const Block& block, Cursor& cursor, duck::ChunkOut& out, Rejects& rejects) = 0;
};

class Format {
 public:
  virtual ~Format() = default;
  virtual const RecordSplitter& Splitter() const = 0;
  // Whether every declared column can be read from this format: QN-2020 naming the first that cannot. Call it
  // when the pipeline is checked; NewDecoder takes only a schema that passed.
  virtual Status Check(const Schema& schema) const = 0;
  virtual std::unique_ptr<Decoder> NewDecoder(const Schema& schema, std::span<const int> columns) const = 0;
};

inline constexpr int kHiddenColumns = 3;

}  // namespace qn
