// How a view's table is cut so that few of its files are read to find a row: by the leading bits of a hash of
// the row, or of its key. What is here is on disk, in the tags of files: it never changes its meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"
#include "duck/row_codec.h"

namespace qn::app {

inline constexpr const char* kBucketTag = "qanat.bucket";
inline constexpr uint32_t kDepthMax = 32;

// All rows whose hash begins with `depth` bits that are `prefix`; depth 0: all.
struct Region {
  uint32_t depth = 0;
  uint64_t prefix = 0;

  bool Has(uint64_t hash) const { return depth == 0 || hash >> (64 - depth) == prefix; }
  bool Meets(const Region& other) const;
  uint64_t first() const { return depth == 0 ? 0 : prefix << (64 - depth); }
  uint64_t last() const { return depth == 0 ? UINT64_MAX : first() | (UINT64_MAX >> depth); }
  // One of the 2^`bits` regions that it is cut into.
  Region Child(uint32_t bits, uint64_t index) const { return {depth + bits, prefix << bits | index}; }
};

class Buckets {
 public:
  // `columns`: the table's, in stored types. Of the row where there are no keys.
  Buckets(const Schema& columns, const duck::RowCodec& codec, const std::vector<std::string>& keys);

  // Of an encoded row. Equal rows have equal hashes.
  uint64_t HashOf(std::string_view row) const;

  // Whether two rows have the same key; false where there are no keys.
  bool HaveSameKey(std::string_view row, std::string_view other) const;

  // "<prefix>/<depth>/<scheme>". The scheme says of which columns the hash is made.
  std::string Tag(const Region& region) const;
  // None when it is of another scheme, or not ours.
  std::optional<Region> RegionOf(const std::string& tag) const;

 private:
  const duck::RowCodec& codec_;
  std::vector<size_t> keys_;
  std::string scheme_;
};

}  // namespace qn::app
