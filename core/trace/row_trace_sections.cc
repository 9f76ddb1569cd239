// A row trace as sections. An entry is a key (its size + 1, then its bytes; 0: the key of the entry before),
// a row (its size twice, + 1 when a weight other than 1 follows), and that weight.
#include <array>

#include "trace/row_trace.h"
#include "trace/section.h"

namespace qn::trace {
namespace {

constexpr char kChanges = 'r';  // adds to what is there
constexpr char kAll = 'R';      // the same bytes; its keys are all different

}  // namespace

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
}

// The entries of changes_; how many have a key of their own.
uint64_t RowTrace::PutChanges(std::string& out) const {
  SectionWriter writer(out);
  KeyRef last = kNoKey;
  uint64_t keys = 0;
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (i + kAhead < changes_.size()) {
      Ask(Head(changes_[i + kAhead].key));
      if (changes_[i + kAhead].row != kNone) Ask(Row(changes_[i + kAhead].row));
    }
    const Change& change = changes_[i];
    const std::string_view row = change.row == kNone ? std::string_view() : RowOf(Row(change.row));
    PutEntry(change.key, change.key == last, row, change.weight, writer);
    keys += change.key != last ? 1 : 0;
    last = change.key;
  }
  return keys;
}

// While the rows can still be read.
void RowTrace::KeepChanges() {
  if (changes_.empty()) return;
  kept_keys_ += PutChanges(kept_changes_);
  kept_entries_ += changes_.size();
  Release(changes_);
}

void RowTrace::TakeChanges(std::string& out) {
  if (kept_entries_ + changes_.size() == 0) return;
  const size_t header = out.size();
  AppendSectionHeader(kChanges, 0, 0, out);
  out += kept_changes_;
  kept_keys_ += PutChanges(out);
  std::string counts;
  AppendSectionHeader(kChanges, kept_keys_, kept_entries_ + changes_.size(), counts);
  out.replace(header, counts.size(), counts);
  Release(changes_);
  Release(kept_changes_);
  kept_keys_ = kept_entries_ = 0;
  (void)Charge();
}

void RowTrace::Dump(std::string& out) const {
  AppendSectionHeader(kAll, keys_, rows_, out);
  SectionWriter writer(out);
  const auto ahead = [&](KeyRef key) { Ask(Head(key)); };
  const auto nearer = [&](KeyRef key) {
    if (Head(key)->rows != kNone) Ask(slab_->At<const char>(Head(key)->rows));
  };
  index_.ForEachAhead(ahead, nearer, [&](KeyRef key) {
    bool is_first = true;
    ForEach(key, [&](std::string_view row, int64_t weight) {
      PutEntry(key, !is_first, row, weight, writer);
      is_first = false;
    });
  });
}

Status RowTrace::Apply(std::string_view section) {
  SectionReader reader(section);
  uint64_t keys = 0;
  uint64_t entries = 0;
  const bool is_all = section.size() > 1 && section[1] == kAll;
  if (!reader.Header(is_all ? kAll : kChanges, &keys, &entries)) return DamagedSection(section);
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
  return Charge();
}

}  // namespace qn::trace
