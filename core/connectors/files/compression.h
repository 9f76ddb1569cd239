// Unpacks gzip and zstd as a stream. Refuses nothing by size: a bomb only ever costs the caller's buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace qn::files {

enum class Codec : uint8_t { kPlain, kGzip, kZstd };

// zstd frames may ask for any window; one of more than 128 MiB is refused, as the zstd tool does.
inline constexpr int kZstdWindowLogMax = 27;
inline constexpr size_t kMagicBytes = 4;  // how much of a file's head CodecOf wants

// By the first bytes, and where there are too few of them or they say nothing, by the name.
Codec CodecOf(std::string_view path, std::string_view head);
std::string_view NameOf(Codec codec);

// One archive from its beginning; members and frames that follow each other are one content.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  struct Step {
    size_t used = 0;  // bytes taken from the input
    size_t made = 0;  // bytes written to the output
  };
  // Takes some of the input and writes some of the output; neither used nor made: needs more input. False
  // when the archive is damaged, with the reason in `why`; nothing may be called after that.
  virtual bool Run(std::string_view in, char* out, size_t out_size, Step* step, std::string* why) = 0;
  // Whether the archive may end after what was taken so far.
  virtual bool AtBoundary() const = 0;
};

std::unique_ptr<Decompressor> NewDecompressor(Codec codec);

}  // namespace qn::files
