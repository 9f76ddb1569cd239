// A key and its state are one piece of the slab, so that a probe is two reads: the index and the piece. A new
// state is a new piece; the old one is free at EndStep.
#include "trace/state_trace.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "trace/hash.h"
#include "trace/section.h"

namespace qn::trace {
namespace {

constexpr size_t kBatch = 64;  // probes under way at once
constexpr size_t kSizeMax = UINT32_MAX - 64;
constexpr size_t kEntryBytes = 2;  // of most changes in a section, beside key and state
constexpr char kChanges = 's';
constexpr char kAll = 'S';

}  // namespace

StateTrace::StateTrace(Budget& budget)
    : budget_(budget), slab_(std::make_unique<Slab>(budget)), index_(budget), log_(budget, kChanges) {}

StateTrace::Ref* StateTrace::FindSlot(uint32_t hash, std::string_view key) const {
  return index_.FindSlot(hash, [&](Ref candidate) { return IsSame(KeyOf(At(candidate)), key); });
}

void StateTrace::Prefetch(std::span<const KeyedRow> rows, const uint32_t* hashes) const {
  for (size_t i = 0; i < rows.size(); ++i) index_.Prefetch(hashes[i]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Ref* guess = index_.Guess(hashes[i]);
    if (guess == nullptr) continue;
    const char* head = slab_->At<const char>(*guess);
    Ask(head);
    Ask(head + kHead + rows[i].key.size() + 8);
  }
}

void StateTrace::Find(std::span<const KeyedRow> rows, std::vector<std::string_view>& out) const {
  out.resize(rows.size());
  std::array<uint32_t, kBatch> hashes{};
  for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const auto batch = rows.subspan(begin, std::min(kBatch, rows.size() - begin));
    for (size_t i = 0; i < batch.size(); ++i) hashes[i] = ShortHash(batch[i].key);
    Prefetch(batch, hashes.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      const Ref* found = FindSlot(hashes[i], batch[i].key);
      out[begin + i] = found == nullptr ? std::string_view() : StateOf(At(*found));
    }
  }
}

std::string_view StateTrace::Find(std::string_view key) const {
  const Ref* found = FindSlot(ShortHash(key), key);
  return found == nullptr ? std::string_view() : StateOf(At(*found));
}

Status StateTrace::Put(std::string_view key, std::string_view state) {
  QN_TRY(index_.Reserve(1));
  if (!PutHashed(ShortHash(key), key, state, true)) return slab_->Refusal();
  // Every some thousand rows is soon enough.
  return (changes_.size() & 0xFFF) == 0 ? log_.Charge(ListBytes()) : Ok();
}

Status StateTrace::Put(std::span<const KeyedRow> rows) {
  for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
    QN_TRY(PutBatch(rows.subspan(begin, std::min(kBatch, rows.size() - begin)), true));
  }
  return log_.Charge(ListBytes());
}

// A row without a pointer is a key to remove.
Status StateTrace::PutBatch(std::span<const KeyedRow> rows, bool is_logged) {
  std::array<uint32_t, kBatch> hashes{};
  QN_TRY(index_.Reserve(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) hashes[i] = ShortHash(rows[i].key);
  Prefetch(rows, hashes.data());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].row.data() == nullptr) {
      RemoveHashed(hashes[i], rows[i].key, is_logged);
    } else if (!PutHashed(hashes[i], rows[i].key, rows[i].row, is_logged)) {
      return slab_->Refusal();
    }
  }
  return Ok();
}

// After the index was reserved; false: the slab is full.
bool StateTrace::PutHashed(uint32_t hash, std::string_view key, std::string_view state, bool is_logged) {
  QN_CHECK(key.size() < kSizeMax && state.size() < kSizeMax);
  Ref* found = FindSlot(hash, key);
  if (found != nullptr && IsSame(StateOf(At(*found)), state)) return true;
  const Ref ref = slab_->Allocate(kHead + key.size() + state.size());
  if (ref == kNone) return false;
  Head* head = At(ref);
  *head = {static_cast<uint32_t>(key.size()), static_cast<uint32_t>(state.size()), 0};
  char* bytes = reinterpret_cast<char*>(head) + kHead;
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());
  if (!state.empty()) std::memcpy(bytes + key.size(), state.data(), state.size());
  if (found == nullptr) {
    index_.Insert(hash, ref);
  } else {
    head->change = At(*found)->change;
    if (head->change != 0)
      change_bytes_ += state.size() - At(*found)->state_size;  // less wraps around, and back
    dead_.push_back(*found);
    *found = ref;
  }
  if (head->change != 0) {
    changes_[head->change - 1].ref = ref;
  } else if (is_logged) {
    change_bytes_ += kEntryBytes + key.size() + state.size();
    changes_.push_back({ref, false});
    head->change = static_cast<uint32_t>(changes_.size());
  }
  return true;
}

void StateTrace::Remove(std::string_view key) { RemoveHashed(ShortHash(key), key, true); }

void StateTrace::RemoveHashed(uint32_t hash, std::string_view key, bool is_logged) {
  Ref* found = FindSlot(hash, key);
  if (found == nullptr) return;
  const Head* head = At(*found);
  if (head->change != 0) {
    changes_[head->change - 1].is_removed = true;
  } else if (is_logged) {
    change_bytes_ += kEntryBytes + key.size();
    changes_.push_back({*found, true});
  }
  dead_.push_back(*found);
  index_.Erase(found);
}

