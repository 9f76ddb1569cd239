// Files are written straight into the table's folder: invisible until the log names them.
#include "app/dataset_run.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/crc32c.h"
#include "base/version.h"
#include "connectors/delta/schema_json.h"

namespace qn::app {
namespace {

// Version 4, from the randomness that is handed in.
std::function<std::string()> UuidOf(const std::function<uint64_t()>& random) {
  return [random] {
    const uint64_t high = (random() & 0xFFFFFFFFFFFF0FFFULL) | 0x4000ULL;
    const uint64_t low = (random() & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;
    char text[37];
    std::snprintf(text, sizeof text, "%08llx-%04llx-%04llx-%04llx-%012llx",
                  static_cast<unsigned long long>(high >> 32),
                  static_cast<unsigned long long>((high >> 16) & 0xFFFF),
                  static_cast<unsigned long long>(high & 0xFFFF), static_cast<unsigned long long>(low >> 48),
                  static_cast<unsigned long long>(low & 0xFFFFFFFFFFFF));
    return std::string(text);
  };
}

// The epoch in the name of a file that was written under `pattern_of_1`, the pattern of epoch 1
// ("part-<writer>-1-{uuidv7}"); -1 when somebody else wrote it.
Epoch EpochOfPart(const std::string& path, const std::string& pattern_of_1) {
  const std::string prefix = pattern_of_1.substr(0, pattern_of_1.rfind("1-{"));
  const size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  if (path.compare(name, prefix.size(), prefix) != 0) return -1;
  char* end = nullptr;
  const long long epoch = std::strtoll(path.c_str() + name + prefix.size(), &end, 10);
  return end != nullptr && *end == '-' ? epoch : -1;
}

std::string ViewPattern(Epoch epoch) { return "part-view-" + std::to_string(epoch) + "-{uuidv7}"; }

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

Status OutOfMemory(const std::string& dataset, const std::string& message) {
  return Failed("QN-3505", "The memory limit is too small for dataset '" + dataset + "'.")
      .With("DuckDB says: " + message.substr(0, message.find('\n')))
      .With("The step was not committed; everything before it is.")
      .With("Give more with --memory; what views remember takes half of it.");
}

}  // namespace

std::string DeadLetterTable(const std::string& dataset) { return dataset + "__dead_letters"; }

DatasetRun::DatasetRun(const RunContext& context, const TableContext& tables, const Dataset& dataset)
    : context_(context), tables_(tables), dataset_(dataset) {}

Result<std::unique_ptr<DatasetRun>> DatasetRun::Make(const RunContext& context, const TableContext& tables,
                                                     const Dataset& dataset) {
  std::unique_ptr<DatasetRun> run(new DatasetRun(context, tables, dataset));
  QN_TRY(run->OpenTable());
  for (const Flow& flow : dataset.flows) {
    QN_GET(auto flow_run, FlowRun::Make(context, dataset, flow, run->stored_, run->dead_letters_));
    run->flows_.push_back(std::move(flow_run));
  }
  if (dataset.is_weighted()) QN_TRY(run->MakeView());
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
    folder_ = tables_.storage + "/_qanat/spill/" + name();
    QN_GET(stored_, delta::StoredSchema(dataset_.columns));
    return context_.files.MakeFolder(folder_);
  }
  delta::DeltaOptions options = OptionsOf(name(), dataset_.columns);
  options.comment = dataset_.spec.comment;
  options.partition_cols = dataset_.spec.partition_cols;
  for (const auto& [key, value] : dataset_.spec.properties) options.properties.emplace_back(key, value);
  QN_GET(sink_, delta::DeltaSink::Open(std::move(options), tables_.world));
  folder_ = tables_.storage + "/" + name();
  stored_ = sink_->schema();
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
        .With("table: " + folder_)
        .With("It was written by " + app_id + ", step " + std::to_string(txn.version) +
              "; this storage is now " + tables_.pipeline_id + ".")
        .With("Reading the sources again would store every row a second time.")
        .With("Bring back the folder _qanat of this storage, or begin again with --full-refresh-all.")
        .With("Nothing was started.");
  }
  return Ok();
}

Status DatasetRun::CheckStep() const {
  if (sink_ == nullptr) return Ok();
  const auto& txns = sink_->snapshot().txns;
  const auto ours = txns.find("qanat/" + tables_.pipeline_id + "/" + name());
  const Epoch found = ours == txns.end() ? 0 : ours->second.version;
  if (found >= data_epoch) return Ok();
  return Failed("QN-3303", "Table '" + folder_ + "' is not where the checkpoint left it.")
      .With("Its last step was " + std::to_string(data_epoch) + "; the table has step " +
            std::to_string(found) + " of this pipeline.")
      .With("Was the table deleted, restored or copied? Going on would lose rows, so nothing was done.")
      .With("Restore table and storage from the same moment, or rebuild with --full-refresh " + name() + ".");
}

