// A key's head and its rows are pieces of one slab; the index finds heads. Keys with few rows are searched
// row by row, those with many have their rows in a second index, so that each row costs the same.
#include "trace/row_trace.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "trace/hash.h"
#include "trace/row_section.h"

namespace qn::trace {
namespace {

constexpr size_t kBatch = 64;  // probes under way at once
constexpr size_t kSizeMax = UINT32_MAX - 64;
constexpr size_t kEntryBytes = 3;  // of most changes in a section, beside key and row

}  // namespace

RowTrace::RowTrace(Budget& budget, bool is_append_only)
    : budget_(budget),
      is_append_only_(is_append_only),
      slab_(std::make_unique<Slab>(budget)),
      index_(budget),
      row_index_(budget),
      log_(budget, kRowChanges) {}

KeyRef* RowTrace::FindSlot(uint32_t hash, std::string_view key) const {
  return index_.FindSlot(hash, [&](KeyRef candidate) { return IsSame(KeyOf(Head(candidate)), key); });
}

// Three rounds over the batch, each asking for what the one before has found; then everything is in the
// cache.
void RowTrace::Prefetch(std::span<const KeyedRow> rows, const uint32_t* hashes) const {
  std::array<KeyRef, kBatch> guesses{};
  for (size_t i = 0; i < rows.size(); ++i) index_.Prefetch(hashes[i]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const KeyRef* guess = index_.Guess(hashes[i]);
    guesses[i] = guess == nullptr ? kNoKey : *guess;
    if (guess == nullptr) continue;
    const char* head = slab_->At<const char>(*guess);
    Ask(head);
    Ask(head + sizeof(KeyHead) + rows[i].key.size());
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (guesses[i] == kNoKey) continue;
    const KeyHead* head = Head(guesses[i]);
    if (head->rows != kNone) Ask(slab_->At<const char>(head->rows));
    if (head->is_indexed) row_index_.Prefetch(RowHash(guesses[i], rows[i].row));
  }
}

void RowTrace::Find(std::span<const KeyedRow> rows, std::vector<KeyRef>& out) const {
  out.resize(rows.size());
  std::array<uint32_t, kBatch> hashes{};
  for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const auto batch = rows.subspan(begin, std::min(kBatch, rows.size() - begin));
    for (size_t i = 0; i < batch.size(); ++i) hashes[i] = ShortHash(batch[i].key);
    Prefetch(batch, hashes.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      const KeyRef* found = FindSlot(hashes[i], batch[i].key);
      out[begin + i] = found == nullptr || Head(*found)->count == 0 ? kNoKey : *found;
    }
  }
}

KeyRef RowTrace::Find(std::string_view key) const {
  const KeyRef* found = FindSlot(ShortHash(key), key);
  return found == nullptr || Head(*found)->count == 0 ? kNoKey : *found;
}

Status RowTrace::Add(std::span<const KeyedRow> rows, std::vector<KeyRef>* out) {
  QN_TRY(AddBatch(rows, out, true));
  return log_.Charge(ListBytes());
}

Status RowTrace::AddBatch(std::span<const KeyedRow> rows, std::vector<KeyRef>* out, bool is_logged) {
  if (out != nullptr) out->resize(rows.size());
  std::array<uint32_t, kBatch> hashes{};
  for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const auto batch = rows.subspan(begin, std::min(kBatch, rows.size() - begin));
    QN_TRY(index_.Reserve(batch.size()));
    for (size_t i = 0; i < batch.size(); ++i) hashes[i] = ShortHash(batch[i].key);
    Prefetch(batch, hashes.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      KeyRef key = kNoKey;
      if (!AddOne(hashes[i], batch[i], is_logged, &key)) {
        return refusal_.ok() ? slab_->Refusal() : refusal_;
      }
      if (out != nullptr) (*out)[begin + i] = key;
    }
  }
  return Ok();
}

bool RowTrace::AddOne(uint32_t hash, const KeyedRow& row, bool is_logged, KeyRef* key) {
  const KeyRef* found = FindSlot(hash, row.key);
  if (row.weight == 0) {
    *key = found == nullptr || Head(*found)->count == 0 ? kNoKey : *found;
    return true;
  }
  *key = found != nullptr ? *found : AddKey(hash, row.key);
  if (*key == kNoKey) return false;
  QN_CHECK(!is_append_only_ || row.weight > 0);
  const size_t count = Head(*key)->count;
  Ref ref = kNone;
  if (!AddRow(*key, row.row, row.weight, &ref)) return false;
  const KeyHead* head = Head(*key);
  rows_ += head->count - count;  // wraps around when one less, and back
  if (count == 0) ++keys_;
  if (head->count == 0) {
    --keys_;
    EmptyKey(*key);
  }
  if (!is_logged) return true;
  const bool is_same_key = !changes_.empty() && changes_.back().key == *key;
  change_bytes_ += kEntryBytes + row.row.size() + (is_same_key ? 0 : row.key.size());
  changes_.push_back({*key, ref, row.weight});
  return true;
}

