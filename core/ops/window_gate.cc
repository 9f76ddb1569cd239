// The two parts of a row are kept as one, behind the size of the left; a part that is not there has no size.
#include "ops/window_gate.h"

#include <cstring>

namespace qn::ops {
namespace {

constexpr uint32_t kNoPart = UINT32_MAX;
constexpr size_t kHead = 2 * sizeof(uint32_t);

uint32_t SizeOf(std::string_view part) {
  return part.data() == nullptr ? kNoPart : static_cast<uint32_t>(part.size());
}

std::string_view Joined(const DeltaRow& row, Arena& bytes) {
  const uint32_t sizes[2] = {SizeOf(row.row), SizeOf(row.right)};
  char* out = bytes.Allocate(kHead + row.row.size() + row.right.size());
  std::memcpy(out, sizes, kHead);
  if (!row.row.empty()) std::memcpy(out + kHead, row.row.data(), row.row.size());
  if (!row.right.empty()) std::memcpy(out + kHead + row.row.size(), row.right.data(), row.right.size());
  return {out, kHead + row.row.size() + row.right.size()};
}

DeltaRow Parted(std::string_view joined, int64_t weight) {
  uint32_t sizes[2];
  std::memcpy(sizes, joined.data(), kHead);
  std::string_view rest = joined.substr(kHead);
  DeltaRow row;
  row.weight = weight;
  if (sizes[0] != kNoPart) {
    row.row = rest.substr(0, sizes[0]);
    rest.remove_prefix(sizes[0]);
  }
  if (sizes[1] != kNoPart) row.right = rest;
  return row;
}

int64_t BeginIn(std::string_view key) {
  int64_t begin = 0;
  std::memcpy(&begin, key.data(), sizeof begin);
  return begin;
}

}  // namespace

Status WindowGate::Pass(Delta& changes, int64_t watermark_us) {
  std::vector<KeyedRow> rows;
  rows.reserve(changes.rows.size());
  for (const DeltaRow& change : changes.rows) {
    const int64_t begin = begins_.Of(is_right_ ? change.right : change.row);
    const std::string_view key = changes.bytes.Store({reinterpret_cast<const char*>(&begin), sizeof begin});
    rows.push_back({key, Joined(change, changes.bytes), change.weight});
  }
  QN_TRY(trace_.Add(rows, nullptr));
  changes.rows.clear();
  const int64_t closed = options_.ClosedBegin(watermark_us);
  if (closed == kNoTime) return Ok();
  std::vector<KeyedRow> gone;
  trace_.ForEachKey([&](trace::KeyRef key) {
    const std::string_view begin = trace_.Key(key);
    if (BeginIn(begin) > closed) return;
    trace_.ForEach(key, [&](std::string_view row, int64_t weight) {
      changes.rows.push_back(Parted(row, weight));
      gone.push_back({begin, row, -weight});
    });
  });
  return trace_.Add(gone, nullptr);
}

bool WindowGate::HasToCloseAt(int64_t watermark_us) const {
  const int64_t closed = options_.ClosedBegin(watermark_us);
  bool has_any = false;
  if (closed == kNoTime) return false;
  trace_.ForEachKey([&](trace::KeyRef key) { has_any = has_any || BeginIn(trace_.Key(key)) <= closed; });
  return has_any;
}

}  // namespace qn::ops
