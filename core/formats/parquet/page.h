// Pages of the format's first version: a header with sizes and checksum, then the compressed bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/parquet/buffer.h"

struct ZSTD_CCtx_s;

namespace qn::parquet {

enum class Encoding : int32_t {  // as numbered by the format
  kPlain = 0,
  kRle = 3,
  kDelta = 5,        // DELTA_BINARY_PACKED
  kDeltaLength = 6,  // DELTA_LENGTH_BYTE_ARRAY: lengths as kDelta, then all letters
  kDictionary = 8,
};
enum class Codec : int32_t { kNone = 0, kZstd = 6 };

// What one thread needs to turn buffers into pages; reused, because a compressor's tables are large.
class PageMaker {
 public:
  // `zstd_level` 0: no compression.
  explicit PageMaker(int zstd_level);

  bool compresses() const { return level_ > 0; }
  // At level 1 the way follows what the bytes are, as measured; any other level is the same for all.
  enum class Way : uint8_t {
    kUsual,
    kNumbers,  // level 2, for its shorter repetitions; not for reals, of which it saves little a second
    kLetters,  // what repeats is not looked for: texts like hashes and addresses shrink by their few letters
  };
  // Compressed bytes; valid until the next call.
  std::string_view Compress(std::string_view bytes, Way way = Way::kUsual);

  // Appends a page that is `stored` in the file and has `plain_bytes` uncompressed; returns its bytes with
  // the header. `values` counts NULLs.
  static size_t AppendData(std::string_view stored, size_t plain_bytes, size_t values, Encoding encoding,
                           Buffer& out);
  static size_t AppendDictionary(std::string_view stored, size_t plain_bytes, size_t values, Buffer& out);

  Buffer scratch;  // for the caller: a page being put together

 private:
  void SetWay(Way way);
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  int level_;
  Way way_ = Way::kUsual;  // as the compressor is set now
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;
  Buffer compressed_;
};

// CRC-32 as in gzip.
uint32_t Crc32(std::string_view bytes);

}  // namespace qn::parquet
