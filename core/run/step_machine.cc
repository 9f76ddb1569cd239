// The coordinator. It decides; driver.cc does.
#include "run/step_machine.h"

#include <algorithm>

namespace qn::run {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

Status CheckpointBehind(Epoch found, Epoch floor) {
  return Invalid("QN-3406", "The tables are ahead of the newest checkpoint that can be read.")
      .With("checkpoint: step " + std::to_string(found) + "; the tables have step " + std::to_string(floor) +
            ".")
      .With("What was read since is not known any more: going on would store rows a second time.")
      .With("Nothing was started. Begin again with --full-refresh-all, or bring back the checkpoint.");
}

Status FencedByCheckpoint(Epoch epoch) {
  return Status(Kind::kConflict, "QN-3403", "Another process runs this pipeline on the same storage.")
      .With("We tried to write the checkpoint of step " + std::to_string(epoch) +
            "; another one is there already.")
      .With("Nothing of our step is visible; its files will be swept.")
      .With("Stop the other process, or give this one its own --storage.");
}

}  // namespace

StepMachine::StepMachine(StepOptions options, std::vector<std::string> tables)
    : options_(std::move(options)), tables_(std::move(tables)) {}

Effect StepMachine::Step(Event event, int64_t now_ns) {
  QN_CHECK(phase_ != Phase::kFinished);
  return Next(std::move(event), now_ns);
}

Effect StepMachine::Next(Event event, int64_t now_ns) {
  if (std::holds_alternative<Begin>(event)) {
    QN_CHECK(phase_ == Phase::kLoading);
    return LoadCheckpoint{};
  }
  if (const auto* loaded = std::get_if<Loaded>(&event)) {
    return phase_ == Phase::kReadingBack ? OnReadBack(*loaded, now_ns) : OnLoaded(*loaded);
  }
  if (const auto* computed = std::get_if<Computed>(&event)) return OnComputed(*computed, now_ns);
  return OnDone(std::get<Done>(event).status, now_ns);
}

Effect StepMachine::OnLoaded(const Loaded& loaded) {
  QN_CHECK(phase_ == Phase::kLoading);
  is_recovering_ = true;
  if (options_.begins_again) {
    const bool is_known = loaded.checkpoint.ok() && loaded.checkpoint->has_value();
    const Epoch known = is_known ? (**loaded.checkpoint).epoch : 0;
    // The tables are ahead of the checkpoint, so what it owes them they have, or it is damaged: all goes
    // anyway.
    if (!is_known || known < options_.epoch_floor) {
      epoch_ = std::max(known, options_.epoch_floor);
      return Restore(Phase::kRestoring);
    }
  }
  if (!loaded.checkpoint.ok()) return End(loaded.checkpoint.status());
  // A checkpoint always comes before its commits, so tables that are ahead mean that a newer one is lost.
  const Epoch found = loaded.checkpoint->has_value() ? (**loaded.checkpoint).epoch : 0;
  if (found < options_.epoch_floor) return End(CheckpointBehind(found, options_.epoch_floor));
  if (!loaded.checkpoint->has_value()) return Restore(Phase::kRestoring);
  // The checkpoint may name commits that the dead process never made: they come first, always.
  pending_ = **loaded.checkpoint;
  return AfterCheckpoint();
}

Effect StepMachine::AfterCheckpoint() {
  epoch_ = pending_.epoch;
  state_ = pending_.body["state"];
  attempts_ = 0;
  to_commit_.clear();
  for (const auto& [table, receipt] : pending_.body["receipts"].Members()) to_commit_.push_back(table);
  next_ = 0;
  phase_ = Phase::kCommitting;
  return CommitNext();
}

Effect StepMachine::CommitNext() {
  if (next_ < to_commit_.size()) {
    const std::string& table = to_commit_[next_];
    return CommitTable{epoch_, table, pending_.body["receipts"][table]};
  }
  if (is_recovering_) return Restore(Phase::kRestoring);
  phase_ = Phase::kAcknowledging;
  return AcknowledgeStep{epoch_};
}

// A commit that a table refuses for good, owed by the checkpoint to a table that begins again: what the table
// has instead goes with the first step.
bool StepMachine::IsDispensable(const Status& status) const {
  const bool is_final = status.kind() != Kind::kRetryable && status.kind() != Kind::kUnknown;
  const bool begins_again =
      options_.begins_again || options_.tables_begun_again.count(to_commit_[next_]) != 0;
  return is_recovering_ && begins_again && is_final;
}

Effect StepMachine::Restore(Phase phase) {
  phase_ = phase;
  return RestoreWork{state_};
}

Effect StepMachine::SweepNext(int64_t now_ns) {
  phase_ = Phase::kSweeping;
  if (next_ < tables_.size()) return SweepTable{tables_[next_]};
  is_recovering_ = false;
  return Compute(now_ns);
}

