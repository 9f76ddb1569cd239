// Names that count up cost almost nothing: "the same, the number one more" repeats, and zstd removes
// repetition.
#include "connectors/files/seen_files_codec.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/check.h"

namespace qn::files {
namespace {

constexpr size_t kUnpackedBytesMax = size_t{64} << 20;  // of one leaf: 1,024 names of 64 KiB
constexpr size_t kDigitsMax = 18;                       // what fits an int64 for sure

// How a name is told; one byte each, so that equal runs of names become equal runs of bytes.
enum NameOp : uint8_t { kSpelled = 0, kCounted = 1 };
enum Flag : uint8_t { kFinished = 1, kHasMark = 2, kUnterminated = 4, kStoredDiffers = 8 };

// ---- base64
// -------------------------------------------------------------------------------------------------

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string ToBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= n ? kAlphabet[word >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  static const std::array<int8_t, 256> values = [] {
    std::array<int8_t, 256> table;
    table.fill(-1);
    for (size_t i = 0; i < kAlphabet.size(); ++i)
      table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
    return table;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const int8_t value = values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    word = word << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(word >> bits & 0xFFU);
  }
  return bytes;
}

// ---- numbers
// ------------------------------------------------------------------------------------------------

void PutNumber(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

uint64_t Folded(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t Unfolded(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1))); }

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  bool is_bad() const { return is_bad_; }
  bool is_empty() const { return rest_.empty(); }

  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    is_bad_ = true;
    return 0;
  }
  std::string_view Bytes(uint64_t size) {
    if (size > rest_.size()) {
      is_bad_ = true;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

 private:
  std::string_view rest_;
  bool is_bad_ = false;
};

// ---- names
// --------------------------------------------------------------------------------------------------

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The run of digits of `name` around byte `at` (as many as fit): [begin, end).
std::pair<size_t, size_t> DigitsAround(std::string_view name, size_t at) {
  size_t begin = at;
  size_t end = at;
  while (end < name.size() && IsDigit(name[end])) ++end;
  while (begin > 0 && IsDigit(name[begin - 1]) && end - begin < kDigitsMax) --begin;
  if (end - begin > kDigitsMax) end = begin;  // too long to count with
  return {begin, end};
}

uint64_t ValueOf(std::string_view digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// `name` with the digits [begin, end) counted up, as wide as they were at least.
std::string Counted(std::string_view name, size_t begin, size_t end, uint64_t step) {
  std::string digits = std::to_string(ValueOf(name.substr(begin, end - begin)) + step);
  if (digits.size() < end - begin) digits.insert(0, end - begin - digits.size(), '0');
  return std::string(name.substr(0, begin)) + digits + std::string(name.substr(end));
}

size_t SharedBytes(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first - a.begin());
}

void PutName(std::string_view previous, std::string_view name, std::string& out) {
  const size_t shared = SharedBytes(previous, name);
  if (shared < previous.size() && shared < name.size() && IsDigit(previous[shared]) &&
      IsDigit(name[shared])) {
    const auto [begin, end] = DigitsAround(previous, shared);
    const auto [begin_now, end_now] = DigitsAround(name, shared);
    if (begin < end && begin_now == begin && begin_now < end_now) {
      const uint64_t before = ValueOf(previous.substr(begin, end - begin));
      const uint64_t now = ValueOf(name.substr(begin_now, end_now - begin_now));
      if (now > before && Counted(previous, begin, end, now - before) == name) {
        out += static_cast<char>(kCounted);
        PutNumber(begin, out);
        PutNumber(now - before, out);
        return;
      }
    }
  }
  out += static_cast<char>(kSpelled);
  PutNumber(shared, out);
  PutNumber(name.size() - shared, out);
  out += name.substr(shared);
}

std::string TakeName(std::string_view previous, Input& in) {
  const uint64_t op = in.Number();
  if (op == kCounted) {
    const uint64_t begin = in.Number();
    const uint64_t step = in.Number();
    size_t end = begin;
    while (end < previous.size() && IsDigit(previous[end])) ++end;
    if (in.is_bad() || end - begin > kDigitsMax || begin >= previous.size()) return {};
    return Counted(previous, begin, end, step);
  }
  const uint64_t shared = in.Number();
  const std::string_view rest = in.Bytes(in.Number());
  if (in.is_bad() || op != kSpelled || shared > previous.size()) return {};
  return std::string(previous.substr(0, shared)).append(rest);
}

// ---- marks
// --------------------------------------------------------------------------------------------------

void PutState(const SeenFile& file, bool with_mark, std::string& out) {
  const Mark& mark = file.mark;
  const bool differs = mark.stored != mark.offset;
  out += static_cast<char>((file.is_finished ? kFinished : 0) | (with_mark ? kHasMark : 0) |
                           (with_mark && mark.unterminated ? kUnterminated : 0) |
                           (with_mark && differs ? kStoredDiffers : 0));
  if (!with_mark) return;
  PutNumber(mark.offset, out);
  PutNumber(mark.line, out);
  if (differs) PutNumber(mark.stored, out);
  out.append(reinterpret_cast<const char*>(&mark.print), sizeof(mark.print));
  PutNumber(Folded(static_cast<int64_t>(file.size - mark.stored)), out);
}

void TakeState(Input& in, SeenFile* file) {
  const auto flags = static_cast<uint8_t>(in.Number());
  file->is_finished = (flags & kFinished) != 0;
  file->has_mark = (flags & kHasMark) != 0;
  if (!file->has_mark) return;
  Mark& mark = file->mark;
  mark.unterminated = (flags & kUnterminated) != 0;
  mark.offset = in.Number();
  mark.line = in.Number();
  mark.stored = (flags & kStoredDiffers) != 0 ? in.Number() : mark.offset;
  const std::string_view print = in.Bytes(sizeof(mark.print));
  std::copy(print.begin(), print.end(), reinterpret_cast<char*>(&mark.print));
  file->size = mark.stored + static_cast<uint64_t>(Unfolded(in.Number()));
}

}  // namespace

