// Values are copied once, into what will be the page. A page's levels go into a gap left in front of it, so
// that it is compressed where it lies. A page is compressed when it is full: it is in the cache then, and the
// next one takes its place.
#include "formats/parquet/column.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "formats/parquet/hybrid.h"

namespace qn::parquet {
namespace {

constexpr int kPlainGroupsMax = 16;  // row groups until a dictionary is tried again

bool MayHaveDictionary(const Leaf& leaf) {
  return leaf.physical != Physical::kBoolean && leaf.physical != Physical::kFixed;
}

// Whether `rows` are consecutive. They ascend.
bool IsRange(const uint32_t* rows, size_t size) { return size > 0 && rows[size - 1] - rows[0] == size - 1; }

// The twelve bytes of a short text.
const char* Inside(const duck::String& text) { return reinterpret_cast<const char*>(&text) + 4; }

// Writes up to 12 bytes too many.
char* PutText(const duck::String& text, char* out) {
  const size_t size = text.size;
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
    : leaf_(leaf), is_plain_(!MayHaveDictionary(leaf)), pages_(leaf) {}

size_t ColumnBuffer::memory() const {
  return sizeof *this + def_.capacity() + rep_.capacity() + plain_.capacity() + lengths_.capacity() * 4 +
         indices_.capacity() * 2 + numbers_.memory() + texts_.memory() + copied_.capacity() * 8 +
         indexed_.capacity() * sizeof(Page) + pages_.memory();
}

// ---- Appending

uint64_t ColumnBuffer::BytesOf(const LeafSlice& slice) const {
  if (!IsText(leaf_)) return slice.values * 8;
  const auto* texts = slice.column->as<duck::String>();
  uint64_t bytes = slice.values * 4;
  for (size_t i = 0; i < slice.values; ++i) bytes += texts[slice.rows[i]].size;
  return bytes;
}

Status ColumnBuffer::Append(LeafSlice slice, PageMaker& maker) {
  if (slice.entries == 0) return Ok();
  if (!is_begun_) Begin(maker);
  slice.bytes = BytesOf(slice);
  if (slice.values > kSliceValues || (IsText(leaf_) && slice.bytes > kPageBytes))
    return AppendSplit(slice, maker);
  AppendOne(slice, maker);
  return Ok();
}

void ColumnBuffer::Begin(const PageMaker& maker) {
  is_begun_ = true;
  entries_ = null_count_ = 0;
  bounds_ = Bounds();
  pages_.Begin(maker);
}

// Takes the slice in parts of whole rows that a page can hold.
Status ColumnBuffer::AppendSplit(const LeafSlice& slice, PageMaker& maker) {
  LeafSlice part = slice;
  part.entries = part.values = part.bytes = 0;
  const auto begin_part = [&] {
    if (part.entries > 0) AppendOne(part, maker);
    if (part.def != nullptr) part.def += part.entries;
    if (part.rep != nullptr) part.rep += part.entries;
    part.rows += part.values;
    part.entries = part.values = part.bytes = 0;
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
    if (part.entries > 0 && (part.bytes + bytes > kPageBytes || part.values + row.values > kSliceValues))
      begin_part();
    part.entries += row.entries;
    part.values += row.values;
    part.bytes += bytes;
  }
  begin_part();
  return Ok();
}

void ColumnBuffer::AppendOne(const LeafSlice& slice, PageMaker& maker) {
  // A row of very many values would overflow the indices before the dictionary is judged.
  if (!is_plain_ && slice.values > 4 * kSliceValues) {
    EncodeDictionary(maker);
    is_plain_ = true;
  }
  AppendLevels(slice);
  AppendValues(slice);
  page_.entries += slice.entries;
  page_.values += slice.values;
  if (!is_plain_) JudgeDictionary(maker);
  const bool is_full =
      page_.is_dictionary ? page_.values >= kPageIndices : plain_.size() - gap_ >= kPageBytes;
  if (page_.entries > 0 && (is_full || page_.entries >= kPageBytes)) CutPage(maker);
}

void ColumnBuffer::AppendLevels(const LeafSlice& slice) {
  if (slice.values < slice.entries || !def_.empty()) {
    if (def_.empty()) def_.assign(waiting_, leaf_.def_max);
    if (slice.def != nullptr) {
      def_.insert(def_.end(), slice.def, slice.def + slice.entries);
    } else {
      def_.insert(def_.end(), slice.entries, leaf_.def_max);
    }
  }
  if (leaf_.rep_max > 0) rep_.insert(rep_.end(), slice.rep, slice.rep + slice.entries);
  waiting_ += slice.entries;
  entries_ += slice.entries;
  null_count_ += slice.entries - slice.values;
}

// Where the first value of a page goes. Also when a page has only NULLs: it has a place then.
void ColumnBuffer::BeginPlain() {
  page_.is_dictionary = false;
  if (plain_.size() > 0) return;
  gap_ = pages_.gap();
  plain_.Reserve(gap_);
  plain_.Advance(gap_);
}

void ColumnBuffer::AppendValues(const LeafSlice& slice) {
  if (is_plain_) {
    BeginPlain();
  } else {
    page_.is_dictionary = true;
  }
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
  if (!is_plain_) copied_.resize(std::max(copied_.size(), size));
  char* out = is_plain_ ? plain_.Reserve(size * sizeof(Out)) : reinterpret_cast<char*>(copied_.data());
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
  const size_t at = indices_.size();
  indices_.resize(at + slice.values);
  for (size_t i = 0; i < slice.values; ++i) {
    const duck::String& text = in[slice.rows[i]];
    bool is_new;
    indices_[at + i] = texts_.Index(text, &is_new);
    if (is_new) bounds_.AddText(text.view());
    indexed_bytes_ += 4 + text.size;
  }
}

void ColumnBuffer::AppendPlainTexts(const LeafSlice& slice) {
  const auto* in = slice.column->as<duck::String>();
  const size_t at = lengths_.size();
  lengths_.resize(at + slice.values);
  int32_t* lengths = lengths_.data() + at;
  char* const begin = plain_.Reserve(slice.bytes);
  char* out = begin;
  uint64_t low = OrderKey(bounds_.low_text);
  uint64_t high = OrderKey(bounds_.high_text);
  for (size_t i = 0; i < slice.values; ++i) {
    const duck::String& text = in[slice.rows[i]];
    lengths[i] = static_cast<int32_t>(text.size);
    out = PutText(text, out);
    const uint64_t key = OrderKey(text);
    if (key > low && key < high) continue;
    bounds_.AddText(text.view());
    low = OrderKey(bounds_.low_text);
    high = OrderKey(bounds_.high_text);
  }
  plain_.Advance(static_cast<size_t>(out - begin));
}

// ---- Giving up a dictionary

void ColumnBuffer::JudgeDictionary(PageMaker& maker) {
  const size_t distinct = IsText(leaf_) ? texts_.size() : numbers_.values().size();
  const size_t bytes = IsText(leaf_) ? texts_.bytes().size() : distinct * 8;
  if (DictionaryPays(indices_.size(), distinct, bytes)) return;
  is_plain_ = true;
  // What is small is written again; otherwise the pages so far keep their dictionary.
  if (indexed_.empty() && indexed_bytes_ <= kPageBytes) return DictionaryToPlain();
  EncodeDictionary(maker);
}

void ColumnBuffer::DictionaryToPlain() {
  BeginPlain();
  if (IsText(leaf_)) {
    for (const uint16_t index : indices_) {
      const std::string_view value = texts_.Plain(index).substr(4);
      lengths_.push_back(static_cast<int32_t>(value.size()));
      plain_.Append(value.data(), value.size());
    }
    texts_.Clear();
  } else {
    const size_t width = leaf_.physical == Physical::kInt32 || leaf_.physical == Physical::kFloat ? 4 : 8;
    for (const uint16_t index : indices_) plain_.Append(&numbers_.values()[index], width);
    numbers_.Clear();
  }
  indices_.clear();
  indexed_bytes_ = 0;
}

// ---- Encoding

const EncodedColumn& ColumnBuffer::Encode(PageMaker& maker) {
  if (!is_begun_) Begin(maker);
  const bool gave_up = is_plain_ && MayHaveDictionary(leaf_);
  if (is_plain_) {
    CutPage(maker);
  } else {
    EncodeDictionary(maker);
  }
  plain_groups_ = gave_up ? plain_groups_ + 1 : 0;
  is_plain_ = !MayHaveDictionary(leaf_) || (gave_up && plain_groups_ % kPlainGroupsMax != 0);
  is_begun_ = false;
  EncodedColumn& out = pages_.column();
  out.entries = entries_;
  out.null_count = null_count_;
  out.bounds = std::move(bounds_);
  return out;
}

// Indices wait for their dictionary.
void ColumnBuffer::CutPage(PageMaker& maker) {
  if (page_.entries == 0) return;
  if (page_.is_dictionary) {
    indexed_.push_back(page_);
  } else {
    EncodePlain(page_, maker);
    ForgetLevels();
  }
  page_ = Page();
}

void ColumnBuffer::EncodePlain(const Page& page, PageMaker& maker) {
  BeginPlain();
  maker.scratch.Clear();
  PutLevels(page.entries, maker.scratch);
  ValuePage values;
  values.entries = page.entries;
  values.values = page.values;
  values.gap = gap_;
  values.data = plain_.data() + gap_;
  values.bytes = plain_.size() - gap_;
  values.lengths = lengths_.data();
  pages_.AddValues(values, maker);
  plain_.Clear();
  lengths_.clear();
}

// The dictionary as it is now, and the pages of its indices.
void ColumnBuffer::EncodeDictionary(PageMaker& maker) {
  CutPage(maker);
  // NULLs alone have no values that a dictionary could hold.
  if (indices_.empty()) {
    for (const Page& page : indexed_) EncodePlain(page, maker);
  } else {
    const size_t distinct = IsText(leaf_) ? texts_.size() : numbers_.values().size();
    std::string_view values = texts_.bytes().view(0, texts_.bytes().size());
    if (!IsText(leaf_)) {
      maker.scratch.Clear();
      const size_t width = leaf_.physical == Physical::kInt32 || leaf_.physical == Physical::kFloat ? 4 : 8;
      PutPlainNumbers(numbers_.values(), width, maker.scratch);
      values = maker.scratch.view(0, maker.scratch.size());
    }
    pages_.AddDictionary(values, distinct, maker);
    const int bits = std::max(1, BitsFor(static_cast<uint32_t>(distinct - 1)));
    for (const Page& page : indexed_) EncodeIndices(page, bits, maker);
  }
  indexed_.clear();
  indices_.clear();
  indices_told_ = 0;
  indexed_bytes_ = 0;
  if (!numbers_.values().empty()) numbers_.Clear();
  if (texts_.size() > 0) texts_.Clear();
  ForgetLevels();
}

void ColumnBuffer::EncodeIndices(const Page& page, int bits, PageMaker& maker) {
  Buffer& whole = maker.scratch;
  whole.Clear();
  PutLevels(page.entries, whole);
  const auto width = static_cast<uint8_t>(bits);
  whole.Append(&width, 1);
  AppendHybrid(indices_.data() + indices_told_, page.values, bits, whole);
  indices_told_ += page.values;
  pages_.AddIndices(whole.view(0, whole.size()), page.entries, maker);
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
      AppendHybrid(levels.data() + levels_told_, entries, bits, out);
    }
    const auto size = static_cast<uint32_t>(out.size() - at - 4);
    std::memcpy(out.data() + at, &size, 4);
  };
  put(rep_, leaf_.rep_max);
  put(def_, leaf_.def_max);
  levels_told_ += entries;
}

void ColumnBuffer::ForgetLevels() {
  def_.clear();
  rep_.clear();
  waiting_ = levels_told_ = 0;
}

}  // namespace qn::parquet
