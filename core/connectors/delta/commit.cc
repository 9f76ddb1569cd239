// Every path through here is a case of commit_test.cc.
#include "connectors/delta/commit.h"

#include <algorithm>
#include <ctime>

#include "connectors/delta/path.h"

namespace qn::delta {
namespace {

constexpr int64_t kReceiptFormat = 2;
constexpr int64_t kReceiptFormatPlain = 1;  // without removes: an older Qanat can carry it out

std::string UtcText(int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

// "by 'Spark 4.0' at 2026-01-02 03:04:05 UTC", as far as it is known.
std::string WhoWhen(const std::string& writer, int64_t written_ms) {
  std::string out = "by " + (writer.empty() ? std::string("an unnamed writer") : "'" + writer + "'");
  if (written_ms > 0) out += " at " + UtcText(written_ms);
  return out;
}

const Txn* FindTxn(const Entry& entry, const std::string& app_id) {
  for (const Txn& txn : entry.txns) {
    if (txn.app_id == app_id) return &txn;
  }
  return nullptr;
}

const char* OutputMode(const CommitPlan& plan) {
  if (plan.replaces_all) return "Complete";
  return plan.removes.empty() ? "Append" : "Update";
}

Json CommitInfo(const CommitPlan& plan, const std::string& engine, size_t removed, int64_t now_ms) {
  // Spark wants operation parameters and metrics as text.
  Json parameters;
  parameters.Set("outputMode", OutputMode(plan));
  parameters.Set("queryId", plan.app_id);
  parameters.Set("epochId", std::to_string(plan.epoch));
  parameters.Set("follows", std::to_string(plan.follows));
  Json metrics;
  metrics.Set("numAddedFiles", std::to_string(plan.adds.size()));
  metrics.Set("numRemovedFiles", std::to_string(removed));
  metrics.Set("numOutputRows", std::to_string(plan.rows));
  metrics.Set("numOutputBytes", std::to_string(plan.bytes));
  Json info;
  info.Set("timestamp", now_ms);
  info.Set("operation", "STREAMING UPDATE");
  info.Set("operationParameters", std::move(parameters));
  info.Set("operationMetrics", std::move(metrics));
  info.Set("isolationLevel", "Serializable");
  info.Set("isBlindAppend", !plan.replaces_all && plan.removes.empty());
  info.Set("engineInfo", engine);
  info.Set("txnId", plan.commit_id);
  Json action;
  action.Set("commitInfo", std::move(info));
  return action;
}

void AddLine(const Json& action, std::string& out) {
  action.DumpTo(out);
  out += '\n';
}

}  // namespace

Receipt ReceiptOf(const CommitPlan& plan) {
  Json adds = Json::Array{};
  for (const AddFile& add : plan.adds) adds.Push(ToAction(add));
  Json json;
  json.Set("delta_receipt", plan.removes.empty() && plan.cdcs.empty() ? kReceiptFormatPlain : kReceiptFormat);
  json.Set("app_id", plan.app_id);
  json.Set("epoch", plan.epoch);
  json.Set("follows", plan.follows);
  json.Set("commit_id", plan.commit_id);
  json.Set("replaces_all", plan.replaces_all);
  json.Set("rows", plan.rows);
  json.Set("bytes", plan.bytes);
  json.Set("adds", std::move(adds));
  if (!plan.removes.empty()) {
    Json removes = Json::Array{};
    for (const std::string& path : plan.removes) removes.Push(path);
    json.Set("removes", std::move(removes));
  }
  if (!plan.cdcs.empty()) {
    Json cdcs = Json::Array{};
    for (const CdcFile& cdc : plan.cdcs) cdcs.Push(ToAction(cdc));
    json.Set("cdcs", std::move(cdcs));
  }
  if (plan.protocol) json.Set("protocol", ToAction(*plan.protocol));
  if (plan.metadata) json.Set("metadata", ToAction(*plan.metadata));
  return json;
}

Result<CommitPlan> PlanOf(const Receipt& receipt) {
  const int64_t format = receipt["delta_receipt"].Int();
  if (format < kReceiptFormatPlain || format > kReceiptFormat) {
    return Invalid("QN-3315", "The checkpoint holds a commit that this Qanat cannot carry out.")
        .With(format > kReceiptFormat ? "A newer Qanat wrote it." : "It is not a commit to a Delta table.")
        .With("Run the Qanat that wrote it once, until it ends. Nothing was changed.");
  }
  CommitPlan plan;
  plan.app_id = receipt["app_id"].Str();
  plan.epoch = receipt["epoch"].Int();
  plan.follows = receipt["follows"].Int();
  plan.commit_id = receipt["commit_id"].Str();
  plan.replaces_all = receipt["replaces_all"].Bool();
  plan.rows = receipt["rows"].Uint();
  plan.bytes = receipt["bytes"].Uint();
  Entry entry;
  for (const Json& add : receipt["adds"].Items()) QN_TRY(AddAction(add, entry));
  for (const Json& cdc : receipt["cdcs"].Items()) QN_TRY(AddAction(cdc, entry));
  if (!receipt["protocol"].IsNull()) QN_TRY(AddAction(receipt["protocol"], entry));
  if (!receipt["metadata"].IsNull()) QN_TRY(AddAction(receipt["metadata"], entry));
  plan.adds = std::move(entry.adds);
  plan.cdcs = std::move(entry.cdcs);
  for (const Json& path : receipt["removes"].Items()) plan.removes.push_back(path.Str());
  plan.protocol = std::move(entry.protocol);
  plan.metadata = std::move(entry.metadata);
  return plan;
}

CommitMachine::CommitMachine(const CommitPlan& plan, Snapshot& snapshot, std::string table,
                             std::string engine)
    : plan_(plan), snapshot_(snapshot), table_(std::move(table)), engine_(std::move(engine)) {}

CommitEffect CommitMachine::Step(const CommitEvent& event) {
  using What = CommitEvent::What;
  switch (event.what) {
    case What::kStart:
      QN_CHECK(state_ == State::kNew);
      return Judge(false, event.now_ms);
    case What::kEntry:
      QN_CHECK(state_ == State::kReading || state_ == State::kSettling);
      return OnEntry(event);
    case What::kReadFailed:
      QN_CHECK(state_ == State::kReading || state_ == State::kSettling);
      if (put_text_.empty()) return Fail(event.status);
      return Fail(Status(Kind::kUnknown, "QN-3308",
                         "Whether step " + std::to_string(plan_.epoch) + " was committed to '" + table_ +
                             "' is not known.")
                      .With(event.status.text())
                      .With("Start again: the table is read and the step is committed exactly once."));
    case What::kPut:
      QN_CHECK(state_ == State::kPutting);
      return OnPut(event);
  }
  QN_CHECK(false);
  return {};
}

CommitEffect CommitMachine::OnEntry(const CommitEvent& event) {
  if (event.text.has_value()) {
    const int64_t version = snapshot_.version + 1;
    const Result<Entry> entry = ParseEntry(version, *event.text);
    if (!entry.ok()) return Fail(entry.status());
    if (IsOwn(*entry)) {
      if (Status applied = ApplyEntry(snapshot_, version, *entry); !applied.ok())
        return Fail(std::move(applied));
      // After a put of this machine it is that put which landed; before, an earlier run's.
      return Done(put_text_.empty());
    }
    return TakeForeign(*entry);
  }
  if (state_ == State::kSettling && ++unknowns_ >= kUnknownsMax) {
    return Fail(
        Status(Kind::kUnknown, "QN-3308",
               "Whether step " + std::to_string(plan_.epoch) + " will be in '" + table_ + "' is not known.")
            .With("The store did not say how " + std::to_string(unknowns_) +
                  " attempts ended, and has no entry yet.")
            .With("Start again: the table is read and the step is committed exactly once."));
  }
  return Judge(true, event.now_ms);
}

CommitEffect CommitMachine::OnPut(const CommitEvent& event) {
  switch (event.status.kind()) {
    case Kind::kOk: {
      const int64_t version = snapshot_.version + 1;
      const Result<Entry> entry = ParseEntry(version, put_text_);
      QN_CHECK(entry.ok());
      if (Status applied = ApplyEntry(snapshot_, version, *entry); !applied.ok())
        return Fail(std::move(applied));
      return Done(false);
    }
    case Kind::kConflict:
      if (++conflicts_ > kRebasesMax) return TooBusy();
      return Read(State::kReading);
    case Kind::kUnknown:
      return Read(State::kSettling);
    default:
      return Fail(event.status);
  }
}

CommitEffect CommitMachine::TooBusy() {
  return Fail(
      Status(Kind::kRetryable, "QN-3314", "Table '" + table_ + "' is too busy to commit to.")
          .With("Others committed " + std::to_string(kRebasesMax) + " times while we tried to commit step " +
                std::to_string(plan_.epoch) + ".")
          .With("Staged files are kept: starting again commits the step without reading anything again."));
}

CommitEffect CommitMachine::TakeForeign(const Entry& entry) {
  if (++rebases_ > kRebasesMax) return TooBusy();
  const std::string who =
      WhoWhen(entry.commit_info["engineInfo"].Str(), entry.commit_info["timestamp"].Int());
  const Txn* txn = FindTxn(entry, plan_.app_id);
  if (txn != nullptr && txn->version >= plan_.epoch) {
    return Fail(Fenced(
        {txn->version, "", entry.commit_info["engineInfo"].Str(), entry.commit_info["timestamp"].Int()}));
  }
  bool removes_data = false;
  for (const RemoveFile& remove : entry.removes) removes_data = removes_data || remove.data_change;
  const char* change = entry.protocol || entry.metadata     ? "changed its schema, properties or protocol"
                       : plan_.replaces_all && removes_data ? "removed rows that we are replacing"
                                                            : nullptr;
  if (change != nullptr) {
    return Fail(
        Failed("QN-3302", "Table '" + table_ + "' was changed by somebody else.")
            .With("Its version " + std::to_string(snapshot_.version + 1) + ", written " + who + ", " +
                  change + ".")
            .With("Step " + std::to_string(plan_.epoch) + " was not committed; its staged files are kept.")
            .With("If that change was meant, start again: the step is then committed on top of it."));
  }
  if (Status applied = ApplyEntry(snapshot_, snapshot_.version + 1, entry); !applied.ok())
    return Fail(std::move(applied));
  if (!HasRemoves()) return Fail(Rewritten(who));
  return Read(State::kReading);
}

CommitEffect CommitMachine::Judge(bool caught_up, int64_t now_ms) {
  const auto found = snapshot_.txns.find(plan_.app_id);
  const TxnState txn = found == snapshot_.txns.end() ? TxnState{} : found->second;
  if (txn.version >= plan_.epoch) return IsCommitted(txn) ? Done(true) : Fail(Fenced(txn));
  if (!caught_up) return Read(State::kReading);
  if (txn.version != plan_.follows || (snapshot_.version < 0 && plan_.Writes() && !plan_.metadata)) {
    return Fail(Elsewhere(txn.version));
  }
  if (!HasRemoves()) return Fail(Rewritten(""));
  return plan_.Writes() ? Put(now_ms) : Done(false);
}

CommitEffect CommitMachine::Read(State state) {
  state_ = state;
  CommitEffect effect;
  effect.what = CommitEffect::What::kRead;
  effect.version = snapshot_.version + 1;
  return effect;
}

CommitEffect CommitMachine::Put(int64_t now_ms) {
  state_ = State::kPutting;
  put_text_ = Compose(now_ms);
  CommitEffect effect;
  effect.what = CommitEffect::What::kPut;
  effect.version = snapshot_.version + 1;
  effect.text = put_text_;
  return effect;
}

CommitEffect CommitMachine::Done(bool already) {
  state_ = State::kEnded;
  CommitEffect effect;
  effect.what = CommitEffect::What::kDone;
  effect.version = snapshot_.version;
  effect.already = already;
  return effect;
}

CommitEffect CommitMachine::Fail(Status status) {
  state_ = State::kEnded;
  CommitEffect effect;
  effect.status = std::move(status);
  return effect;
}

bool CommitMachine::IsOwn(const Entry& entry) const {
  const Txn* txn = FindTxn(entry, plan_.app_id);
  return txn != nullptr && txn->version == plan_.epoch && plan_.Writes() &&
         entry.commit_info["txnId"].Str() == plan_.commit_id;
}

// Data file names hold a UUID: a table that knows them has had this commit, even if it has compacted them
// since.
bool CommitMachine::HasOurFiles() const {
  for (const AddFile& add : plan_.adds) {
    const Result<std::string> path = DecodePath(add.path);
    if (!path.ok() || (snapshot_.files.count(*path) == 0 && snapshot_.tombstones.count(*path) == 0))
      return false;
  }
  return !plan_.adds.empty();
}

// Whether the table still has every file that the step removes.
bool CommitMachine::HasRemoves() const {
  return std::all_of(plan_.removes.begin(), plan_.removes.end(),
                     [this](const std::string& path) { return snapshot_.files.count(path) != 0; });
}

bool CommitMachine::IsCommitted(const TxnState& txn) const {
  if (txn.version == plan_.epoch && !txn.commit_id.empty())
    return plan_.Writes() && txn.commit_id == plan_.commit_id;
  if (HasOurFiles()) return true;
  // The txn came from a log checkpoint, which keeps no commit ids, and this commit has no file to know it by.
  return txn.version == plan_.epoch && plan_.Writes() && plan_.adds.empty();
}

Status CommitMachine::Fenced(const TxnState& txn) const {
  return Status(Kind::kConflict, "QN-3301", "Another run of this pipeline writes table '" + table_ + "'.")
      .With("We tried to commit step " + std::to_string(plan_.epoch) + "; the table has step " +
            std::to_string(txn.version) + " of this pipeline already, with other files, committed " +
            WhoWhen(txn.writer, txn.written_ms) + ".")
      .With("Nothing of our step was made visible.")
      .With(
          "Stop the other run. If there is none, the checkpoints are older than the table (restored from a "
          "copy?): "
          "rebuild with --full-refresh.");
}

Status CommitMachine::Elsewhere(Epoch found) const {
  return Failed("QN-3303", "Table '" + table_ + "' is not where the checkpoint left it.")
      .With("Step " + std::to_string(plan_.epoch) + " follows step " + std::to_string(plan_.follows) +
            "; the table (version " + std::to_string(snapshot_.version) + ") has step " +
            std::to_string(found) + " of this pipeline.")
      .With(
          "Was the table deleted, restored or copied? Committing would lose or double rows, so nothing was "
          "done.")
      .With("Restore table and storage from the same moment, or rebuild with --full-refresh.");
}

Status CommitMachine::Rewritten(const std::string& by) const {
  return Status(Kind::kConflict, "QN-3319",
                "Files of table '" + table_ + "' that step " + std::to_string(plan_.epoch) +
                    " rewrites were rewritten by somebody else.")
      .With(by.empty()
                ? "The table (version " + std::to_string(snapshot_.version) + ") has them no longer."
                : "Its version " + std::to_string(snapshot_.version) + ", written " + by + ", removed them.")
      .With("Committing would store rows twice, so nothing of the step was made visible.")
      .With(
          "Stop the other writer while the pipeline runs, and rebuild the dataset with --full-refresh and "
          "its name.");
}

std::string CommitMachine::Compose(int64_t now_ms) const {
  std::string out;
  const size_t removed = plan_.replaces_all ? snapshot_.files.size() : plan_.removes.size();
  AddLine(CommitInfo(plan_, engine_, removed, now_ms), out);
  if (plan_.protocol && (snapshot_.version < 0 || *plan_.protocol != snapshot_.protocol)) {
    AddLine(ToAction(*plan_.protocol), out);
  }
  if (plan_.metadata) {
    Metadata metadata = *plan_.metadata;
    if (snapshot_.version >= 0) {
      metadata.id = snapshot_.metadata.id;
      metadata.created_ms = snapshot_.metadata.created_ms;
    }
    if (snapshot_.version < 0 || metadata != snapshot_.metadata) AddLine(ToAction(metadata), out);
  }
  AddLine(ToAction(Txn{plan_.app_id, plan_.epoch, now_ms}), out);
  const auto remove = [&](const AddFile& file) {
    AddLine(ToAction(RemoveFile{file.path, now_ms, true, true, file.partition, file.size}), out);
  };
  if (plan_.replaces_all) {
    for (const auto& [path, file] : snapshot_.files) remove(*file);
  }
  for (const std::string& path : plan_.removes) remove(*snapshot_.files.at(path));
  for (const AddFile& add : plan_.adds) AddLine(ToAction(add), out);
  for (const CdcFile& cdc : plan_.cdcs) AddLine(ToAction(cdc), out);
  return out;
}

}  // namespace qn::delta
