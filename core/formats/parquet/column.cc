// Values are copied once, into what will be the page. A page's levels go into a gap left in front of it, so
// that it is compressed where it lies, unless NULLs or lists make the levels long.
#include "formats/parquet/column.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "formats/parquet/hybrid.h"

namespace qn::parquet {
namespace {

constexpr size_t kGap = 32;              // in front of each PLAIN page; a multiple of 8
constexpr int kPlainGroupsMax = 16;      // row groups until a dictionary is tried again
constexpr size_t kTrialBytesMin = 4096;  // smaller pages say nothing about a column

bool IsText(const Leaf& leaf) { return leaf.physical == Physical::kByteArray; }

bool MayHaveDictionary(const Leaf& leaf) {
  return leaf.physical != Physical::kBoolean && leaf.physical != Physical::kFixed;
}

// Whether `rows` are consecutive. They ascend.
bool IsRange(const uint32_t* rows, size_t size) { return size > 0 && rows[size - 1] - rows[0] == size - 1; }

// The twelve bytes of a short text.
const char* Inside(const duck::String& text) { return reinterpret_cast<const char*>(&text) + 4; }

// The bytes of a text, its length in front. Writes up to 16 bytes too many.
char* PutText(const duck::String& text, char* out) {
  const size_t size = text.size;
  std::memcpy(out, &text.size, 4);
  out += 4;
  if (size <= 12) {
    std::memcpy(out, Inside(text), 12);
  } else if (size <= 16) {
    std::memcpy(out, text.pointer, 8);
    std::memcpy(out + size - 8, text.pointer + size - 8, 8);
  } else if (size <= 32) {
    std::memcpy(out, text.pointer, 16);
    std::memcpy(out + size - 16, text.pointer + size - 16, 16);
  } else if (size <= 64) {
    std::memcpy(out, text.pointer, 32);
    std::memcpy(out + size - 32, text.pointer + size - 32, 32);
  } else {
    std::memcpy(out, text.pointer, size);
  }
  return out + size;
}

// The first eight bytes as a number that orders as the texts do, where it differs.
uint64_t OrderKey(const duck::String& text) {
  uint64_t word;
  std::memcpy(&word, text.size <= 12 ? Inside(text) : text.pointer, 8);
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

uint64_t OrderKey(const std::string& text) {
  uint64_t word = 0;
  std::memcpy(&word, text.data(), std::min<size_t>(text.size(), 8));
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

template <typename T>
uint64_t BitsOf(T value) {
  std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Least and greatest of values that may be NaN.
template <typename T>
void FindRange(const T* values, size_t size, T* least, T* greatest, bool* has_values, bool* has_nan) {
  T low = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                               : std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::min();
  size_t nans = 0;
  for (size_t i = 0; i < size; ++i) {
    const T value = values[i];
    low = value < low ? value : low;
    high = value > high ? value : high;
    if constexpr (std::is_floating_point_v<T>) nans += value != value ? 1 : 0;
  }
  *least = low;
  *greatest = high;
  *has_values = nans < size;
  *has_nan = nans > 0;
}

void PutPlainNumbers(const std::vector<uint64_t>& bits, size_t width, Buffer& out) {
  char* p = out.Reserve(bits.size() * width);
  for (size_t i = 0; i < bits.size(); ++i)
    std::memcpy(p + i * width, &bits[i], width);  // little-endian machines
  out.Advance(bits.size() * width);
}
static_assert(std::endian::native == std::endian::little,
              "Parquet's numbers are copied as they lie in memory");

}  // namespace

ColumnBuffer::ColumnBuffer(const Leaf& leaf)
    : leaf_(leaf),
      is_plain_(!MayHaveDictionary(leaf)),
      way_(IsText(leaf) ? PageMaker::Way::kUsual : PageMaker::Way::kNumbers) {}

size_t ColumnBuffer::memory() const {
  return sizeof *this + def_.capacity() + rep_.capacity() + plain_.capacity() + indices_.capacity() * 2 +
         numbers_.memory() + texts_.memory() + hashes_.capacity() * 8 + pages_.capacity() * sizeof(Page);
}

// ---- Appending

uint64_t ColumnBuffer::BytesOf(const LeafSlice& slice) const {
  if (!IsText(leaf_)) return slice.values * 8;
  const auto* texts = slice.column->as<duck::String>();
  uint64_t bytes = slice.values * 4;
  for (size_t i = 0; i < slice.values; ++i) bytes += texts[slice.rows[i]].size;
  return bytes;
}

Status ColumnBuffer::Append(const LeafSlice& slice) {
  if (slice.entries == 0) return Ok();
  if (slice.values > kSliceValues || (IsText(leaf_) && BytesOf(slice) > kPageBytes))
    return AppendSplit(slice);
  AppendOne(slice);
  return Ok();
}

// Takes the slice in parts of whole rows that a page can hold.
Status ColumnBuffer::AppendSplit(const LeafSlice& slice) {
  LeafSlice part = slice;
  part.entries = part.values = 0;
  uint64_t part_bytes = 0;
  const auto begin_part = [&] {
    if (part.entries > 0) AppendOne(part);
    if (part.def != nullptr) part.def += part.entries;
    if (part.rep != nullptr) part.rep += part.entries;
    part.rows += part.values;
    part.entries = part.values = 0;
    part_bytes = 0;
  };
  for (size_t entry = 0, value = 0; entry < slice.entries;) {
    LeafSlice row = slice;
    row.rows = slice.rows + value;
    row.entries = row.values = 0;
    do {
      row.values += slice.def == nullptr || slice.def[entry] == leaf_.def_max ? 1 : 0;
      ++row.entries;
      ++entry;
    } while (slice.rep != nullptr && entry < slice.entries && slice.rep[entry] > 0);
    value += row.values;
    const uint64_t bytes = BytesOf(row);
    if (bytes > kRowBytesMax) {
      return Invalid("QN-2061", "A value of column '" + leaf_.path.front() +
                                    "' is too large to be stored: " + std::to_string(bytes) + " bytes.")
          .With("A Parquet page holds at most " + std::to_string(kRowBytesMax) +
                " bytes of one row and column.");
    }
    if (part.entries > 0 && (part_bytes + bytes > kPageBytes || part.values + row.values > kSliceValues))
      begin_part();
    part.entries += row.entries;
    part.values += row.values;
    part_bytes += bytes;
  }
  begin_part();
  return Ok();
}

void ColumnBuffer::AppendOne(const LeafSlice& slice) {
  // A row of very many values would overflow the indices before the dictionary is judged.
  if (!is_plain_ && slice.values > 4 * kSliceValues) {
    CutPage();
    is_plain_ = true;
  }
  AppendLevels(slice);
  AppendValues(slice);
  page_.entries += slice.entries;
  page_.values += slice.values;
  if (!is_plain_) JudgeDictionary();
  const bool is_full =
      page_.is_dictionary ? page_.values >= kPageIndices : plain_.size() - page_.from >= kPageBytes;
  if (page_.entries > 0 && (is_full || page_.entries >= kPageBytes)) CutPage();
}

void ColumnBuffer::AppendLevels(const LeafSlice& slice) {
  if (slice.values < slice.entries || !def_.empty()) {
    if (def_.empty()) def_.assign(entries_, leaf_.def_max);
    if (slice.def != nullptr) {
      def_.insert(def_.end(), slice.def, slice.def + slice.entries);
    } else {
      def_.insert(def_.end(), slice.entries, leaf_.def_max);
    }
  }
  if (leaf_.rep_max > 0) rep_.insert(rep_.end(), slice.rep, slice.rep + slice.entries);
  entries_ += slice.entries;
  null_count_ += slice.entries - slice.values;
}

// Where the first value of a page goes. Also when a page has only NULLs: it has a place then.
void ColumnBuffer::BeginPlain() {
  if (page_.entries > 0 && !page_.is_dictionary) return;
  plain_.Reserve(kGap);
  plain_.Advance(kGap);
  page_.is_dictionary = false;
  page_.from = page_.to = plain_.size();
}

void ColumnBuffer::CutPage() {
  if (page_.entries == 0) return;
  page_.to = plain_.size();
  pages_.push_back(page_);
  page_ = Page();
}

void ColumnBuffer::AppendValues(const LeafSlice& slice) {
  if (is_plain_) {
    BeginPlain();
  } else {
    page_.is_dictionary = true;
  }
  values_ += slice.values;
  if (slice.values == 0) return;
  switch (leaf_.type.id) {
    case TypeId::kBoolean:
      return AppendBooleans(slice);
    case TypeId::kTinyInt:
      return AppendNumbers<int8_t, int32_t>(slice);
    case TypeId::kSmallInt:
      return AppendNumbers<int16_t, int32_t>(slice);
    case TypeId::kInteger:
    case TypeId::kDate:
      return AppendNumbers<int32_t, int32_t>(slice);
    case TypeId::kFloat:
      return AppendNumbers<float, float>(slice);
    case TypeId::kDouble:
      return AppendNumbers<double, double>(slice);
    case TypeId::kDecimal:
      if (leaf_.type.width <= 4) return AppendNumbers<int16_t, int32_t>(slice);
      if (leaf_.type.width <= 9) return AppendNumbers<int32_t, int32_t>(slice);
      if (leaf_.type.width <= 18) return AppendNumbers<int64_t, int64_t>(slice);
      return AppendWide(slice);
    case TypeId::kVarchar:
    case TypeId::kBlob:
      return AppendTexts(slice);
    default:
      return AppendNumbers<int64_t, int64_t>(slice);
  }
}

template <typename In, typename Out>
void ColumnBuffer::AppendNumbers(const LeafSlice& slice) {
  const size_t size = slice.values;
  const In* in = slice.column->as<In>();
  if (!is_plain_) hashes_.resize(std::max(hashes_.size(), size));
  char* out = is_plain_ ? plain_.Reserve(size * sizeof(Out)) : reinterpret_cast<char*>(hashes_.data());
  auto* values = reinterpret_cast<Out*>(out);  // aligned: the gap is, and all values before are alike
  if (std::is_same_v<In, Out> && IsRange(slice.rows, size)) {
    std::memcpy(values, in + slice.rows[0], size * sizeof(Out));
  } else {
    // TINYINT has a sign, and keeps it. NOLINTNEXTLINE(bugprone-signed-char-misuse)
    for (size_t i = 0; i < size; ++i) values[i] = static_cast<Out>(in[slice.rows[i]]);
  }
  Out least, greatest;
  bool has_values, has_nan;
  FindRange(values, size, &least, &greatest, &has_values, &has_nan);
  bounds_.has_nan = bounds_.has_nan || has_nan;
  if constexpr (std::is_floating_point_v<Out>) {
    if (has_values) bounds_.AddReals(least, greatest);
  } else {
    bounds_.AddNumbers(least, greatest);
  }
  if (is_plain_) return plain_.Advance(size * sizeof(Out));
  indexed_bytes_ += size * sizeof(Out);
  const size_t at = indices_.size();
  indices_.resize(at + size);
  for (size_t i = 0; i < size; ++i) indices_[at + i] = numbers_.Index(BitsOf(values[i]));
}

void ColumnBuffer::AppendBooleans(const LeafSlice& slice) {
  const auto* in = slice.column->as<uint8_t>();
  char* out = plain_.Reserve(slice.values);
  size_t trues = 0;
  for (size_t i = 0; i < slice.values; ++i) {
    out[i] = in[slice.rows[i]] != 0 ? 1 : 0;
    trues += static_cast<size_t>(out[i]);
  }
  plain_.Advance(slice.values);
  bounds_.AddNumbers(trues == slice.values ? 1 : 0, trues > 0 ? 1 : 0);
}

void ColumnBuffer::AppendWide(const LeafSlice& slice) {
  const auto* in = slice.column->as<duck::HugeInt>();
  const auto width = static_cast<size_t>(leaf_.width);
  char* out = plain_.Reserve(slice.values * width);
  Int128 least = 0, greatest = 0;
  for (size_t i = 0; i < slice.values; ++i) {
    const duck::HugeInt& huge = in[slice.rows[i]];
    const auto value = static_cast<Int128>(static_cast<unsigned __int128>(huge.upper) << 64 | huge.lower);
    PutBigEndian(value, leaf_.width, out + i * width);
    if (i == 0 || value < least) least = value;
    if (i == 0 || value > greatest) greatest = value;
  }
  plain_.Advance(slice.values * width);
  bounds_.AddNumbers(least, greatest);
}

void ColumnBuffer::AppendTexts(const LeafSlice& slice) {
  if (is_plain_) return AppendPlainTexts(slice);
  const auto* in = slice.column->as<duck::String>();
  hashes_.resize(std::max(hashes_.size(), slice.values));
  for (size_t i = 0; i < slice.values; ++i) hashes_[i] = TextDictionary::Hash(in[slice.rows[i]]);
  const size_t at = indices_.size();
  indices_.resize(at + slice.values);
  for (size_t i = 0; i < slice.values; ++i) {
    const duck::String& text = in[slice.rows[i]];
    bool is_new;
    indices_[at + i] = texts_.Index(text, hashes_[i], &is_new);
    if (is_new) bounds_.AddText(text.view());
    indexed_bytes_ += 4 + text.size;
  }
}

void ColumnBuffer::AppendPlainTexts(const LeafSlice& slice) {
  const auto* in = slice.column->as<duck::String>();
  const size_t bytes = BytesOf(slice);
  char* const begin = plain_.Reserve(bytes);
  char* out = begin;
  uint64_t low = OrderKey(bounds_.low_text);
  uint64_t high = OrderKey(bounds_.high_text);
  for (size_t i = 0; i < slice.values; ++i) {
    const duck::String& text = in[slice.rows[i]];
    out = PutText(text, out);
    const uint64_t key = OrderKey(text);
    if (key > low && key < high) continue;
    bounds_.AddText(text.view());
    low = OrderKey(bounds_.low_text);
    high = OrderKey(bounds_.high_text);
  }
  plain_.Advance(bytes);
}

// ---- Giving up a dictionary

void ColumnBuffer::JudgeDictionary() {
  const size_t distinct = IsText(leaf_) ? texts_.size() : numbers_.values().size();
  const size_t bytes = IsText(leaf_) ? texts_.bytes().size() : distinct * 8;
  if (DictionaryPays(indices_.size(), distinct, bytes)) return;
  is_plain_ = true;
  // What is small is written again; otherwise the pages so far keep their dictionary.
  if (pages_.empty() && indexed_bytes_ <= kPageBytes) return DictionaryToPlain();
  CutPage();
}

void ColumnBuffer::DictionaryToPlain() {
  const Page page = page_;
  page_ = Page();
  BeginPlain();
  page_.entries = page.entries;
  page_.values = page.values;
  if (IsText(leaf_)) {
    for (const uint16_t index : indices_) {
      const std::string_view value = texts_.Plain(index);
      plain_.Append(value.data(), value.size());
    }
    texts_.Clear();
  } else {
    const size_t width = leaf_.physical == Physical::kInt32 || leaf_.physical == Physical::kFloat ? 4 : 8;
    for (const uint16_t index : indices_) plain_.Append(&numbers_.values()[index], width);
    numbers_.Clear();
  }
  indices_.clear();
}

// ---- Encoding

EncodedColumn ColumnBuffer::Encode(PageMaker& maker) {
  CutPage();
  EncodedColumn out;
  out.entries = entries_;
  out.null_count = null_count_;
  out.bounds = std::move(bounds_);
  out.codec = maker.compresses() ? Codec::kZstd : Codec::kNone;
  is_codec_chosen_ = !maker.compresses();
  if (!indices_.empty()) EncodeDictionary(maker, out);
  out.data_offset = out.bytes.size();
  for (const Page& page : pages_) EncodePage(page, maker, out);
  Clear();
  return out;
}

void ColumnBuffer::EncodeDictionary(PageMaker& maker, EncodedColumn& out) {
  out.has_dictionary = true;
  std::string_view whole;
  size_t values = 0;
  if (IsText(leaf_)) {
    whole = texts_.bytes().view(0, texts_.bytes().size());
    values = texts_.size();
  } else {
    maker.scratch.Clear();
    const size_t width = leaf_.physical == Physical::kInt32 || leaf_.physical == Physical::kFloat ? 4 : 8;
    PutPlainNumbers(numbers_.values(), width, maker.scratch);
    whole = maker.scratch.view(0, maker.scratch.size());
    values = numbers_.values().size();
  }
  is_codec_chosen_ = true;  // indices compress badly, dictionaries well: no trial
  const std::string_view stored = out.codec == Codec::kZstd ? maker.Compress(whole) : whole;
  const size_t bytes = PageMaker::AppendDictionary(stored, whole.size(), values, out.bytes);
  out.plain_bytes += bytes - stored.size() + whole.size();
}

// A column that does not shrink is stored as it is: cheaper now, and for every reader.
void ColumnBuffer::EncodePage(const Page& page, PageMaker& maker, EncodedColumn& out) {
  // NULLs alone have no values that a dictionary could hold.
  const bool is_dictionary = page.is_dictionary && out.has_dictionary;
  const std::string_view whole = WholePage(page, maker);
  std::string_view stored = whole;
  if (out.codec == Codec::kZstd) {
    stored = maker.Compress(whole, page.is_dictionary ? PageMaker::Way::kUsual : way_);
    if (!page.is_dictionary) ChooseWay(whole.size(), stored.size());
    if (!is_codec_chosen_ && whole.size() >= kTrialBytesMin && stored.size() > whole.size() / 20 * 19) {
      out.codec = Codec::kNone;
      stored = whole;
    }
    is_codec_chosen_ = true;
  }
  const size_t bytes =
      PageMaker::AppendData(stored, whole.size(), page.entries,
                            is_dictionary ? Encoding::kDictionary : Encoding::kPlain, out.bytes);
  out.plain_bytes += bytes - stored.size() + whole.size();
  ++(is_dictionary ? out.dictionary_pages : out.plain_pages);
}

// A text that does not shrink to three eighths has few repetitions to look for.
void ColumnBuffer::ChooseWay(size_t whole, size_t stored) {
  if (!IsText(leaf_) || whole < kTrialBytesMin * 16) return;
  if (stored * 8 > whole * 3) way_ = PageMaker::Way::kLetters;
}

// Levels and values in one piece: where they lie, or put together in the maker's scratch.
std::string_view ColumnBuffer::WholePage(const Page& page, PageMaker& maker) {
  maker.scratch.Clear();
  PutLevels(page.entries, maker.scratch);
  const size_t levels = maker.scratch.size();
  const bool is_as_stored = !page.is_dictionary && leaf_.physical != Physical::kBoolean;
  if (is_as_stored && levels <= kGap) {
    std::memcpy(plain_.data() + page.from - levels, maker.scratch.data(), levels);
    return plain_.view(page.from - levels, page.to - page.from + levels);
  }
  PutValues(page, maker.scratch);
  return maker.scratch.view(0, maker.scratch.size());
}

void ColumnBuffer::PutLevels(size_t entries, Buffer& out) {
  const auto put = [&](const std::vector<uint8_t>& levels, uint8_t max) {
    if (max == 0) return;
    const size_t at = out.size();
    out.Reserve(4);
    out.Advance(4);
    const int bits = BitsFor(max);
    if (levels.empty()) {
      AppendRun(max, entries, bits, out);
    } else {
      AppendHybrid(levels.data() + entries_told_, entries, bits, out);
    }
    const auto size = static_cast<uint32_t>(out.size() - at - 4);
    std::memcpy(out.data() + at, &size, 4);
  };
  put(rep_, leaf_.rep_max);
  put(def_, leaf_.def_max);
  entries_told_ += entries;
}

void ColumnBuffer::PutValues(const Page& page, Buffer& out) {
  if (page.is_dictionary) {
    if (indices_.empty()) return;
    const size_t distinct = IsText(leaf_) ? texts_.size() : numbers_.values().size();
    const int bits = std::max(1, BitsFor(static_cast<uint32_t>(distinct - 1)));
    const auto width = static_cast<uint8_t>(bits);
    out.Append(&width, 1);
    AppendHybrid(indices_.data() + indices_told_, page.values, bits, out);
    indices_told_ += page.values;
  } else if (leaf_.physical == Physical::kBoolean) {
    const char* values = plain_.data() + page.from;
    const size_t bytes = (page.values + 7) / 8;
    char* packed = out.Reserve(bytes);
    std::memset(packed, 0, bytes);
    for (size_t i = 0; i < page.values; ++i)
      packed[i / 8] = static_cast<char>(packed[i / 8] | values[i] << (i % 8));
    out.Advance(bytes);
  } else {
    out.Append(plain_.data() + page.from, page.to - page.from);
  }
}

void ColumnBuffer::Clear() {
  const bool gave_up = is_plain_ && MayHaveDictionary(leaf_);
  plain_groups_ = gave_up ? plain_groups_ + 1 : 0;
  is_plain_ = !MayHaveDictionary(leaf_) || (gave_up && plain_groups_ % kPlainGroupsMax != 0);
  def_.clear();
  rep_.clear();
  entries_ = values_ = 0;
  null_count_ = 0;
  plain_.Clear();
  indices_.clear();
  indexed_bytes_ = 0;
  if (!numbers_.values().empty()) numbers_.Clear();
  if (texts_.size() > 0) texts_.Clear();
  pages_.clear();
  page_ = Page();
  bounds_ = Bounds();
  entries_told_ = indices_told_ = 0;
}

}  // namespace qn::parquet
