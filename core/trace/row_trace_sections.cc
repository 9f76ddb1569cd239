// A row trace as sections. An entry is a key (its size + 1, then its bytes; 0: the key of the entry before),
// a row (its size twice, + 1 when a weight other than 1 follows), and that weight.
#include <array>

#include "trace/row_section.h"
#include "trace/row_trace.h"
#include "trace/section.h"

namespace qn::trace {

void RowTrace::PutEntry(KeyRef key, bool is_same_key, std::string_view row, int64_t weight,
                        SectionWriter& out) const {
  if (is_same_key) {
    out.Put(0, {});
  } else {
    const std::string_view bytes = Key(key);
    out.Put(bytes.size() + 1, bytes);
  }
  out.Put(uint64_t{row.size()} << 1 | static_cast<uint64_t>(weight != 1), row);
  if (weight != 1) out.Put(ZigZag(weight), {});
  out.EndEntry(!is_same_key);
}

// Behind what was kept, handed out a section at a time; nullptr: it is kept as well.
Status RowTrace::PutChanges(const SectionOut* out) {
  KeyRef last = kNoKey;
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (i + kAhead < changes_.size()) {
      Ask(Head(changes_[i + kAhead].key));
      if (changes_[i + kAhead].row != kNone) Ask(Row(changes_[i + kAhead].row));
    }
    const Change& change = changes_[i];
    const std::string_view row = change.row == kNone ? std::string_view() : RowOf(Row(change.row));
    PutEntry(change.key, change.key == last, row, change.weight, log_.kept());
    last = change.key;
    if (out == nullptr || !log_.kept().is_full()) continue;
    QN_TRY(log_.HandOut(*out));
    last = kNoKey;
  }
  return Ok();
}

void RowTrace::ForgetChanges() {
  Release(changes_);
  change_bytes_ = 0;
}

Status RowTrace::TakeChanges(const SectionOut& out) {
  QN_TRY(PutChanges(&out));
  QN_TRY(log_.HandOut(out));
  DropChanges();
  return Ok();
}

void RowTrace::DropChanges() {
  ForgetChanges();
  log_.Clear(kListBytesKept);
  log_.ChargeAnyway(ListBytes());
}

// A key with very many rows may be in several sections.
Status RowTrace::Dump(const SectionOut& out) const {
  SectionWriter section(kRowAll);
  Status status;
  const auto ahead = [&](KeyRef key) { Ask(Head(key)); };
  const auto nearer = [&](KeyRef key) {
    if (Head(key)->rows != kNone) Ask(slab_->At<const char>(Head(key)->rows));
  };
  index_.ForEachAhead(ahead, nearer, [&](KeyRef key) {
    bool is_first = true;
    ForEach(key, [&](std::string_view row, int64_t weight) {
      if (!status.ok()) return;
      PutEntry(key, !is_first, row, weight, section);
      is_first = section.is_full();
      if (!is_first) return;
      status = out(section.Section());
      section.Restart();
    });
  });
  QN_TRY(std::move(status));
  return section.is_empty() ? Ok() : out(section.Section());
}

Status RowTrace::Apply(std::string_view section) {
  SectionReader reader(section);
  uint64_t keys = 0;
  uint64_t entries = 0;
  const bool is_all = section.size() > 1 && section[1] == kRowAll;
  if (!reader.Header(is_all ? kRowAll : kRowChanges, &keys, &entries)) return DamagedSection(section);
  if (is_all) QN_TRY(index_.Reserve(keys));
  constexpr size_t kRowsAtOnce = 1024;
  std::vector<KeyedRow> rows;
  rows.reserve(kRowsAtOnce);
  std::string_view key;
  for (uint64_t i = 0; i < entries; ++i) {
    KeyedRow row;
    uint64_t key_size = 0;
    uint64_t row_size = 0;
    uint64_t weight = ZigZag(1);
    if (!reader.Varint(&key_size) || (key_size == 0 && i == 0)) return DamagedSection(section);
    if (key_size != 0) {
      if (keys-- == 0 || !reader.Bytes(key_size - 1, &key)) return DamagedSection(section);
    }
    if (!reader.Varint(&row_size) || !reader.Bytes(row_size >> 1, &row.row)) return DamagedSection(section);
    if ((row_size & 1) != 0 && !reader.Varint(&weight)) return DamagedSection(section);
    row.key = key;
    row.weight = UnZigZag(weight);
    if (row.weight == 0 || (is_append_only_ && row.weight < 0)) return DamagedSection(section);
    rows.push_back(row);
    if (rows.size() < kRowsAtOnce && i + 1 < entries) continue;
    QN_TRY(AddBatch(rows, nullptr, false));
    rows.clear();
  }
  if (keys != 0 || !reader.AtEnd()) return DamagedSection(section);
  FreeDead();
  return log_.Charge(ListBytes());
}

}  // namespace qn::trace
