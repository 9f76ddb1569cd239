// CRC-32C is the same on every machine; a multiplication spreads it, so that its leading bits are as good as
// any.
#include "app/buckets.h"

#include <charconv>
#include <cstdio>

#include "base/check.h"
#include "base/crc32c.h"

namespace qn::app {
namespace {

constexpr const char* kVersion = "1";  // of the hash and of the encoding that it is made of

uint64_t Spread(uint32_t crc) {
  uint64_t hash = crc + 0x9E3779B97F4A7C15u;
  hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDu;
  hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53u;
  return hash ^ hash >> 33;
}

}  // namespace

bool Region::Meets(const Region& other) const { return first() <= other.last() && other.first() <= last(); }

Buckets::Buckets(const Schema& columns, const duck::RowCodec& codec, const std::vector<std::string>& keys)
    : codec_(codec) {
  std::string text = kVersion;
  for (const Field& field : columns) text += "\n" + field.name + " " + field.type.ToSql();
  for (const std::string& key : keys) {
    const int index = ColumnIndex(columns, key);
    QN_CHECK(index >= 0);
    keys_.push_back(static_cast<size_t>(index));
    text += "\nby " + std::to_string(index);
  }
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08x", Crc32c(text));
  scheme_ = hex;
}

uint64_t Buckets::HashOf(std::string_view row) const {
  if (keys_.empty()) return Spread(Crc32c(row));
  uint32_t crc = 0;
  for (const size_t key : keys_) {
    const std::string_view cell = codec_.Cell(row, key);
    const uint64_t size = cell.data() == nullptr ? UINT64_MAX : cell.size();
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(size >> (8 * i));
    crc = Crc32c(cell, Crc32c({bytes, sizeof bytes}, crc));
  }
  return Spread(crc);
}

bool Buckets::HaveSameKey(std::string_view row, std::string_view other) const {
  for (const size_t key : keys_) {
    const std::string_view a = codec_.Cell(row, key);
    const std::string_view b = codec_.Cell(other, key);
    if ((a.data() == nullptr) != (b.data() == nullptr) || a != b) return false;
  }
  return !keys_.empty();
}

std::string Buckets::Tag(const Region& region) const {
  return std::to_string(region.prefix) + "/" + std::to_string(region.depth) + "/" + scheme_;
}

std::optional<Region> Buckets::RegionOf(const std::string& tag) const {
  Region region;
  const char* end = tag.data() + tag.size();
  const auto prefix = std::from_chars(tag.data(), end, region.prefix);
  if (prefix.ec != std::errc() || prefix.ptr == end || *prefix.ptr != '/') return std::nullopt;
  const auto depth = std::from_chars(prefix.ptr + 1, end, region.depth);
  if (depth.ec != std::errc() || std::string_view(depth.ptr, end) != "/" + scheme_) return std::nullopt;
  if (region.depth > kDepthMax || region.prefix >> region.depth != 0) return std::nullopt;
  return region;
}

}  // namespace qn::app
