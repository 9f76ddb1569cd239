// Each page is one zstd frame; its header says how large it is, so that readers allocate once.
#include "formats/parquet/page.h"

#include <zlib.h>
#include <zstd.h>

#include <limits>

#include "formats/parquet/thrift.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qn::parquet {
namespace {

constexpr int32_t kDataPage = 0;
constexpr int32_t kDictionaryPage = 2;
constexpr int16_t kDataHeader = 5;
constexpr int16_t kDictionaryHeader = 7;
constexpr int kHuffmanLetters = 1;       // of zstd's literalCompressionMode
constexpr int kLettersStep = 128 << 10;  // zstd's greatest: past what it looks at in one piece

int32_t Int32(size_t value) {
  QN_CHECK(value <= static_cast<size_t>(std::numeric_limits<int32_t>::max()));
  return static_cast<int32_t>(value);
}

void BeginHeader(int32_t type, std::string_view stored, size_t plain_bytes, ThriftWriter& out) {
  out.BeginStruct();
  out.I32(1, type);
  out.I32(2, Int32(plain_bytes));
  out.I32(3, Int32(stored.size()));
  out.I32(4, static_cast<int32_t>(Crc32(stored)));
}

size_t AppendBoth(const std::string& header, std::string_view stored, Buffer& out) {
  out.Append(header.data(), header.size());
  out.Append(stored.data(), stored.size());
  return header.size() + stored.size();
}

uint32_t ByZlib(std::string_view bytes, uint32_t crc) {
  return static_cast<uint32_t>(
      ::crc32_z(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

#if defined(__x86_64__)
// Folding by carry-less multiplication, four lanes of 16 bytes: "Fast CRC Computation for Generic Polynomials
// Using PCLMULQDQ Instruction", Intel 2009. `bytes` has a multiple of 64 bytes, at least 64.
__attribute__((target("pclmul,sse4.1"))) __m128i Fold(__m128i sum, __m128i next, __m128i by) {
  const __m128i low = _mm_clmulepi64_si128(sum, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) uint32_t ByFolding(std::string_view bytes, uint32_t crc) {
  const auto* at = reinterpret_cast<const __m128i*>(bytes.data());
  const auto* end = at + bytes.size() / 16;
  __m128i lanes[4];
  for (int i = 0; i < 4; ++i) lanes[i] = _mm_loadu_si128(at + i);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(~crc)));
  const __m128i by_64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
  for (at += 4; at != end; at += 4) {
    for (int i = 0; i < 4; ++i) lanes[i] = Fold(lanes[i], _mm_loadu_si128(at + i), by_64);
  }
  const __m128i by_16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  __m128i sum = Fold(lanes[0], lanes[1], by_16);
  sum = Fold(sum, lanes[2], by_16);
  sum = Fold(sum, lanes[3], by_16);
  // 128 bits to 64, to 32 (Barrett).
  const __m128i low_32 = _mm_setr_epi32(-1, 0, -1, 0);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, by_16, 0x10));
  const __m128i by_8 = _mm_set_epi64x(0, 0x0163cd6124);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low_32), by_8, 0x00));
  const __m128i barrett = _mm_set_epi64x(0x01f7011641, 0x01db710641);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_32), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_32), barrett, 0x00);
  return ~static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1));
}
#endif

}  // namespace

uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = 0;
#if defined(__x86_64__)
  static const bool can_fold = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  if (can_fold && bytes.size() >= 64) {
    const size_t whole = bytes.size() / 64 * 64;
    crc = ByFolding(bytes.substr(0, whole), crc);
    bytes.remove_prefix(whole);
  }
#endif
  return bytes.empty() ? crc : ByZlib(bytes, crc);
}

void PageMaker::Free::operator()(ZSTD_CCtx_s* context) const { ::ZSTD_freeCCtx(context); }

PageMaker::PageMaker(int zstd_level) : level_(zstd_level) {
  if (level_ <= 0) return;
  zstd_.reset(::ZSTD_createCCtx());
  QN_CHECK(zstd_ != nullptr);
  QN_CHECK(::ZSTD_isError(::ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, level_)) == 0);
}

// With a step, zstd's default is to leave letters as they are. The parameter that says otherwise is one that
// zstd may take back: without it there is no such way, and nothing else changes.
void PageMaker::SetWay(Way way) {
  way_ = way;
  const auto set = [this](ZSTD_cParameter parameter, int value) {
    return ::ZSTD_isError(::ZSTD_CCtx_setParameter(zstd_.get(), parameter, value)) == 0;
  };
  const bool is_quick = set(ZSTD_c_experimentalParam5, way == Way::kLetters ? kHuffmanLetters : 0);
  QN_CHECK(set(ZSTD_c_targetLength, is_quick && way == Way::kLetters ? kLettersStep : 0));
  QN_CHECK(set(ZSTD_c_compressionLevel, way == Way::kNumbers ? 2 : 1));
}

std::string_view PageMaker::Compress(std::string_view bytes, Way way) {
  if (level_ == 1 && way != way_) SetWay(way);
  compressed_.Clear();
  const size_t bound = ::ZSTD_compressBound(bytes.size());
  char* out = compressed_.Reserve(bound);
  const size_t size = ::ZSTD_compress2(zstd_.get(), out, bound, bytes.data(), bytes.size());
  QN_CHECK(::ZSTD_isError(size) == 0);  // memory alone could fail here
  return {out, size};
}

size_t PageMaker::AppendData(std::string_view stored, size_t plain_bytes, size_t values, Encoding encoding,
                             Buffer& out) {
  std::string header;
  ThriftWriter writer(header);
  BeginHeader(kDataPage, stored, plain_bytes, writer);
  writer.BeginStruct(kDataHeader);
  writer.I32(1, Int32(values));
  writer.I32(2, static_cast<int32_t>(encoding));
  writer.I32(3, static_cast<int32_t>(Encoding::kRle));
  writer.I32(4, static_cast<int32_t>(Encoding::kRle));
  writer.EndStruct();
  writer.EndStruct();
  return AppendBoth(header, stored, out);
}

size_t PageMaker::AppendDictionary(std::string_view stored, size_t plain_bytes, size_t values, Buffer& out) {
  std::string header;
  ThriftWriter writer(header);
  BeginHeader(kDictionaryPage, stored, plain_bytes, writer);
  writer.BeginStruct(kDictionaryHeader);
  writer.I32(1, Int32(values));
  writer.I32(2, static_cast<int32_t>(Encoding::kPlain));
  writer.EndStruct();
  writer.EndStruct();
  return AppendBoth(header, stored, out);
}

}  // namespace qn::parquet
