// One commit to a Delta table as a state machine without I/O: it is told what was read and how a put ended,
// and says what to do next. Production drives it with Files (sink.cc), a simulator with anything. Never
// retries blindly, never trusts its memory over the log.
//
// The rules, in the order in which they are asked whenever the table's newest state is known:
//  1. The table's txn of our appId is our epoch or later: if that is this very receipt, it is already
//  committed
//     (success); otherwise another run of this pipeline was here (QN-3301).
//  2. The txn is not the one that the receipt follows: refused (QN-3303). This compares where the step
//  *starts*.
//  3. Nothing to write: done, and no entry; the txn stays behind the epoch until a step brings rows.
//  4. Put the next entry if absent. Lost to a foreign entry: protocol or metadata changed, or files removed
//  while
//     we replace all → QN-3302; otherwise take it in, and again from 1, at most kRebasesMax times.
//     A file that we remove is not in the table (any more) → QN-3319, whenever that is seen before the put.
//  5. Unknown whether the put happened: read that version. Ours → done. Foreign → as 4. Absent → put again at
//  the
//     same version: put-if-absent of the same name cannot commit twice, whenever the first one lands.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/delta/log.h"
#include "contract/sink.h"

namespace qn::delta {

inline constexpr int kRebasesMax = 256;  // foreign entries taken in by one commit
inline constexpr int kUnknownsMax = 5;   // puts with unknown outcome and no entry to be found

// What one step has for the table. Goes through the checkpoint as a Receipt.
struct CommitPlan {
  std::string app_id;
  Epoch epoch = 0;
  Epoch follows = 0;      // the table's txn that this step was computed after; 0: none
  std::string commit_id;  // unique to this staging; commitInfo.txnId
  bool replaces_all = false;
  std::vector<AddFile> adds;
  std::vector<std::string> removes;  // decoded paths; empty when all go
  std::vector<CdcFile> cdcs;
  std::optional<Protocol> protocol;  // to create the table, or to lift it
  std::optional<Metadata> metadata;  // to create the table, or to change its schema or properties
  uint64_t rows = 0;
  uint64_t bytes = 0;

  bool Writes() const { return !adds.empty() || !removes.empty() || replaces_all || metadata.has_value(); }
};

Receipt ReceiptOf(const CommitPlan& plan);
// QN-3315 when it is not one of ours or of a newer format.
Result<CommitPlan> PlanOf(const Receipt& receipt);

struct CommitEvent {
  enum class What : uint8_t {
    kStart,
    kEntry,       // answer to kRead: the entry's text, or none. What is read must be made durable first
    kReadFailed,  // answer to kRead
    kPut,         // answer to kPut: its Status
  };
  What what = What::kStart;
  std::optional<std::string> text;
  Status status;
  int64_t now_ms = 0;
};

struct CommitEffect {
  enum class What : uint8_t {
    kRead,  // entry `version`
    kPut,   // `text` as entry `version`, if absent
    kDone,  // the snapshot has the commit (if there was anything to write)
    kFail,  // with `status`; kUnknown when only a restart can tell
  };
  What what = What::kFail;
  int64_t version = -1;
  std::string text;
  bool already = false;  // kDone: it had been committed before
  Status status;
};

// Borrows the snapshot and keeps it up to the version that it has seen.
class CommitMachine {
 public:
  CommitMachine(const CommitPlan& plan, Snapshot& snapshot, std::string table, std::string engine);
  // kStart first; then the answer to each effect, until kDone or kFail.
  CommitEffect Step(const CommitEvent& event);

 private:
  enum class State : uint8_t { kNew, kReading, kPutting, kSettling, kEnded };

  CommitEffect OnEntry(const CommitEvent& event);
  CommitEffect OnPut(const CommitEvent& event);
  CommitEffect TakeForeign(const Entry& entry);
  CommitEffect Judge(bool caught_up, int64_t now_ms);
  CommitEffect Read(State state);
  CommitEffect Put(int64_t now_ms);
  CommitEffect Done(bool already);
  CommitEffect TooBusy();
  CommitEffect Fail(Status status);

  bool IsOwn(const Entry& entry) const;
  bool HasOurFiles() const;
  bool HasRemoves() const;
  bool IsCommitted(const TxnState& txn) const;
  Status Fenced(const TxnState& txn) const;
  Status Elsewhere(Epoch found) const;
  Status Rewritten(const std::string& by) const;
  std::string Compose(int64_t now_ms) const;

  const CommitPlan& plan_;
  Snapshot& snapshot_;
  std::string table_;
  std::string engine_;
  State state_ = State::kNew;
  int rebases_ = 0;
  int conflicts_ = 0;
  int unknowns_ = 0;
  std::string put_text_;
};

}  // namespace qn::delta
