// Files are written straight into the table's folder: invisible until the log names them.
#include "app/dataset_run.h"

#include <atomic>
#include <filesystem>

namespace qn::app {
namespace {

std::string ViewPattern(Epoch epoch) { return "part-view-" + std::to_string(epoch) + "-{uuidv7}"; }

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

Status OutOfMemory(const std::string& dataset, const std::string& message) {
  return Failed("QN-3505", "The memory limit is too small for dataset '" + dataset + "'.")
      .With("DuckDB says: " + message.substr(0, message.find('\n')))
      .With("The step was not committed; everything before it is.")
      .With("Give more with --memory, or make steps smaller with --step-size.");
}

}  // namespace

std::string DeadLetterTable(const std::string& dataset) { return dataset + "__dead_letters"; }

DatasetRun::DatasetRun(const RunContext& context, const TableContext& tables, const Dataset& dataset)
    : context_(context), tables_(tables), dataset_(dataset) {}

Result<std::unique_ptr<DatasetRun>> DatasetRun::Make(const RunContext& context, const TableContext& tables,
                                                     const Dataset& dataset) {
  static std::atomic<int> next{0};
  std::unique_ptr<DatasetRun> run(new DatasetRun(context, tables, dataset));
  for (const Flow& flow : dataset.flows) {
    QN_GET(auto flow_run, FlowRun::Make(context, dataset, flow, run->dead_letters_));
    run->flows_.push_back(std::move(flow_run));
  }
  run->dead_scan_ = std::make_unique<DeadLetterScan>();
  run->dead_scan_name_ = "qn_dead_" + std::to_string(next.fetch_add(1));
  QN_TRY(duck::RegisterScan(context.connection, run->dead_scan_name_, *run->dead_scan_));
  QN_TRY(run->OpenTable());
  return run;
}

delta::DeltaOptions DatasetRun::OptionsOf(const std::string& table, const Schema& schema) const {
  delta::DeltaOptions options;
  options.folder = tables_.storage + "/" + table;
  options.app_id = "qanat/" + tables_.pipeline_id + "/" + table;
  options.name = table;
  options.schema = schema;
  return options;
}

Status DatasetRun::OpenTable() {
  if (dataset_.spec.kind == DatasetKind::kTemporaryView) {
    place_ = {tables_.storage + "/_qanat/spill/" + name(), "", dataset_.columns, {}};
    return context_.files.MakeFolder(place_.folder);
  }
  delta::DeltaOptions options = OptionsOf(name(), dataset_.columns);
  options.comment = dataset_.spec.comment;
  options.partition_cols = dataset_.spec.partition_cols;
  for (const auto& [key, value] : dataset_.spec.properties) options.properties.emplace_back(key, value);
  QN_GET(sink_, delta::DeltaSink::Open(std::move(options), tables_.world));
  place_ = {tables_.storage + "/" + name(), "", sink_->schema(), dataset_.spec.partition_cols};
  const Result<FileInfo> dead = context_.files.Stat(tables_.storage + "/" + DeadLetterTable(name()));
  return dead.ok() ? OpenDeadTable() : Ok();
}

Status DatasetRun::CheckOwner() const {
  if (sink_ == nullptr) return Ok();
  const std::string ours = "qanat/" + tables_.pipeline_id + "/" + name();
  for (const auto& [app_id, txn] : sink_->snapshot().txns) {
    if (app_id == ours || app_id.rfind("qanat/", 0) != 0) continue;
    if (sink_->snapshot().txns.count(ours) != 0) continue;
    return Invalid("QN-3204", "The table '" + name() + "' has rows of a run whose state is gone.")
        .With("table: " + place_.folder)
        .With("It was written by " + app_id + ", step " + std::to_string(txn.version) +
              "; this storage is now " + tables_.pipeline_id + ".")
        .With("Reading the sources again would store every row a second time.")
        .With("Bring back the folder _qanat of this storage, or begin again with --full-refresh all.")
        .With("Nothing was started.");
  }
  return Ok();
}

Status DatasetRun::OpenDeadTable() {
  if (dead_sink_ != nullptr) return Ok();
  delta::DeltaOptions options = OptionsOf(DeadLetterTable(name()), DeadLetterColumns());
  options.comment = "Rows that did not go into " + name() + ", each with its reason";
  QN_GET(dead_sink_, delta::DeltaSink::Open(std::move(options), tables_.world));
  return Ok();
}

void DatasetRun::AddSinks(std::map<std::string, Sink*>& sinks) {
  if (sink_ != nullptr) sinks[name()] = sink_.get();
  if (dead_sink_ != nullptr) sinks[DeadLetterTable(name())] = dead_sink_.get();
}

void DatasetRun::BeginStep(Epoch epoch) {
  epoch_ = epoch;
  staged_ = {};
  dead_staged_ = {};
  step_rows_ = {};
  step_files_ = 0;
  counts_ = {};
  dead_letters_.Take();  // of a step that failed
  place_.filename_pattern = sink_ != nullptr ? sink_->FilenamePattern(epoch) : ViewPattern(epoch);
}

Status DatasetRun::Write(FlowRun& flow, const std::string& select) {
  const int64_t began_ns = context_.clock.MonotonicNs();
  Result<std::vector<StagedFile>> files = WriteTable(context_.connection, place_, select);
  if (!files.ok()) return Retell(files.status(), flow);
  int64_t rows = 0;
  for (StagedFile& file : *files) {
    rows += static_cast<int64_t>(file.rows);
    step_rows_.files.push_back(file.path);
    step_rows_.bytes += file.bytes;
    staged_.files.push_back(std::move(file));
  }
  step_files_ = staged_.files.size() + dead_staged_.files.size();
  DatasetCounts counts = flow.Counts(rows);
  counts.seconds = Seconds(context_.clock.MonotonicNs() - began_ns);
  counts.files = static_cast<int64_t>(files->size());
  counts_.Add(counts);
  return Ok();
}

Status DatasetRun::WriteDeadLetters() {
  std::vector<DeadLetter> letters = dead_letters_.Take();
  if (letters.empty()) return Ok();
  QN_TRY(OpenDeadTable());
  dead_scan_->Set(std::move(letters), epoch_, context_.clock.WallMs());
  const TablePlace place{tables_.storage + "/" + DeadLetterTable(name()),
                         dead_sink_->FilenamePattern(epoch_),
                         dead_sink_->schema(),
                         {}};
  QN_GET(dead_staged_.files,
         WriteTable(context_.connection, place, "SELECT * FROM " + dead_scan_name_ + "()"));
  dead_scan_->Set({}, 0, 0);
  step_files_ = staged_.files.size() + dead_staged_.files.size();
  return Ok();
}

Status DatasetRun::Stage(std::map<std::string, Receipt>& receipts, std::map<std::string, Sink*>& sinks) {
  AddSinks(sinks);
  counts_.steps = has_changes() ? 1 : 0;
  staged_.replaces_all = replaces_all_;
  dead_staged_.replaces_all = replaces_all_;
  const bool is_new = sink_ != nullptr && sink_->snapshot().version < 0;
  if (sink_ != nullptr && (is_new || replaces_all_ || !staged_.files.empty())) {
    QN_GET(receipts[name()], sink_->Stage(epoch_, staged_));
  }
  if (dead_sink_ != nullptr && (replaces_all_ || !dead_staged_.files.empty())) {
    QN_GET(receipts[DeadLetterTable(name())], dead_sink_->Stage(epoch_, dead_staged_));
  }
  if (replaces_all_ || !staged_.files.empty()) data_epoch = epoch_;
  return Ok();
}

TableRows DatasetRun::RowsSince(Epoch consumed) const {
  TableRows rows = step_rows_;
  if (sink_ == nullptr || consumed >= data_epoch || replaces_all_) return rows;
  const std::string pattern = sink_->FilenamePattern(1);
  for (const auto& [path, file] : sink_->snapshot().files) {
    const Epoch epoch = EpochOfPart(path, pattern);
    // Files of somebody else carry no step: they belong to what was there before the first one that is asked
    // for.
    if (epoch > consumed || (epoch < 0 && consumed == 0)) {
      rows.files.push_back(tables_.storage + "/" + name() + "/" + path);
      rows.bytes += static_cast<uint64_t>(file->size);
    }
  }
  return rows;
}

void DatasetRun::EndStep() {
  replaces_all_ = false;
  if (sink_ != nullptr) return;
  for (const std::string& file : step_rows_.files) std::filesystem::remove(file);
}

Status DatasetRun::Maintain() {
  if (sink_ != nullptr) QN_TRY(sink_->Maintain().status());
  if (dead_sink_ != nullptr) QN_TRY(dead_sink_->Maintain().status());
  return Ok();
}

Status DatasetRun::Retell(const Status& status, const FlowRun& flow) const {
  if (!flow.failure().ok()) return flow.failure();
  const std::string& text = status.text();
  const duck::SqlError error = duck::SplitSqlError(text);
  if (error.type.rfind("INTERRUPT", 0) == 0)
    return Failed("QN-3504", "Stopped at once; the step in hand was given up.");
  if (error.type.rfind("Out of Memory", 0) == 0) return OutOfMemory(name(), error.message);
  if (text.find("No space left on device") != std::string::npos) {
    return Status(Kind::kRetryable, "QN-3101", "The disk is full.")
        .With("while writing " + place_.folder)
        .With("The step was not committed; everything before it is. Free some space and run again.");
  }
  Status told =
      Failed("QN-3502", "Dataset '" + name() + "' cannot be computed.")
          .With("at " + flow.flow().spec.where)
          .With("DuckDB says: " + error.type + ": " + error.message.substr(0, error.message.find('\n')))
          .With("The step was not committed; everything before it is.");
  if (error.type.rfind("Conversion", 0) == 0) {
    told.With(
        "Where a value may be bad, use TRY_CAST and an expectation: the row then becomes a dead letter.");
  }
  return told;
}

}  // namespace qn::app
