// One column of a row group while it is being filled, and the pages it becomes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "duck/vector.h"
#include "formats/parquet/bounds.h"
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
};

// Pages of one column of one row group; offsets count from the beginning of `bytes`.
struct EncodedColumn {
  Buffer bytes;
  Codec codec = Codec::kNone;
  uint64_t plain_bytes = 0;  // uncompressed, headers included
  uint64_t entries = 0;
  uint64_t null_count = 0;
  uint64_t data_offset = 0;
  bool has_dictionary = false;
  int32_t dictionary_pages = 0;  // data pages by encoding
  int32_t plain_pages = 0;
  Bounds bounds;
};

class ColumnBuffer {
 public:
  explicit ColumnBuffer(const Leaf& leaf);

  // QN-2061 for a row that no page can hold; the buffer is then of no use.
  Status Append(const LeafSlice& slice);
  // Empties the buffer and keeps its memory.
  EncodedColumn Encode(PageMaker& maker);
  size_t memory() const;

 private:
  struct Page {
    bool is_dictionary = false;
    size_t entries = 0, values = 0;  // number of
    size_t from = 0, to = 0;         // bytes in plain_
  };

  Status AppendSplit(const LeafSlice& slice);
  void AppendOne(const LeafSlice& slice);
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
  void CutPage();
  void JudgeDictionary();
  void DictionaryToPlain();

  void EncodeDictionary(PageMaker& maker, EncodedColumn& out);
  void EncodePage(const Page& page, PageMaker& maker, EncodedColumn& out);
  void ChooseWay(size_t whole, size_t stored);
  void PutLevels(size_t entries, Buffer& out);
  void PutValues(const Page& page, Buffer& out);
  std::string_view WholePage(const Page& page, PageMaker& maker);
  void Clear();

  const Leaf& leaf_;
  bool is_plain_;         // the dictionary was given up, or never tried
  int plain_groups_ = 0;  // row groups since a dictionary was tried

  std::vector<uint8_t> def_;  // empty while every entry is a value
  std::vector<uint8_t> rep_;
  size_t entries_ = 0, values_ = 0;
  uint64_t null_count_ = 0;

  Buffer plain_;  // PLAIN values, pages apart by a gap for their levels; BOOLEAN a byte a value
  std::vector<uint16_t> indices_;
  uint64_t indexed_bytes_ = 0;  // what the indexed values would take as PLAIN
  NumberDictionary numbers_;
  TextDictionary texts_;
  std::vector<uint64_t> hashes_;
  std::vector<Page> pages_;
  Page page_;  // being filled
  Bounds bounds_;

  // While encoding: how far the levels and the indices are told.
  size_t entries_told_ = 0, indices_told_ = 0;
  bool is_codec_chosen_ = false;
  PageMaker::Way way_;  // of PLAIN pages, in later row groups too
};

}  // namespace qn::parquet
