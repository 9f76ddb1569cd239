// One column of a row group while it is being filled, and the pages it becomes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "duck/vector.h"
#include "formats/parquet/bounds.h"
#include "formats/parquet/column_pages.h"
#include "formats/parquet/dictionary.h"
#include "formats/parquet/page.h"
#include "formats/parquet/schema.h"

namespace qn::parquet {

inline constexpr size_t kPageBytes = 1 << 20;            // a page is cut when it has grown to this
inline constexpr size_t kPageIndices = 256 << 10;        // the same for indices of a dictionary
inline constexpr size_t kRowBytesMax = size_t{1} << 30;  // of one row in one column: a page must hold it
inline constexpr size_t kSliceValues = 8 << 10;

// Entries to append: a value, or a NULL or an empty list at some level.
struct LeafSlice {
  const duck::ColumnIn* column = nullptr;
  const uint8_t* def = nullptr;  // nullptr: every entry is a value
  const uint8_t* rep = nullptr;  // nullptr: the column has no lists above
  size_t entries = 0;
  const uint32_t* rows = nullptr;  // where the values are in `column`
  size_t values = 0;
  uint64_t bytes = 0;  // ColumnBuffer::Append fills it in: what the values take as PLAIN, about
};

class ColumnBuffer {
 public:
  explicit ColumnBuffer(const Leaf& leaf);

  // Pages that are full are encoded at once. QN-2061 for a row that no page can hold; the buffer is then of
  // no use.
  Status Append(LeafSlice slice, PageMaker& maker);
  // Empties the buffer and keeps its memory. Valid until the next Append.
  const EncodedColumn& Encode(PageMaker& maker);
  size_t memory() const;

 private:
  struct Page {
    bool is_dictionary = false;
    size_t entries = 0, values = 0;  // number of
  };

  void Begin(const PageMaker& maker);
  Status AppendSplit(const LeafSlice& slice, PageMaker& maker);
  void AppendOne(const LeafSlice& slice, PageMaker& maker);
  void AppendLevels(const LeafSlice& slice);
  void AppendValues(const LeafSlice& slice);
  void AppendTexts(const LeafSlice& slice);
  void AppendPlainTexts(const LeafSlice& slice);
  void AppendBooleans(const LeafSlice& slice);
  void AppendWide(const LeafSlice& slice);
  template <typename In, typename Out>
  void AppendNumbers(const LeafSlice& slice);
  uint64_t BytesOf(const LeafSlice& slice) const;
  void BeginPlain();
  void JudgeDictionary(PageMaker& maker);
  void DictionaryToPlain();

  void CutPage(PageMaker& maker);
  void EncodePlain(const Page& page, PageMaker& maker);
  void EncodeDictionary(PageMaker& maker);
  void EncodeIndices(const Page& page, int bits, PageMaker& maker);
  void PutLevels(size_t entries, Buffer& out);
  void ForgetLevels();

  const Leaf& leaf_;
  bool is_begun_ = false;  // the row group has entries
  bool is_plain_;          // the dictionary was given up, or never tried
  int plain_groups_ = 0;   // row groups since a dictionary was tried
  uint64_t entries_ = 0;
  uint64_t null_count_ = 0;
  Bounds bounds_;

  // Of the entries that are not encoded yet.
  std::vector<uint8_t> def_;  // empty while every entry is a value
  std::vector<uint8_t> rep_;
  size_t waiting_ = 0;      // number of entries
  size_t levels_told_ = 0;  // while they are encoded

  size_t gap_ = 0;
  Buffer plain_;  // a gap for what comes before them, then the PLAIN values of a page: see ValuePage
  std::vector<int32_t> lengths_;
  std::vector<uint16_t> indices_;
  size_t indices_told_ = 0;
  uint64_t indexed_bytes_ = 0;  // what the indexed values would take as PLAIN
  NumberDictionary numbers_;
  TextDictionary texts_;
  std::vector<uint64_t> copied_;  // numbers of a slice, on their way to the dictionary
  std::vector<Page> indexed_;     // pages of indices; their dictionary comes first
  Page page_;                     // being filled
  ColumnPages pages_;
};

}  // namespace qn::parquet