KeyRef RowTrace::AddKey(uint32_t hash, std::string_view key) {
  QN_CHECK(key.size() < kSizeMax);
  const KeyRef ref = slab_->Allocate(sizeof(KeyHead) + key.size());
  if (ref == kNone) return kNoKey;
  KeyHead* head = Head(ref);
  *head = {0, static_cast<uint32_t>(key.size()), 0, 0, 0, 0, kNone};
  if (!key.empty()) std::memcpy(static_cast<void*>(head + 1), key.data(), key.size());
  index_.Insert(hash, ref);
  return ref;
}

// `ref` gets the row's memory, kNone for the row without bytes: what is logged stays readable until EndStep.
bool RowTrace::AddRow(KeyRef key, std::string_view row, int64_t weight, Ref* ref) {
  KeyHead* head = Head(key);
  const bool is_bare = head->count == 1 && head->rows == kNone;
  if (row.empty() && (head->count == 0 || is_bare)) {
    head->weight += weight;
    head->count = head->weight == 0 ? 0 : 1;
    return true;
  }
  if (is_bare) {  // it gets company
    const Ref bare = NewRow({}, head->weight);
    if (bare == kNone) return false;
    head->rows = bare;
  }
  const size_t position = is_append_only_ ? SIZE_MAX : PositionOf(key, row);
  if (position == SIZE_MAX) {
    if (!AppendRow(key, row, weight, ref)) return false;
  } else {
    *ref = RowAt(head, position);
    auto* there = slab_->At<RowHead>(*ref);
    there->weight += weight;
    if (there->weight == 0) RemoveRow(key, position);
  }
  head->weight += weight;
  return true;
}

RowTrace::Ref RowTrace::NewRow(std::string_view row, int64_t weight) {
  QN_CHECK(row.size() < kSizeMax);
  const Ref ref = slab_->Allocate(kRowHead + row.size());
  if (ref == kNone) return kNone;
  auto* head = slab_->At<RowHead>(ref);
  head->weight = weight;
  head->size = static_cast<uint32_t>(row.size());
  if (!row.empty()) std::memcpy(reinterpret_cast<char*>(head) + kRowHead, row.data(), row.size());
  return ref;
}

bool RowTrace::AppendRow(KeyRef key, std::string_view row, int64_t weight, Ref* ref) {
  KeyHead* head = Head(key);
  if (head->count == head->capacity || (head->capacity == 0 && head->count == 1)) {
    if (head->count > 0 && !ResizeArray(head, std::max<size_t>(4, size_t{head->count} * 2))) return false;
  }
  *ref = NewRow(row, weight);
  if (*ref == kNone) return false;
  const uint32_t position = head->count++;
  if (head->capacity == 0) {
    head->rows = *ref;
  } else {
    slab_->At<Ref>(head->rows)[position] = *ref;
  }
  if (is_append_only_) return true;
  if (!head->is_indexed) return head->count <= kScanMax || IndexRows(key);
  refusal_ = row_index_.Reserve(1);
  if (!refusal_.ok()) return false;
  row_index_.Insert(RowHash(key, row), {key, position});
  return true;
}

// From one row to an array, or from one array to another. Nobody outside has seen it: the old one is free.
bool RowTrace::ResizeArray(KeyHead* head, size_t capacity) {
  const Ref array = slab_->Allocate(capacity * sizeof(Ref));
  if (array == kNone) return false;
  if (head->capacity == 0) {
    *slab_->At<Ref>(array) = head->rows;
  } else {
    std::memcpy(slab_->At<Ref>(array), Array(head), head->count * sizeof(Ref));
    slab_->Free(head->rows, ArrayBytes(head));
  }
  head->rows = array;
  head->capacity = static_cast<uint32_t>(capacity) & 0x3FFF'FFFF;
  return true;
}

uint32_t RowTrace::RowHash(KeyRef key, std::string_view row) const {
  return ShortHash(row, uint64_t{key} + 1);
}

bool RowTrace::IndexRows(KeyRef key) {
  KeyHead* head = Head(key);
  refusal_ = row_index_.Reserve(head->count);
  if (!refusal_.ok()) return false;
  for (uint32_t i = 0; i < head->count; ++i) {
    row_index_.Insert(RowHash(key, RowOf(Row(Array(head)[i]))), {key, i});
  }
  head->is_indexed = 1;
  return true;
}

RowTrace::RowPlace* RowTrace::FindRowPlace(KeyRef key, std::string_view row) const {
  const KeyHead* head = Head(key);
  return row_index_.FindSlot(RowHash(key, row), [&](const RowPlace& place) {
    return place.key == key && IsSame(RowOf(Row(Array(head)[place.position])), row);
  });
}

size_t RowTrace::PositionOf(KeyRef key, std::string_view row) const {
  const KeyHead* head = Head(key);
  if (head->is_indexed) {
    const RowPlace* place = FindRowPlace(key, row);
    return place == nullptr ? SIZE_MAX : place->position;
  }
  for (size_t i = 0; i < head->count; ++i) {
    if (IsSame(RowOf(Row(RowAt(head, i))), row)) return i;
  }
  return SIZE_MAX;
}

