// Trials are made on a page that is large enough to speak for the column. A text's lengths always stand apart
// from its letters: they pack better, and what repeats among the letters is found sooner.
#include "formats/parquet/column_pages.h"

#include <algorithm>
#include <cstring>

#include "formats/parquet/delta.h"

namespace qn::parquet {
namespace {

constexpr size_t kGapFirst = 32;           // in front of a page; a multiple of 8
constexpr size_t kGapPageMin = 256 << 10;  // a page that shows what gap others will need
constexpr int kGroupsMax = 16;             // row groups until everything is tried again
constexpr size_t kTrialBytesMin = 4096;    // smaller pages say nothing about a column
constexpr size_t kSampleBytes = 32 << 10;
constexpr size_t kSampledMin = 128 << 10;  // a sample of less would cost as much as it saves

bool IsInteger(const Leaf& leaf) {
  return leaf.physical == Physical::kInt32 || leaf.physical == Physical::kInt64;
}

bool IsReal(const Leaf& leaf) {
  return leaf.physical == Physical::kFloat || leaf.physical == Physical::kDouble;
}

void PutBits(const char* values, size_t size, Buffer& out) {
  const size_t bytes = (size + 7) / 8;
  char* packed = out.Reserve(bytes);
  std::memset(packed, 0, bytes);
  for (size_t i = 0; i < size; ++i) packed[i / 8] = static_cast<char>(packed[i / 8] | values[i] << (i % 8));
  out.Advance(bytes);
}

}  // namespace

ColumnPages::ColumnPages(const Leaf& leaf) : leaf_(leaf), gap_(kGapFirst) {}

void ColumnPages::Begin(const PageMaker& maker) {
  Buffer bytes = std::move(out_.bytes);
  bytes.Clear();
  out_ = EncodedColumn();
  out_.bytes = std::move(bytes);
  out_.delta = IsText(leaf_) ? Encoding::kDeltaLength : Encoding::kDelta;
  if (--groups_left_ <= 0) {
    groups_left_ = kGroupsMax;
    form_ = Form::kUnknown;
    is_hopeless_ = false;
  }
  is_way_known_ = false;
  is_codec_chosen_ = !maker.compresses();
  out_.codec = maker.compresses() ? Codec::kZstd : Codec::kNone;
}

void ColumnPages::AddDictionary(std::string_view values, size_t size, PageMaker& maker) {
  out_.has_dictionary = true;
  is_codec_chosen_ = true;  // indices compress badly, dictionaries well: no trial
  const std::string_view stored = out_.codec == Codec::kZstd ? maker.Compress(values) : values;
  const size_t bytes = PageMaker::AppendDictionary(stored, values.size(), size, out_.bytes);
  out_.plain_bytes += bytes - stored.size() + values.size();
  out_.data_offset = out_.bytes.size();
}

void ColumnPages::AddIndices(std::string_view whole, size_t entries, PageMaker& maker) {
  Put(whole, entries, Encoding::kDictionary, PageMaker::Way::kUsual, maker);
}

void ColumnPages::AddValues(const ValuePage& page, PageMaker& maker) {
  Buffer& front = maker.scratch;
  const Encoding encoding = PutDeltas(page, maker);
  std::string_view whole;
  if (leaf_.physical == Physical::kBoolean) {
    PutBits(page.data, page.values, front);
    whole = front.view(0, front.size());
  } else if (encoding == Encoding::kDelta) {
    whole = front.view(0, front.size());
  } else {
    whole = Join(page, front);
  }
  Put(whole, page.entries, encoding, WayOf(page, encoding, maker), maker);
}

// What stands in front of a page's values, or in their place, goes behind the levels.
Encoding ColumnPages::PutDeltas(const ValuePage& page, PageMaker& maker) {
  Buffer& out = maker.scratch;
  if (page.values == 0) return Encoding::kPlain;
  if (IsText(leaf_)) {
    AppendDeltas(page.lengths, page.values, out);
    return Encoding::kDeltaLength;
  }
  if (!IsInteger(leaf_)) return Encoding::kPlain;
  const size_t levels = out.size();
  if (leaf_.physical == Physical::kInt32) {
    AppendDeltas(reinterpret_cast<const int32_t*>(page.data), page.values, out);
  } else {
    AppendDeltas(reinterpret_cast<const int64_t*>(page.data), page.values, out);
  }
  if (IsDeltaBetter(page, out.size() - levels, maker)) return Encoding::kDelta;
  out.Shrink(levels);
  return Encoding::kPlain;
}

// A value that was there before costs zstd about three bytes, which distances can only guess at: where they
// are neither that short nor hopeless, both are tried.
bool ColumnPages::IsDeltaBetter(const ValuePage& page, size_t delta_bytes, PageMaker& maker) {
  if (delta_bytes * 2 <= page.bytes) return true;
  if (delta_bytes * 8 > page.bytes * 7) return false;
  if (form_ == Form::kUnknown || page.bytes < kTrialBytesMin) {
    const std::string_view plain(page.data, page.bytes);
    const size_t stored =
        maker.compresses() ? maker.Compress(plain, PageMaker::Way::kNumbers).size() : plain.size();
    const bool is_better = delta_bytes <= stored + stored / 10;
    if (page.bytes < kTrialBytesMin) return is_better;
    form_ = is_better ? Form::kDelta : Form::kPlain;
  }
  return form_ == Form::kDelta;
}

// Levels and values in one piece: where the values lie, or put together behind the levels.
std::string_view ColumnPages::Join(const ValuePage& page, Buffer& front) {
  const size_t size = front.size();
  if (page.bytes >= kGapPageMin) gap_ = std::max(gap_, (size + size / 8) / 8 * 8);
  if (size <= page.gap) {
    std::memcpy(page.data - size, front.data(), size);
    return {page.data - size, size + page.bytes};
  }
  front.Append(page.data, page.bytes);
  return front.view(0, front.size());
}

PageMaker::Way ColumnPages::WayOf(const ValuePage& page, Encoding encoding, PageMaker& maker) {
  if (encoding == Encoding::kDelta) return PageMaker::Way::kUsual;
  if (IsReal(leaf_)) return PageMaker::Way::kUsual;
  if (!IsText(leaf_)) return PageMaker::Way::kNumbers;
  if (out_.codec == Codec::kNone || page.bytes < kSampledMin) return PageMaker::Way::kUsual;
  if (!is_way_known_) {
    const std::string_view sample(page.data, kSampleBytes);
    const size_t usual = maker.Compress(sample, PageMaker::Way::kUsual).size();
    const size_t letters = maker.Compress(sample, PageMaker::Way::kLetters).size();
    text_way_ = letters <= usual + usual / 50 ? PageMaker::Way::kLetters : PageMaker::Way::kUsual;
    is_way_known_ = true;
  }
  return text_way_;
}

// What did not shrink before is tried again when a part of it does.
bool ColumnPages::IsStillHopeless(std::string_view whole, PageMaker::Way way, PageMaker& maker) const {
  if (!is_hopeless_) return false;
  const std::string_view sample = whole.substr(whole.size() / 2, kSampleBytes);
  return maker.Compress(sample, way).size() > sample.size() / 10 * 9;
}

// A column that does not shrink by a tenth is stored as it is: cheaper now, and for every reader.
void ColumnPages::Put(std::string_view whole, size_t entries, Encoding encoding, PageMaker::Way way,
                      PageMaker& maker) {
  std::string_view stored = whole;
  if (!is_codec_chosen_ && IsStillHopeless(whole, way, maker)) out_.codec = Codec::kNone;
  if (out_.codec == Codec::kZstd) {
    stored = maker.Compress(whole, way);
    if (!is_codec_chosen_ && whole.size() >= kTrialBytesMin) {
      is_hopeless_ = stored.size() > whole.size() / 10 * 9;
      if (is_hopeless_) {
        out_.codec = Codec::kNone;
        stored = whole;
      }
    }
  }
  is_codec_chosen_ = true;
  const size_t bytes = PageMaker::AppendData(stored, whole.size(), entries, encoding, out_.bytes);
  out_.plain_bytes += bytes - stored.size() + whole.size();
  if (encoding == Encoding::kDictionary) {
    ++out_.dictionary_pages;
  } else if (encoding == Encoding::kPlain) {
    ++out_.plain_pages;
  } else {
    ++out_.delta_pages;
  }
}

}  // namespace qn::parquet
