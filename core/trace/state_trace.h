// Memory across steps: one row a key, replaced as a whole (an aggregate's state). Like RowTrace otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

class StateTrace final : public Trace {
 public:
  explicit StateTrace(Budget& budget);

  // out[i]: the state of rows[i].key; data() == nullptr when there is none. Valid until EndStep.
  void Find(std::span<const KeyedRow> rows, std::vector<std::string_view>& out) const;
  std::string_view Find(std::string_view key) const;
  // Replaces; the old bytes stay readable until EndStep. Failure: QN-3601. Cheap for keys that a Find of a
  // batch has just looked for.
  Status Put(std::string_view key, std::string_view state);
  // The same for many, probed as a batch; a KeyedRow's row is the state.
  Status Put(std::span<const KeyedRow> rows);
  void Remove(std::string_view key);

  void ForEach(const std::function<void(std::string_view key, std::string_view state)>& f) const;

  // Trace:
  size_t keys() const override { return index_.size(); }
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

  // The key's bytes follow at kHead, then the state's.
  struct Head {
    uint32_t key_size;
    uint32_t state_size;
    uint32_t change;  // its place in changes_, + 1; 0: not changed since TakeChanges
  };
  static constexpr size_t kHead = sizeof(Head);
  struct Change {
    Ref ref;
    bool is_removed;
  };

  Head* At(Ref ref) const { return slab_->At<Head>(ref); }
  static size_t SizeOf(const Head* head) { return kHead + head->key_size + head->state_size; }
  static std::string_view KeyOf(const Head* head) {
    return {reinterpret_cast<const char*>(head) + kHead, head->key_size};
  }
  static std::string_view StateOf(const Head* head) {
    return {reinterpret_cast<const char*>(head) + kHead + head->key_size, head->state_size};
  }
  Ref* FindSlot(uint32_t hash, std::string_view key) const;
  void Prefetch(std::span<const KeyedRow> rows, const uint32_t* hashes) const;
  bool PutHashed(uint32_t hash, std::string_view key, std::string_view state, bool is_logged);
  void RemoveHashed(uint32_t hash, std::string_view key, bool is_logged);
  Status PutBatch(std::span<const KeyedRow> rows, bool is_logged);
  void FreeDead();
  void Compact();
  Status PutChanges(const SectionOut* out);
  void ForgetChanges();
  static void PutEntry(const Head* head, bool is_removed, bool is_counted_key, SectionWriter& out);
  size_t ListBytes() const { return HeldBytes(changes_) + HeldBytes(dead_); }

  Budget& budget_;
  std::unique_ptr<Slab> slab_;
  Index<Ref> index_;
  std::vector<Ref> dead_;        // freed at EndStep
  std::vector<Change> changes_;  // of this step, since TakeChanges; a key at most once while it lives
  uint64_t change_bytes_ = 0;    // about what they are as a section
  ChangeLog log_;
};

}  // namespace qn::trace