void StateTrace::ForEach(const std::function<void(std::string_view key, std::string_view state)>& f) const {
  const auto ahead = [&](Ref ref) { Ask(At(ref)); };
  index_.ForEachAhead(
      ahead, [](Ref) {}, [&](Ref ref) { f(KeyOf(At(ref)), StateOf(At(ref))); });
}

size_t StateTrace::bytes() const { return slab_->bytes() + index_.bytes() + log_.charged(); }

void StateTrace::EndStep() {
  (void)PutChanges(nullptr);  // while the pieces can still be read
  ForgetChanges();
  FreeDead();
  Compact();
  // Entries of changes may be longer than the changes were.
  log_.ChargeAnyway(ListBytes());
}

void StateTrace::FreeDead() {
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < dead_.size(); ++i) {
    if (i + kAhead < dead_.size()) Ask(At(dead_[i + kAhead]));
    slab_->Free(dead_[i], SizeOf(At(dead_[i])));
  }
  Release(dead_);
}

// When more than half of the memory is free, what lives moves to new memory. So each byte is copied at most
// once for each byte freed.
void StateTrace::Compact() {
  constexpr size_t kWorthwhile = size_t{4} << 20;
  if (slab_->bytes() < kWorthwhile || slab_->live_bytes() * 2 > slab_->bytes()) return;
  Slab fresh(budget_);
  fresh.IgnoreBudget();
  const auto ahead = [&](Ref ref) { Ask(At(ref)); };
  index_.ForEachAhead(
      ahead, [](Ref) {},
      [&](Ref& ref) {
        const size_t size = SizeOf(At(ref));
        const Ref copy = fresh.Allocate(size);
        QN_CHECK(copy != kNone);
        std::memcpy(fresh.At<char>(copy), slab_->At<const char>(ref), size);
        ref = copy;
      });
  fresh.TakePlaceOf(*slab_);
  index_.Shrink();
}

void StateTrace::Clear() {
  slab_->Clear();
  index_.Clear();
  Release(dead_, 0);
  Release(changes_, 0);
  change_bytes_ = 0;
  log_.Clear(0);
  log_.ChargeAnyway(ListBytes());
}

// An entry is a key (its size, its bytes), then its state's size + 1 and its bytes; 0: the key is gone.
void StateTrace::PutEntry(const Head* head, bool is_removed, bool is_counted_key, SectionWriter& out) {
  out.Put(head->key_size, KeyOf(head));
  if (is_removed) {
    out.Put(0, {});
  } else {
    out.Put(uint64_t{head->state_size} + 1, StateOf(head));
  }
  out.EndEntry(is_counted_key);
}

// Behind what was kept, handed out a section at a time; nullptr: it is kept as well.
Status StateTrace::PutChanges(const SectionOut* out) {
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (i + kAhead < changes_.size()) Ask(At(changes_[i + kAhead].ref));
    Head* head = At(changes_[i].ref);
    PutEntry(head, changes_[i].is_removed, false, log_.kept());
    head->change = 0;
    if (out != nullptr && log_.kept().is_full()) QN_TRY(log_.HandOut(*out));
  }
  return Ok();
}

void StateTrace::ForgetChanges() {
  Release(changes_);
  change_bytes_ = 0;
}

Status StateTrace::TakeChanges(const SectionOut& out) {
  QN_TRY(PutChanges(&out));
  QN_TRY(log_.HandOut(out));
  ForgetChanges();
  log_.Clear(kListBytesKept);
  log_.ChargeAnyway(ListBytes());
  return Ok();
}

void StateTrace::DropChanges() {
  for (const Change& change : changes_) At(change.ref)->change = 0;
  ForgetChanges();
  log_.Clear(kListBytesKept);
  log_.ChargeAnyway(ListBytes());
}

Status StateTrace::Dump(const SectionOut& out) const {
  SectionWriter section(kAll);
  Status status;
  const auto ahead = [&](Ref ref) { Ask(At(ref)); };
  index_.ForEachAhead(
      ahead, [](Ref) {},
      [&](Ref ref) {
        if (!status.ok()) return;
        PutEntry(At(ref), false, true, section);
        if (!section.is_full()) return;
        status = out(section.Section());
        section.Restart();
      });
  QN_TRY(std::move(status));
  return section.is_empty() ? Ok() : out(section.Section());
}

Status StateTrace::Apply(std::string_view section) {
  SectionReader reader(section);
  uint64_t keys = 0;
  uint64_t entries = 0;
  const bool is_all = section.size() > 1 && section[1] == kAll;
  if (!reader.Header(is_all ? kAll : kChanges, &keys, &entries)) return DamagedSection(section);
  if (keys != (is_all ? entries : 0)) return DamagedSection(section);
  QN_TRY(index_.Reserve(keys));
  std::vector<KeyedRow> batch;
  batch.reserve(kBatch);
  for (uint64_t i = 0; i < entries; ++i) {
    KeyedRow entry;
    uint64_t key_size = 0;
    uint64_t state_size = 0;
    if (!reader.Varint(&key_size) || !reader.Bytes(key_size, &entry.key)) return DamagedSection(section);
    if (!reader.Varint(&state_size)) return DamagedSection(section);
    if (state_size > 0 && !reader.Bytes(state_size - 1, &entry.row)) return DamagedSection(section);
    if (state_size == 0 && is_all) return DamagedSection(section);
    batch.push_back(entry);
    if (batch.size() < kBatch && i + 1 < entries) continue;
    QN_TRY(PutBatch(batch, false));
    batch.clear();
  }
  if (!reader.AtEnd()) return DamagedSection(section);
  FreeDead();
  return log_.Charge(ListBytes());
}

}  // namespace qn::trace
