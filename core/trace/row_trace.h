// Memory across steps: rows by key, each with a weight. Probing is batched and prefetches; what changed is
// logged, so that a checkpoint writes what a step changed and no more (decision 008).
//
// Single-threaded; reading by several threads is fine while nobody changes it. Rows are bytes; views stay
// valid until EndStep, also when the row is removed in between. A key or row is less than 4 GB.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/delta.h"
#include "trace/budget.h"
#include "trace/change_log.h"
#include "trace/index.h"
#include "trace/slab.h"
#include "trace/trace.h"

namespace qn::trace {

// A key's place; valid until EndStep, also when the key loses its last row.
using KeyRef = uint32_t;
inline constexpr KeyRef kNoKey = UINT32_MAX;

class RowTrace final : public Trace {
 public:
  // `is_append_only`: weights are never negative, and equal rows under a key need not be found again: they
  // are kept apart, which saves an index.
  RowTrace(Budget& budget, bool is_append_only);

  // out[i] is the key's place, kNoKey when it has no rows.
  void Find(std::span<const KeyedRow> rows, std::vector<KeyRef>& out) const;
  KeyRef Find(std::string_view key) const;

  // Adds the weights; rows whose weight becomes 0 are forgotten. Weights below 0 are kept (an input that
  // deletes before it inserts, across steps). Failure: QN-3601, the budget.
  // `out`, when given, gets each row's key place; kNoKey where a weight of 0 met a key without rows.
  Status Add(std::span<const KeyedRow> rows, std::vector<KeyRef>* out);

  // The rows under a key, in no particular order. The callback must not change the trace.
  template <typename F>
  void ForEach(KeyRef key, F&& f) const;  // f(std::string_view row, int64_t weight)
  int64_t Weight(KeyRef key) const {      // sum under the key; 0 for kNoKey
    return key == kNoKey ? 0 : Head(key)->weight;
  }
  size_t Rows(KeyRef key) const {  // different rows under the key
    return key == kNoKey ? 0 : Head(key)->count;
  }
  std::string_view Key(KeyRef key) const { return KeyOf(Head(key)); }
  // Everything.
  void ForEachKey(const std::function<void(KeyRef)>& f) const;

  size_t rows() const { return rows_; }

  // Trace:
  size_t keys() const override { return keys_; }
  size_t bytes() const override;
  void EndStep() override;
  uint64_t change_bytes() const override { return log_.bytes() + change_bytes_; }
  Status TakeChanges(const SectionOut& out) override;
  void DropChanges() override;
  Status Dump(const SectionOut& out) const override;
  Status Expect(uint64_t keys) override { return index_.Reserve(keys); }
  Status Apply(std::string_view section) override;
  void Clear() override;

 private:
  using Ref = Slab::Ref;
  static constexpr Ref kNone = Slab::kNone;

  // The key's bytes follow. One row is named directly, more by an array; a single row without bytes has no
  // memory of its own: rows == kNone, its weight is the key's.
  struct KeyHead {
    int64_t weight;
    uint32_t size;
    uint32_t count;
    uint32_t capacity : 30;   // of the array; 0: there is none
    uint32_t is_emptied : 1;  // listed in emptied_
    uint32_t is_indexed : 1;  // its rows are found by row_index_
    Ref rows;
  };
  // The row's bytes follow at kRowHead.
  struct RowHead {
    int64_t weight;
    uint32_t size;
  };
  static constexpr size_t kRowHead = 12;
  static constexpr size_t kScanMax = 8;  // up to so many rows of a key are compared one after the other

  struct RowPlace {
    KeyRef key;
    uint32_t position;
  };
  struct Change {
    KeyRef key;
    Ref row;  // kNone: the row without bytes
    int64_t weight;
  };
  struct Dead {
    Ref ref;
    uint32_t size;
  };

  KeyHead* Head(KeyRef key) const { return slab_->At<KeyHead>(key); }
  static std::string_view KeyOf(const KeyHead* head) {
    return {reinterpret_cast<const char*>(head + 1), head->size};
  }
  const RowHead* Row(Ref row) const { return slab_->At<const RowHead>(row); }
  static std::string_view RowOf(const RowHead* row) {
    return {reinterpret_cast<const char*>(row) + kRowHead, row->size};
  }
  const Ref* Array(const KeyHead* head) const { return slab_->At<const Ref>(head->rows); }
  Ref RowAt(const KeyHead* head, size_t position) const {
    return head->capacity == 0 ? head->rows : Array(head)[position];
  }

  void Prefetch(std::span<const KeyedRow> rows, const uint32_t* hashes) const;
  KeyRef* FindSlot(uint32_t hash, std::string_view key) const;
  Status AddBatch(std::span<const KeyedRow> rows, std::vector<KeyRef>* out, bool is_logged);
  bool AddOne(uint32_t hash, const KeyedRow& row, bool is_logged, KeyRef* key);
  KeyRef AddKey(uint32_t hash, std::string_view key);
  bool AddRow(KeyRef key, std::string_view row, int64_t weight, Ref* ref);
  bool AppendRow(KeyRef key, std::string_view row, int64_t weight, Ref* ref);
  bool AppendRef(KeyRef key, Ref row);
  bool ResizeArray(KeyHead* head, size_t capacity);
  bool IndexRows(KeyRef key);
  uint32_t RowHash(KeyRef key, std::string_view row) const;
  RowPlace* FindRowPlace(KeyRef key, std::string_view row) const;
  size_t PositionOf(KeyRef key, std::string_view row) const;  // SIZE_MAX: it is not there
  void RemoveRow(KeyRef key, size_t position);
  void EmptyKey(KeyRef key);
  Ref NewRow(std::string_view row, int64_t weight);
  size_t ArrayBytes(const KeyHead* head) const { return head->capacity * sizeof(Ref); }

  void FreeDead();
  void Compact();
  KeyRef Copy(KeyRef key, Slab& to) const;
  void PutEntry(KeyRef key, bool is_same_key, std::string_view row, int64_t weight, SectionWriter& out) const;
  Status PutChanges(const SectionOut* out);
  void ForgetChanges();
  size_t ListBytes() const { return HeldBytes(changes_) + HeldBytes(dead_) + HeldBytes(emptied_); }

  Budget& budget_;
  const bool is_append_only_;
  std::unique_ptr<Slab> slab_;
  Index<KeyRef> index_;
  Index<RowPlace> row_index_;  // of keys with many rows
  size_t keys_ = 0;
  size_t rows_ = 0;
  std::vector<KeyRef> emptied_;  // keys without rows, forgotten at EndStep
  std::vector<Dead> dead_;       // rows, freed at EndStep
  std::vector<Change> changes_;  // of this step, since TakeChanges
  uint64_t change_bytes_ = 0;    // about what they are as a section
  ChangeLog log_;
  Status refusal_;  // why an index could not grow
};

template <typename F>
void RowTrace::ForEach(KeyRef key, F&& f) const {
  if (key == kNoKey) return;
  const KeyHead* head = Head(key);
  const size_t count = head->count;
  if (head->capacity == 0) {
    if (count == 0) return;
    if (head->rows == kNone) return f(std::string_view(""), head->weight);
    const RowHead* row = Row(head->rows);
    return f(RowOf(row), row->weight);
  }
  constexpr size_t kAhead = 8;
  const Ref* rows = Array(head);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) Ask(Row(rows[i + kAhead]));
    const RowHead* row = Row(rows[i]);
    f(RowOf(row), row->weight);
  }
}

}  // namespace qn::trace
