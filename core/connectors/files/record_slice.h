// A slice of text files: its parts in order, and the streams that hand out their blocks.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connectors/files/part.h"
#include "contract/source.h"

namespace qn::files {

// What was unpacked is kept for a second stream, up to this; then the slice ends.
inline constexpr uint64_t kKeptBytesMax = uint64_t{128} << 20;

// Shared by the slice, its streams and the reader. Thread-safe.
class SliceState {
 public:
  SliceState(ReadContext context, std::vector<std::unique_ptr<Part>> parts, uint64_t kept_bytes_max);

  const ReadContext& context() const { return context_; }
  size_t part_count() const { return parts_.size(); }
  Part& part(size_t index) const { return *parts_[index]; }
  const std::vector<std::string>& paths() const { return paths_; }

  // Unpacked bytes that are kept; true when no more may be.
  bool Keep(uint64_t bytes);

  // The first bytes of a part's file, unpacked, at most kFileHeadBytes; read once.
  Result<std::shared_ptr<const std::string>> HeadOf(size_t index);

  // By the first stream that came to the end. One a part.
  void Publish(std::vector<PartEnd> ends);
  // Null until then.
  const std::vector<PartEnd>* ends() const;

 private:
  const ReadContext context_;
  const std::vector<std::unique_ptr<Part>> parts_;
  std::vector<std::string> paths_;
  const uint64_t kept_bytes_max_;
  std::mutex heads_mutex_;
  std::map<size_t, std::shared_ptr<const std::string>> heads_;
  mutable std::mutex mutex_;
  uint64_t kept_bytes_ = 0;
  std::optional<std::vector<PartEnd>> ends_;
};

std::unique_ptr<BlockStream> NewStream(std::shared_ptr<SliceState> state);

}  // namespace qn::files