std::string PackFiles(const std::vector<SeenFile>& files,
                      const std::function<bool(const SeenFile&)>& with_mark) {
  std::string names;
  std::string states;
  std::string_view previous;
  int64_t modified_ns = 0;
  for (const SeenFile& file : files) {
    const bool has_mark = with_mark(file);
    PutName(previous, file.path, names);
    PutState(file, has_mark, states);
    if (has_mark) {
      // Wraps on purpose: whatever the clock of the file system said, the difference comes back the same.
      PutNumber(Folded(static_cast<int64_t>(static_cast<uint64_t>(file.modified_ns) -
                                            static_cast<uint64_t>(modified_ns))),
                states);
      modified_ns = file.modified_ns;
    }
    previous = file.path;
  }
  std::string bytes;
  PutNumber(files.size(), bytes);
  bytes += names;
  bytes += states;
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  constexpr int kLevel = 3;
  const size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kLevel);
  QN_CHECK(ZSTD_isError(size) == 0);
  packed.resize(size);
  return ToBase64(packed);
}

std::string UnpackFiles(std::string_view text, std::vector<SeenFile>* files) {
  const std::optional<std::string> packed = FromBase64(text);
  if (!packed.has_value() || packed->empty()) return "its list of files is not base64";
  const unsigned long long size = ZSTD_getFrameContentSize(packed->data(), packed->size());
  if (size > kUnpackedBytesMax) return "its list of files cannot be unpacked";  // also unknown and damaged
  std::string bytes(size, '\0');
  const size_t got = ZSTD_decompress(bytes.data(), bytes.size(), packed->data(), packed->size());
  if (ZSTD_isError(got) != 0 || got != bytes.size()) return "its list of files cannot be unpacked";
  Input in(bytes);
  const uint64_t count = in.Number();
  if (count > bytes.size()) return "its list of files is cut off";
  files->clear();
  files->reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    SeenFile file;
    file.path = TakeName(files->empty() ? std::string_view() : std::string_view(files->back().path), in);
    if (in.is_bad() || file.path.empty()) return "its list of files is damaged";
    files->push_back(std::move(file));
  }
  int64_t modified_ns = 0;
  for (SeenFile& file : *files) {
    TakeState(in, &file);
    if (!file.has_mark) continue;
    modified_ns = static_cast<int64_t>(static_cast<uint64_t>(modified_ns) +
                                       static_cast<uint64_t>(Unfolded(in.Number())));
    file.modified_ns = modified_ns;
  }
  return in.is_bad() || !in.is_empty() ? "its list of files is damaged" : "";
}

}  // namespace qn::files