// The last row takes its position. The bytes stay until EndStep.
void RowTrace::RemoveRow(KeyRef key, size_t position) {
  KeyHead* head = Head(key);
  const Ref gone = RowAt(head, position);
  const size_t last = head->count - 1;
  if (head->is_indexed) {
    row_index_.Erase(FindRowPlace(key, RowOf(Row(gone))));
    if (position != last) {
      FindRowPlace(key, RowOf(Row(Array(head)[last])))->position = static_cast<uint32_t>(position);
    }
  }
  if (head->capacity != 0) {
    auto* rows = slab_->At<Ref>(head->rows);
    rows[position] = rows[last];
  }
  head->count = static_cast<uint32_t>(last);
  dead_.push_back({gone, Row(gone)->size});
  // A smaller array where most is free; when there is no memory for it, the large one stays.
  if (head->capacity > 4 * kScanMax && head->count > 0 && head->count * 4 <= head->capacity) {
    (void)ResizeArray(head, head->capacity / 2);
  }
}

// A key without rows keeps its place until EndStep, and is as new if it comes back before.
void RowTrace::EmptyKey(KeyRef key) {
  KeyHead* head = Head(key);
  if (head->capacity != 0) slab_->Free(head->rows, ArrayBytes(head));
  head->rows = kNone;
  head->capacity = 0;
  head->is_indexed = 0;
  if (head->is_emptied) return;
  head->is_emptied = 1;
  emptied_.push_back(key);
}

void RowTrace::ForEachKey(const std::function<void(KeyRef)>& f) const {
  index_.ForEach([&](KeyRef key) {
    if (Head(key)->count > 0) f(key);
  });
}

size_t RowTrace::bytes() const {
  return slab_->bytes() + index_.bytes() + row_index_.bytes() + log_.charged();
}

void RowTrace::EndStep() {
  (void)PutChanges(nullptr);  // while the rows can still be read
  ForgetChanges();
  FreeDead();
  Compact();
  // Entries of changes may be longer than the changes were.
  log_.ChargeAnyway(ListBytes());
}

void RowTrace::FreeDead() {
  for (const Dead& dead : dead_) slab_->Free(dead.ref, kRowHead + dead.size);
  Release(dead_);
  for (const KeyRef key : emptied_) {
    KeyHead* head = Head(key);
    head->is_emptied = 0;
    if (head->count > 0) continue;
    const std::string_view bytes = KeyOf(head);
    index_.Erase(FindSlot(ShortHash(bytes), bytes));
    slab_->Free(key, sizeof(KeyHead) + bytes.size());
  }
  Release(emptied_);
}

// When more than half of the memory is free, what lives moves to new memory. So each byte is copied at most
// once for each byte freed.
void RowTrace::Compact() {
  constexpr size_t kWorthwhile = size_t{4} << 20;
  if (slab_->bytes() < kWorthwhile || slab_->live_bytes() * 2 > slab_->bytes()) return;
  Slab fresh(budget_);
  fresh.IgnoreBudget();
  const auto ahead = [&](KeyRef key) { Ask(Head(key)); };
  const auto nearer = [&](KeyRef key) {
    if (Head(key)->rows != kNone) Ask(slab_->At<const char>(Head(key)->rows));
  };
  index_.ForEachAhead(ahead, nearer, [&](KeyRef& key) { key = Copy(key, fresh); });
  fresh.TakePlaceOf(*slab_);
  index_.Shrink();
  const size_t indexed = row_index_.size();
  row_index_.Clear();
  if (indexed == 0) return;
  // Less than was given back a moment ago.
  QN_CHECK(row_index_.Reserve(indexed).ok());
  index_.ForEach([&](KeyRef key) {
    if (Head(key)->is_indexed) QN_CHECK(IndexRows(key));
  });
}

KeyRef RowTrace::Copy(KeyRef key, Slab& to) const {
  const auto copy = [&](Ref from, size_t size) {
    const Ref ref = to.Allocate(size);
    QN_CHECK(ref != kNone);
    std::memcpy(to.At<char>(ref), slab_->At<const char>(from), size);
    return ref;
  };
  const KeyHead* old = Head(key);
  const KeyRef out = copy(key, sizeof(KeyHead) + old->size);
  auto* head = to.At<KeyHead>(out);
  if (head->capacity == 0) {
    if (head->rows != kNone) head->rows = copy(head->rows, kRowHead + Row(head->rows)->size);
    return out;
  }
  head->rows = copy(old->rows, ArrayBytes(old));
  for (uint32_t i = 0; i < head->count; ++i) {
    const Ref row = Array(old)[i];
    to.At<Ref>(head->rows)[i] = copy(row, kRowHead + Row(row)->size);
  }
  return out;
}

void RowTrace::Clear() {
  slab_->Clear();
  index_.Clear();
  row_index_.Clear();
  keys_ = rows_ = 0;
  Release(emptied_, 0);
  Release(dead_, 0);
  Release(changes_, 0);
  change_bytes_ = 0;
  log_.Clear(0);
  refusal_ = Ok();
  log_.ChargeAnyway(ListBytes());
}

}  // namespace qn::trace
