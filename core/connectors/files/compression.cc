// zlib and libzstd behind one small face. Trailing zero bytes after a gzip member are padding, as for
// gzip(1).
#include "connectors/files/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace qn::files {
namespace {

bool EndsWith(std::string_view text, std::string_view end) { return text.ends_with(end); }

bool IsZstdMagic(std::string_view head) {
  if (head.size() < 4) return false;
  const auto at = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
  const bool frame = at(0) == 0x28 && at(1) == 0xB5 && at(2) == 0x2F && at(3) == 0xFD;
  const bool skippable = (at(0) & 0xF0) == 0x50 && at(1) == 0x2A && at(2) == 0x4D && at(3) == 0x18;
  return frame || skippable;
}

class GzipDecompressor final : public Decompressor {
 public:
  GzipDecompressor() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    QN_CHECK(inflateInit2(&stream_, kGzipOnly) == Z_OK);
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

  bool Run(std::string_view in, char* out, size_t out_size, Step* step, std::string* why) override {
    *step = {};
    if (at_boundary_ && begun_) {
      while (step->used < in.size() && in[step->used] == '\0') ++step->used;
      if (step->used > 0) {
        padded_ = true;
        return true;
      }
      if (in.empty()) return true;
      if (padded_) {
        *why = "data after the zero bytes that pad its end";
        return false;
      }
    }
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    const auto in_size = static_cast<uInt>(std::min(in.size(), kMost));
    const auto room = static_cast<uInt>(std::min(out_size, kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = room;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    step->used = in_size - stream_.avail_in;
    step->made = room - stream_.avail_out;
    return Judge(code, *step, why);
  }

  bool AtBoundary() const override { return at_boundary_; }

 private:
  bool Judge(int code, const Step& step, std::string* why) {
    if (code == Z_STREAM_END) {
      QN_CHECK(inflateReset(&stream_) == Z_OK);
      at_boundary_ = true;
      begun_ = true;
      return true;
    }
    if (code == Z_OK || code == Z_BUF_ERROR) {
      if (step.used > 0) at_boundary_ = false;
      return true;
    }
    *why = stream_.msg != nullptr ? stream_.msg : "error " + std::to_string(code) + " of zlib";
    return false;
  }

  z_stream stream_{};
  bool at_boundary_ = false;
  bool begun_ = false;   // a whole member was read
  bool padded_ = false;  // zero bytes followed it
};

class ZstdDecompressor final : public Decompressor {
 public:
  ZstdDecompressor() : stream_(ZSTD_createDStream()) {
    QN_CHECK(stream_ != nullptr);
    QN_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax)) == 0);
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;

  bool Run(std::string_view in, char* out, size_t out_size, Step* step, std::string* why) override {
    *step = {};
    if (in.empty() && at_boundary_) return true;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, out_size, 0};
    const size_t code = ZSTD_decompressStream(stream_, &output, &input);
    step->used = input.pos;
    step->made = output.pos;
    if (ZSTD_isError(code) != 0) {
      *why = ZSTD_getErrorName(code);
      return false;
    }
    if (step->used > 0 || step->made > 0) at_boundary_ = code == 0;
    return true;
  }

  bool AtBoundary() const override { return at_boundary_; }

 private:
  ZSTD_DStream* stream_;
  bool at_boundary_ = false;
};

}  // namespace

Codec CodecOf(std::string_view path, std::string_view head) {
  if (head.size() >= 2 && head[0] == '\x1f' && static_cast<unsigned char>(head[1]) == 0x8B)
    return Codec::kGzip;
  if (IsZstdMagic(head)) return Codec::kZstd;
  if (EndsWith(path, ".gz") || EndsWith(path, ".gzip")) return Codec::kGzip;
  if (EndsWith(path, ".zst") || EndsWith(path, ".zstd")) return Codec::kZstd;
  return Codec::kPlain;
}

std::string_view NameOf(Codec codec) {
  switch (codec) {
    case Codec::kGzip:
      return "gzip";
    case Codec::kZstd:
      return "zstd";
    case Codec::kPlain:
      break;
  }
  return "plain";
}

std::unique_ptr<Decompressor> NewDecompressor(Codec codec) {
  QN_CHECK(codec != Codec::kPlain);
  if (codec == Codec::kGzip) return std::make_unique<GzipDecompressor>();
  return std::make_unique<ZstdDecompressor>();
}

}  // namespace qn::files
