// Event time moves forwards only.
#include "app/watermark.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "duck/vector.h"

namespace qn::app {

void Watermark::Advance(int64_t seen_max_us, int64_t bound_us) {
  seen_us_ = std::max(seen_us_, seen_max_us);
  if (seen_us_ == kNone) return;
  // A delay that reaches below the range of time is as good as none seen.
  const int64_t time = seen_us_ < kNone + delay_us_ ? kNone : seen_us_ - delay_us_;
  time_us_ = std::max(time_us_, std::min(time, bound_us));
}

std::string Watermark::ToText() const { return has_time() ? Text(time_us_) : ""; }

std::string Watermark::Text(int64_t time_us) {
  std::time_t seconds = time_us / 1'000'000 - (time_us % 1'000'000 < 0 ? 1 : 0);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return "";
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

Json Watermark::ToJson() const {
  if (seen_us_ == kNone) return {};
  return Json(Json::Object{{"seen_us", seen_us_}, {"time_us", time_us_}});
}

void Watermark::Restore(const Json& json) {
  seen_us_ = json["seen_us"].Int(kNone);
  time_us_ = json["time_us"].Int(kNone);
}

namespace {

class Nowhere final : public Rejects {
 public:
  void Add(uint32_t, int64_t, std::string_view, std::string) override {}
};

}  // namespace

Result<std::optional<int64_t>> FirstEventTime(const Source& source, const Block& block) {
  const std::vector<int> columns = {source.event_time_column};
  const std::unique_ptr<Decoder> decoder = source.format->NewDecoder(source.columns, columns);
  duck::OwnChunk chunk(duck::TheApi(), {source.columns[static_cast<size_t>(source.event_time_column)].type});
  Nowhere nowhere;
  Cursor cursor{0, block.first_line};
  while (cursor.at < block.size) {
    duck::ChunkOut out;
    chunk.Reset(out);
    const size_t rows = decoder->Decode(block, cursor, out, nowhere);
    for (size_t row = 0; row < rows; ++row) {
      if (!out.columns[0].IsNull(row)) return std::optional<int64_t>(out.columns[0].data<int64_t>()[row]);
    }
  }
  return std::optional<int64_t>();
}

}  // namespace qn::app
