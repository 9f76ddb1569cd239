// Pages of one column of one row group, and how its values are told best: as they are or as distances,
// compressed in which way or not at all. Found by trying, and kept for some row groups.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/parquet/bounds.h"
#include "formats/parquet/page.h"
#include "formats/parquet/schema.h"

namespace qn::parquet {

// Offsets count from the beginning of `bytes`.
struct EncodedColumn {
  Buffer bytes;
  Codec codec = Codec::kNone;
  uint64_t plain_bytes = 0;  // uncompressed, headers included
  uint64_t entries = 0;
  uint64_t null_count = 0;
  uint64_t data_offset = 0;
  bool has_dictionary = false;
  Encoding delta = Encoding::kPlain;  // of the pages that are counted below
  int32_t dictionary_pages = 0;       // data pages by encoding
  int32_t plain_pages = 0;
  int32_t delta_pages = 0;
  Bounds bounds;
};

// A page of values that no dictionary holds.
struct ValuePage {
  size_t entries = 0, values = 0;  // number of
  char* data = nullptr;            // PLAIN; texts without their lengths, BOOLEAN a byte a value
  size_t bytes = 0;
  size_t gap = 0;                    // bytes in front of `data` that may be written
  const int32_t* lengths = nullptr;  // of texts
};

class ColumnPages {
 public:
  explicit ColumnPages(const Leaf& leaf);

  // Of another row group; keeps the memory.
  void Begin(const PageMaker& maker);
  // Before all others. `values` as PLAIN has them.
  void AddDictionary(std::string_view values, size_t size, PageMaker& maker);
  // `whole`: levels and indices.
  void AddIndices(std::string_view whole, size_t entries, PageMaker& maker);
  // The page's levels are in maker.scratch.
  void AddValues(const ValuePage& page, PageMaker& maker);

  EncodedColumn& column() { return out_; }
  size_t gap() const { return gap_; }  // wanted in front of a page's values; a multiple of 8
  size_t memory() const { return out_.bytes.capacity(); }

 private:
  enum class Form : uint8_t { kUnknown, kPlain, kDelta };

  Encoding PutDeltas(const ValuePage& page, PageMaker& maker);
  bool IsDeltaBetter(const ValuePage& page, size_t delta_bytes, PageMaker& maker);
  PageMaker::Way WayOf(const ValuePage& page, Encoding encoding, PageMaker& maker);
  bool IsStillHopeless(std::string_view whole, PageMaker::Way way, PageMaker& maker) const;
  std::string_view Join(const ValuePage& page, Buffer& front);
  void Put(std::string_view whole, size_t entries, Encoding encoding, PageMaker::Way way, PageMaker& maker);

  const Leaf& leaf_;
  EncodedColumn out_;
  size_t gap_;
  bool is_codec_chosen_ = false;  // of this row group: a column has one

  bool is_way_known_ = false;  // of this row group's texts
  PageMaker::Way text_way_ = PageMaker::Way::kUsual;

  // What was found out, for so many more row groups.
  int groups_left_ = 0;
  Form form_ = Form::kUnknown;
  bool is_hopeless_ = false;  // did not shrink
};

// BYTE_ARRAY: VARCHAR and BLOB.
inline bool IsText(const Leaf& leaf) { return leaf.physical == Physical::kByteArray; }

}  // namespace qn::parquet