Status DatasetRun::OpenDeadTable() {
  if (dead_sink_ != nullptr) return Ok();
  delta::DeltaOptions options = OptionsOf(DeadLetterTable(name()), DeadLetterColumns());
  options.comment = "Rows that did not go into " + name() + ", each with its reason";
  QN_GET(auto sink, delta::DeltaSink::Open(std::move(options), tables_.world));
  const std::lock_guard lock(dead_sink_mutex_);
  dead_sink_ = std::move(sink);
  return Ok();
}

void DatasetRun::AddSinks(std::map<std::string, Sink*>& sinks) {
  if (sink_ != nullptr) sinks[name()] = sink_.get();
  if (dead_sink_ != nullptr) sinks[DeadLetterTable(name())] = dead_sink_.get();
}

void DatasetRun::BeginStep(Epoch epoch) {
  epoch_ = epoch;
  committed_epoch_ = data_epoch;
  if (sink_ != nullptr)
    known_version_ = std::min(known_version_, sink_->snapshot().version);  // a failed step
  replaces_all_ = false;                                                   // of a step that failed
  staged_ = {};
  dead_staged_ = {};
  step_rows_ = {};
  view_change_.Clear();
  step_files_ = 0;
  counts_ = {};
  dead_letters_.BeginStep(epoch, context_.clock.WallMs());
  if (writer_ != nullptr) writer_->Abandon();
  writer_ = nullptr;
}

parquet::WriterOptions DatasetRun::WriterOptionsOf(const std::string& folder, const std::string& pattern,
                                                   const Schema& columns) const {
  parquet::WriterOptions options;
  options.folder = folder;
  options.file_prefix = pattern.substr(0, pattern.find('{'));
  options.new_id = UuidOf(tables_.world.random);
  options.columns = columns;
  options.created_by = WriterName();
  return options;
}

// On the thread that found the first bad row.
Result<std::unique_ptr<parquet::PartitionedWriter>> DatasetRun::OpenDeadWriter() {
  QN_TRY(OpenDeadTable());
  parquet::WriterOptions options = WriterOptionsOf(tables_.storage + "/" + DeadLetterTable(name()),
                                                   dead_sink_->FilenamePattern(epoch_), dead_sink_->schema());
  options.thread_bytes_max = DeadLetters::kWriterBytesMax;
  return parquet::PartitionedWriter::Make(std::move(options));
}

Status DatasetRun::Write(FlowRun& flow, const std::function<Result<std::string>()>& statement) {
  const int64_t began_ns = context_.clock.MonotonicNs();
  if (writer_ == nullptr && view_table_ == nullptr) {
    const std::string pattern = sink_ != nullptr ? sink_->FilenamePattern(epoch_) : ViewPattern(epoch_);
    parquet::WriterOptions options = WriterOptionsOf(folder_, pattern, stored_);
    options.partition_cols = dataset_.spec.partition_cols;
    QN_GET(writer_, parquet::PartitionedWriter::Make(std::move(options)));
  }
  flow.SetWriter(writer_.get());
  if (context_.stop_now != nullptr && context_.stop_now->load()) {
    return Failed("QN-3504", "Stopped at once; the step in hand was given up.");
  }
  const Result<std::string> sql = statement();
  if (!sql.ok() && sql.status().code() != "QN-1801") return sql.status();
  const Status status = !sql.ok()      ? sql.status()
                        : sql->empty() ? Ok()
                                       : context_.connection.Query(*sql).status();
  if (!status.ok()) return Retell(status, flow);
  if (view_table_ != nullptr) flow.MoveChangeTo(view_change_);
  DatasetCounts counts = flow.Counts();
  counts.seconds = Seconds(context_.clock.MonotonicNs() - began_ns);
  counts_.Add(counts);
  return Ok();
}

Status DatasetRun::FinishWriting() {
  const int64_t began_ns = context_.clock.MonotonicNs();
  if (writer_ != nullptr) {
    QN_GET(staged_.files, writer_->Finish());
    writer_ = nullptr;
  }
  if (view_table_ != nullptr) {
    QN_GET(staged_, view_table_->Apply(view_change_, epoch_, replaces_all_));
    view_scan_->Set(&view_change_);
  }
  for (const StagedFile& file : staged_.files) {
    step_rows_.files.push_back(file.path);
    step_rows_.bytes += file.bytes;
  }
  QN_GET(dead_staged_.files, dead_letters_.Finish());
  step_files_ = staged_.files.size() + staged_.removes.size() + dead_staged_.files.size();
  counts_.files = static_cast<int64_t>(staged_.files.size());
  counts_.seconds += Seconds(context_.clock.MonotonicNs() - began_ns);
  return Ok();
}

