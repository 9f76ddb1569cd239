// Open addressing, at most half full. Both tables grow by rehashing what is small anyway.
#include "formats/parquet/dictionary.h"

#include <algorithm>

namespace qn::parquet {
namespace {

constexpr size_t kSlotsKept = 1024;  // of a table that is emptied: the next column may be smaller

}  // namespace

// Most columns show early what they are; one that repeats only after thousands of rows gets a second look.
bool DictionaryPays(size_t values, size_t distinct, size_t bytes) {
  if (distinct > kDictionaryValuesMax || bytes > kDictionaryBytesMax) return false;
  if (values < 1024) return true;
  return values < 16 << 10 ? distinct <= values / 2 : distinct <= values / 4;
}

uint16_t NumberDictionary::Insert(size_t at, uint64_t bits) {
  QN_CHECK(values_.size() < 0x10000);
  values_.push_back(bits);
  slots_[at] = static_cast<uint32_t>(values_.size());
  if (values_.size() * 2 > slots_.size()) {
    slots_.assign(slots_.size() * 4, 0);
    for (size_t i = 0; i < values_.size(); ++i) {
      size_t slot = Slot(values_[i]);
      while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<uint32_t>(i + 1);
    }
  }
  return static_cast<uint16_t>(values_.size() - 1);
}

void NumberDictionary::Clear() {
  values_.clear();
  slots_.assign(std::min<size_t>(slots_.size(), kSlotsKept), 0);
}

uint64_t TextDictionary::Hash(const duck::String& text) {
  if (text.size <= 12) return Ends::Of(text).Hash();
  const char* at = text.pointer;
  uint64_t hash = text.size;
  size_t left = text.size;
  for (; left > 16; left -= 16, at += 16) hash = MixWords(LoadWord(at) ^ hash, LoadWord(at + 8));
  if (left < 8) return MixWords(hash, LoadWord(at + left - 8));  // more than 12 bytes lie before the end
  return MixWords(LoadWord(at) ^ hash, LoadWord(at + left - 8));
}

uint16_t TextDictionary::Insert(size_t at, const duck::String& text, const Ends& ends, uint64_t hash) {
  QN_CHECK(offsets_.size() < 0x10000);
  offsets_.push_back(bytes_.size());
  ends_.push_back(ends);
  hashes_.push_back(hash);
  bytes_.Append(&text.size, 4);
  bytes_.Append(text.view().data(), text.size);
  slots_[at] = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(offsets_.size())};
  if (offsets_.size() * 2 > slots_.size()) {
    slots_.assign(slots_.size() * 4, Slot());
    for (size_t i = 0; i < hashes_.size(); ++i) {
      size_t slot = hashes_[i] & (slots_.size() - 1);
      while (slots_[slot].index != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {static_cast<uint32_t>(hashes_[i] >> 32), static_cast<uint32_t>(i + 1)};
    }
  }
  return static_cast<uint16_t>(offsets_.size() - 1);
}

void TextDictionary::Clear() {
  bytes_.Clear();
  offsets_.clear();
  ends_.clear();
  hashes_.clear();
  slots_.assign(std::min<size_t>(slots_.size(), kSlotsKept), Slot());
}

}  // namespace qn::parquet