Effect StepMachine::Compute(int64_t now_ns) {
  if (stop_asked_) return End(Ok());
  const int64_t earliest_ns = step_began_ns_ + options_.trigger_ms * kNsPerMs;
  if (options_.trigger_ms > 0 && now_ns < earliest_ns && step_began_ns_ != 0) {
    phase_ = Phase::kIdling;
    return WaitUntil{earliest_ns};
  }
  step_began_ns_ = now_ns;
  phase_ = Phase::kComputing;
  return ComputeStep{epoch_ + 1};
}

Effect StepMachine::OnComputed(const Computed& computed, int64_t now_ns) {
  QN_CHECK(phase_ == Phase::kComputing);
  if (!computed.outcome.ok()) return Retry(computed.outcome.status(), now_ns, Phase::kComputing);
  const StepOutcome& outcome = *computed.outcome;
  if (!outcome.has_changes) {
    attempts_ = 0;
    if (!outcome.is_drained) return Compute(now_ns);
    return options_.is_continuous ? Idle(now_ns) : End(Ok());
  }
  Json::Object receipts(outcome.receipts.begin(), outcome.receipts.end());
  pending_.epoch = epoch_ + 1;
  pending_.body = Json(Json::Object{{"state", outcome.state}, {"receipts", Json(std::move(receipts))}});
  return PutOurs();
}

Effect StepMachine::PutOurs() {
  phase_ = Phase::kCheckpointing;
  return PutCheckpoint{pending_};
}

// A put that answered "conflict" or "unknown" may have been ours: only reading back can tell.
Effect StepMachine::OnReadBack(const Loaded& loaded, int64_t now_ns) {
  if (!loaded.checkpoint.ok()) return Retry(loaded.checkpoint.status(), now_ns, Phase::kReadingBack);
  const std::optional<Checkpoint>& found = *loaded.checkpoint;
  const bool is_there = found.has_value() && found->epoch >= pending_.epoch;
  if (!is_there) return PutOurs();
  if (found->epoch == pending_.epoch && found->body == pending_.body) return AfterCheckpoint();
  return End(FencedByCheckpoint(pending_.epoch));
}

Effect StepMachine::Idle(int64_t now_ns) {
  if (stop_asked_) return End(Ok());
  phase_ = Phase::kIdling;
  return WaitUntil{now_ns + options_.idle_wait_ms * kNsPerMs};
}

Effect StepMachine::OnDone(const Status& status, int64_t now_ns) {
  switch (phase_) {
    case Phase::kRestoring:
      if (!status.ok()) return End(status);
      next_ = 0;
      return is_recovering_ ? SweepNext(now_ns) : Compute(now_ns);
    case Phase::kSweeping:
      if (!status.ok()) return End(status);
      ++next_;
      return SweepNext(now_ns);
    case Phase::kCheckpointing:
      if (status.ok()) return AfterCheckpoint();
      if (status.kind() != Kind::kConflict && status.kind() != Kind::kUnknown) {
        return Retry(status, now_ns, Phase::kCheckpointing);
      }
      if (++attempts_ > options_.attempts_max) return End(status);
      phase_ = Phase::kReadingBack;
      return LoadCheckpoint{};
    case Phase::kCommitting:
      if (!status.ok() && !IsDispensable(status)) return Retry(status, now_ns, Phase::kCommitting);
      attempts_ = 0;
      ++next_;
      return CommitNext();
    case Phase::kAcknowledging:
      if (!status.ok()) return End(status);
      return Compute(now_ns);
    case Phase::kIdling:
      return Compute(now_ns);
    case Phase::kRetryWaiting:
      return Resume(after_wait_, now_ns);
    default:
      break;
  }
  QN_CHECK(false);
}

// What may work later is tried again a bounded number of times; a step is computed again from its checkpoint.
Effect StepMachine::Retry(const Status& status, int64_t now_ns, Phase phase) {
  const bool may_help =
      status.kind() == Kind::kRetryable || (status.kind() == Kind::kUnknown && phase != Phase::kComputing);
  if (!may_help || stop_asked_ || ++attempts_ > options_.attempts_max) return End(status);
  after_wait_ = phase;
  phase_ = Phase::kRetryWaiting;
  return WaitUntil{now_ns + (options_.retry_first_ms << (attempts_ - 1)) * kNsPerMs};
}

Effect StepMachine::Resume(Phase phase, int64_t now_ns) {
  switch (phase) {
    case Phase::kComputing:
      return Restore(Phase::kRestoring);
    case Phase::kCheckpointing:
      return PutOurs();
    case Phase::kReadingBack:
      phase_ = Phase::kReadingBack;
      return LoadCheckpoint{};
    case Phase::kCommitting:
      phase_ = Phase::kCommitting;
      return CommitNext();
    default:
      break;
  }
  QN_CHECK(false);
}

Effect StepMachine::End(Status status) {
  phase_ = Phase::kFinished;
  return Finish{std::move(status)};
}

}  // namespace qn::run