Status DatasetRun::Stage(std::map<std::string, Receipt>& receipts, std::map<std::string, Sink*>& sinks) {
  AddSinks(sinks);
  counts_.steps = has_changes() ? 1 : 0;
  staged_.replaces_all = replaces_all_;
  dead_staged_.replaces_all = replaces_all_;
  const bool is_new = sink_ != nullptr && sink_->snapshot().version < 0;
  if (sink_ != nullptr && (is_new || HasNewRows())) {
    QN_GET(receipts[name()], sink_->Stage(epoch_, staged_));
  }
  if (dead_sink_ != nullptr && (replaces_all_ || !dead_staged_.files.empty())) {
    QN_GET(receipts[DeadLetterTable(name())], dead_sink_->Stage(epoch_, dead_staged_));
  }
  if (HasNewRows()) {
    data_epoch = epoch_;
    ++known_version_;  // the entry that this step will write
  }
  return Ok();
}

TableRows DatasetRun::RowsSince(Epoch consumed) const {
  TableRows rows = step_rows_;
  if (sink_ == nullptr || replaces_all_) return rows;
  if (consumed > 0 && consumed >= data_epoch) return rows;
  const std::string pattern = sink_->FilenamePattern(1);
  for (const auto& [path, file] : sink_->snapshot().files) {
    const auto& removed = staged_.removes;
    if (std::find(removed.begin(), removed.end(), path) != removed.end()) continue;
    const Epoch epoch = EpochOfPart(path, pattern);
    // Files of somebody else carry no step: they belong to what was there before the first one that is asked
    // for.
    if (epoch > consumed || (epoch < 0 && consumed == 0)) {
      rows.files.push_back(tables_.storage + "/" + name() + "/" + path);
      rows.bytes += static_cast<uint64_t>(file->size);
      rows.has_old_files = true;
    }
  }
  return rows;
}

// How far event time has come in the flows that have it. Those that have ended stand still.
void DatasetRun::SetTime(Change& change) const {
  LeastTime least;
  for (const auto& flow : flows_) {
    if (!dataset_.has_event_time || !flow->flow().has_event_time) continue;
    least.Add(flow->OutputWatermarkUs(), flow->is_finished() || flow->IsIdle());
  }
  if (!least.has_any()) return;
  change.is_idle = !least.moves();
  change.watermark_us = least.time_us();
}

Change DatasetRun::ChangeSince(Epoch consumed) {
  Change change;
  SetTime(change);
  if (view_table_ == nullptr) {
    change.rows = RowsSince(consumed);
    change.is_behind = consumed > 0 && consumed < committed_epoch_;
    change.foreign = ForeignFiles();
    return change;
  }
  change.scan = view_scan_name_ + "()";
  change.has_scan_rows = !view_change_.rows.empty();
  // Who begins has the whole table before it; the others have followed every step.
  if (consumed > 0 || replaces_all_) return change;
  for (const auto& [path, file] : sink_->snapshot().files) {
    change.rows.files.push_back(folder_ + "/" + path);
    change.rows.bytes += static_cast<uint64_t>(file->size);
    change.rows.has_old_files = true;
  }
  return change;
}

// Names of files without a step of ours, as one short text.
// Looked for only when the table has an entry that is not ours.
const std::string& DatasetRun::ForeignFiles() {
  if (sink_ == nullptr || sink_->snapshot().version <= known_version_) return foreign_files_;
  known_version_ = sink_->snapshot().version;
  const std::string pattern = sink_->FilenamePattern(1);
  std::string names;
  for (const auto& [path, file] : sink_->snapshot().files) {
    if (EpochOfPart(path, pattern) < 0) names += path + "\n";
  }
  foreign_files_ = names.empty() ? names : std::to_string(Crc32c(names)) + "/" + std::to_string(names.size());
  return foreign_files_;
}

Status DatasetRun::MakeView() {
  ViewTable::Options options;
  options.name = name();
  options.folder = folder_;
  options.partition_cols = dataset_.spec.partition_cols;
  options.keys = dataset_.spec.keys;
  options.new_id = UuidOf(tables_.world.random);
  QN_GET(view_table_, ViewTable::Make(context_.connection, *sink_, std::move(options)));
  view_scan_name_ = UniqueName("view");
  view_scan_ =
      std::make_unique<ops::DeltaScan>(stored_, duck::RowCodec(TypesOf(stored_), duck::Encoding::kRow),
                                       duck::RowCodec({}, duck::Encoding::kRow), true);
  QN_TRY(duck::RegisterScan(context_.connection, view_scan_name_, *view_scan_));
  return Ok();
}

void DatasetRun::EndStep() {
  replaces_all_ = false;
  if (view_table_ != nullptr) {
    view_scan_->Set(nullptr);
    view_change_.Clear();
  }
  if (sink_ != nullptr) return;
  for (const std::string& file : step_rows_.files) std::filesystem::remove(file);
}

Status DatasetRun::Maintain() {
  if (sink_ != nullptr) QN_TRY(sink_->Maintain().status());
  delta::DeltaSink* dead = nullptr;
  {
    const std::lock_guard lock(dead_sink_mutex_);
    dead = dead_sink_.get();
  }
  if (dead != nullptr) QN_TRY(dead->Maintain().status());
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
        .With("while writing " + folder_)
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
