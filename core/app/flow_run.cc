// Builds SQL around fragments. Names of functions are unique in a run: a counter in the context's database.
#include "app/flow_run.h"

#include <algorithm>
#include <limits>

#include "app/columns.h"
#include "app/flow_input.h"
#include "app/watermark.h"
#include "connectors/files/files_reader.h"

namespace qn::app {
namespace {

std::string FileList(const std::vector<std::string>& files) {
  std::string list = "[";
  for (const std::string& file : files) list += (list.size() > 1 ? ", " : "") + QuoteFile(file);
  return list + "]";
}

std::string ColumnList(const Schema& columns) {
  std::string list;
  for (const Field& field : columns) list += (list.empty() ? "" : ", ") + QuoteName(field.name);
  return list;
}

constexpr const char* kPlainNames = ", hive_partitioning = false";

constexpr const char* kNoHidden =
    "NULL::BLOB AS __qn_raw, NULL::UINTEGER AS __qn_file, NULL::BIGINT AS __qn_line";

Result<FileOrder> OrderOf(const SourceSpec& spec) {
  if (spec.order == "name") return FileOrder::kName;
  if (spec.order == "modified") return FileOrder::kModified;
  if (spec.order == "event_time") return FileOrder::kEventTime;
  return Invalid("QN-1191", "There is no order '" + spec.order + "' of files.")
      .With("at " + spec.where)
      .With("Orders: name, modified, event_time")
      .With("Nothing was started.");
}

}  // namespace

std::string RowsSql(const TableRows& rows, const Schema& columns) {
  std::string list;
  for (const Field& field : columns) {
    const std::string value = rows.files.empty() ? "NULL" : QuoteName(field.name);
    list += (list.empty() ? "" : ", ") + value + "::" + field.type.ToSql() + " AS " + QuoteName(field.name);
  }
  if (rows.files.empty()) return "SELECT " + list + " WHERE false";
  const std::string files = "read_parquet(" + FileList(rows.files) + kPlainNames;
  if (!rows.has_old_files) return "SELECT " + list + " FROM " + files + ")";
  return "SELECT " + list + " FROM (" + RowsSql({}, columns) + " UNION ALL BY NAME FROM " + files +
         ", union_by_name = true))";
}

FlowRun::FlowRun(const RunContext& context, const Dataset& dataset, const Flow& flow, const Schema& stored,
                 DeadLetters& dead_letters)
    : context_(context), dataset_(dataset), flow_(flow), stored_(stored), dead_letters_(dead_letters) {}

FlowRun::~FlowRun() {
  if (context_.interrupts != nullptr) context_.interrupts->Remove(function_connection_.get());
}

Result<std::unique_ptr<FlowRun>> FlowRun::Make(const RunContext& context, const Dataset& dataset,
                                               const Flow& flow, const Schema& stored,
                                               DeadLetters& dead_letters) {
  std::unique_ptr<FlowRun> run(new FlowRun(context, dataset, flow, stored, dead_letters));
  QN_TRY(run->MakeInputs());
  run->patterns_ = flow.patterns;
  for (ops::PatternCall& call : run->patterns_) QN_TRY(call.Register(context.connection));
  if (flow.answer.has_value()) QN_TRY(run->MakeFunction());
  if (flow.circuit.has_value()) {
    QN_GET(run->circuit_, CircuitRun::Make(context.connection, context.clock, flow, *context.budget));
  }
  QN_TRY(run->MakeSink());
  return run;
}

Status FlowRun::MakeInputs() {
  for (const std::string& name : flow_.query.inputs) {
    auto input = std::make_unique<Input>();
    input->name = name;
    input->source = context_.pipeline.FindSource(name);
    input->upstream = context_.pipeline.FindDataset(name);
    if (input->source == nullptr && input->upstream == nullptr) continue;  // a reference
    if (input->source != nullptr) QN_TRY(MakeScan(*input));
    inputs_.push_back(std::move(input));
  }
  return Ok();
}

Status FlowRun::MakeScan(Input& input) {
  const Source& source = *input.source;
  input.watermark = Watermark(source.watermark_delay_us);
  if (source.format == nullptr) return Ok();
  input.scan_name = UniqueName("scan");
  input.scan = std::make_unique<LineScan>(source.spec.name, source.columns, *source.format,
                                          source.event_time_column, context_.threads, dead_letters_);
  return duck::RegisterScan(context_.connection, input.scan_name, *input.scan);
}

Status FlowRun::MakeFunction() {
  QN_CHECK(context_.functions != nullptr);
  QN_GET(function_connection_, context_.database.Connect());
  if (context_.interrupts != nullptr) context_.interrupts->Add(*function_connection_);
  function_ =
      std::make_unique<FunctionScan>(dataset_.spec.name, flow_.spec.function.id, flow_.function_columns,
                                     *function_connection_, *context_.functions, dead_letters_);
  function_name_ = UniqueName("function");
  return duck::RegisterScan(context_.connection, function_name_, *function_);
}

Status FlowRun::MakeSink() {
  if (has_rules()) {
    const std::string source = inputs_.empty() ? dataset_.spec.name : inputs_[0]->name;
    keep_ = std::make_unique<Keep>(dataset_.spec.name, source, dataset_.spec.expectations, dead_letters_);
  }
  if (flow_.window.has_value()) {
    late_sink_ =
        std::make_unique<LateSink>(inputs_.empty() ? dataset_.spec.name : inputs_[0]->name, dead_letters_);
    late_sink_name_ = UniqueName("late");
    QN_TRY(duck::RegisterRowSink(context_.connection, late_sink_name_, LateSink::Arguments(), *late_sink_));
  }
  sink_ = std::make_unique<TableSink>(keep_.get());
  sink_name_ = UniqueName("sink");
  if (dataset_.is_weighted()) {
    view_sink_ = std::make_unique<ViewSink>(keep_.get(), stored_, *context_.budget);
    return duck::RegisterRowSink(context_.connection, sink_name_, view_sink_->Arguments(), *view_sink_);
  }
  return duck::RegisterRowSink(context_.connection, sink_name_, sink_->Arguments(stored_), *sink_);
}

Result<std::optional<int64_t>> FlowRun::PeekEventTime(const Source& source, const std::string& path) {
  const std::string column = QuoteName(source.spec.event_time) + "::" +
                             source.columns[static_cast<size_t>(source.event_time_column)].type.ToSql();
  if (source.format == nullptr) {
    QN_GET(const duck::Rows rows,
           context_.connection.Query("SELECT epoch_us(min(" + column + ")) FROM read_parquet(" +
                                     QuoteFile(path) + kPlainNames + ")"));
    if (rows.rows[0][0].IsNull()) return std::optional<int64_t>();
    return std::optional<int64_t>(rows.rows[0][0].Int());
  }
  QN_GET(const std::optional<Block> block, FirstRecords(context_.files, source.format->Splitter(), path));
  if (!block.has_value()) return std::optional<int64_t>();
  return FirstEventTime(source, *block);
}

// Of the slice; reads one column.
Result<int64_t> FlowRun::ParquetTimeMax(const Input& input) {
  const Source& source = *input.source;
  TableRows rows;
  for (const ParquetPart& part : input.slice->Parquet()) rows.files.push_back(part.path);
  const std::string column = QuoteName(source.spec.event_time) + "::" +
                             source.columns[static_cast<size_t>(source.event_time_column)].type.ToSql();
  QN_GET(const duck::Rows found,
         context_.connection.Query("SELECT epoch_us(max(" + column + ") FILTER (isfinite(" + column +
                                   "))) FROM read_parquet(" + FileList(rows.files) + kPlainNames + ")"));
  return found.rows[0][0].IsNull() ? std::numeric_limits<int64_t>::min() : found.rows[0][0].Int();
}

Status FlowRun::OpenReader(Input& input, const Json& position) {
  const Source& source = *input.source;
  FilesOptions options;
  options.glob = source.spec.glob;
  QN_GET(options.order, OrderOf(source.spec));
  options.is_continuous = context_.is_continuous;
  if (source.spec.record_bytes_max > 0) options.record_bytes_max = source.spec.record_bytes_max;
  options.clock = &context_.clock;
  EventTimePeek peek;
  if (source.event_time_column >= 0) {
    peek = [this, &source](const std::string& path) { return PeekEventTime(source, path); };
  }
  const RecordSplitter* splitter = source.format != nullptr ? &source.format->Splitter() : nullptr;
  QN_GET(input.reader, OpenFilesReader(context_.files, options, splitter, peek, position, context_.warn));
  return Ok();
}

Status FlowRun::Restore(const Json& state) {
  ClearCounts();
  is_finished_ = state["finished"].Bool();
  watermark_us_ = state["watermark_us"].Int(ops::kNoTime);
  for (const auto& input : inputs_) {
    const Json& saved = state["inputs"][input->name];
    input->slice = nullptr;
    input->change = {};
    input->consumed = saved["consumed"].Int();
    input->consumed_next = input->consumed;
    input->foreign = saved["foreign"].Str();
    input->upstream_us = saved["upstream_us"].Int(ops::kNoTime);
    if (input->source == nullptr) continue;
    input->watermark.Restore(saved["watermark"]);
    input->last_rows_ms = saved["last_rows_ms"].Int(context_.clock.WallMs());
    input->is_idle = false;
    if (is_streaming()) QN_TRY(OpenReader(*input, saved["position"]));
  }
  if (circuit_ != nullptr) {
    circuit_->Clear();
    if (state["circuit"]["started"].Bool()) circuit_->SetStarted();
  }
  return Ok();
}

Result<Json> FlowRun::State() const {
  Json inputs{Json::Object{}};
  for (const auto& input : inputs_) {
    Json saved{Json::Object{}};
    if (input->reader != nullptr && is_streaming()) {
      QN_GET(Json position, input->reader->Tell());
      saved.Set("position", std::move(position));
      saved.Set("watermark", input->watermark.ToJson());
      if (input->source->idle_timeout_us >= 0) saved.Set("last_rows_ms", input->last_rows_ms);
    }
    if (input->upstream != nullptr) {
      saved.Set("consumed", input->consumed_next);
      saved.Set("foreign", input->foreign);
      if (input->upstream_us != ops::kNoTime) saved.Set("upstream_us", input->upstream_us);
    }
    inputs.Set(input->name, std::move(saved));
  }
  Json state(Json::Object{{"finished", is_finished_}, {"inputs", std::move(inputs)}});
  const int64_t watermark_us = WatermarkUs();
  if (watermark_us != ops::kNoTime) state.Set("watermark_us", watermark_us);
  if (circuit_ != nullptr) {
    state.Set("circuit",
              Json::Object{{"fingerprint", flow_.fingerprint}, {"started", circuit_->has_started()}});
  }
  return state;
}

void FlowRun::BeginStep() {
  uint32_t files = 0;
  for (const auto& input : inputs_) {
    input->file_base = files;
    if (input->slice != nullptr) files += static_cast<uint32_t>(input->slice->Files().size());
    if (input->scan != nullptr) input->scan->SetSlice(input->slice.get(), input->file_base);
  }
  if (keep_ != nullptr) keep_->BeginStep(Origins());
  if (function_ != nullptr) function_->BeginStep();
}

Status FlowRun::TakeSource(Input& input, uint64_t bytes_max, Taken& taken) {
  const Source& source = *input.source;
  const int64_t now_ms = context_.clock.WallMs();
  QN_GET(std::unique_ptr<Slice> slice, input.reader->Next(bytes_max));
  if (slice->kind() != SliceKind::kRows) {
    input.is_idle =
        source.idle_timeout_us >= 0 && now_ms - input.last_rows_ms >= source.idle_timeout_us / 1000;
    return Ok();
  }
  input.is_idle = false;
  input.last_rows_ms = now_ms;
  taken.has_rows = taken.has_moved = true;
  taken.is_drained = false;
  taken.bytes += slice->bytes();
  input.files_seen += static_cast<int64_t>(slice->Files().size());
  input.slice = std::move(slice);
  if (input.scan != nullptr || source.event_time_column < 0) return Ok();
  QN_GET(input.parquet_time_max_us, ParquetTimeMax(input));
  return Ok();
}

Result<FlowRun::Taken> FlowRun::Take(uint64_t bytes_max, Epoch epoch, const ChangeSince& change_since) {
  Taken taken;
  watermark_us_ = WatermarkUs();
  watermark_before_us_ = watermark_us_;
  for (const auto& input : inputs_) {
    input->slice = nullptr;
    input->change = {};
    if (input->source != nullptr) {
      QN_TRY(TakeSource(*input, bytes_max, taken));
    } else {
      QN_GET(input->change, change_since(input->name, input->consumed));
      if (input->change.is_behind && input->change.foreign != input->foreign) return Rewritten(*input);
      input->foreign = input->change.foreign;
      input->upstream_us = input->change.watermark_us;
      input->is_idle = input->change.is_idle;
      input->consumed_next = epoch;
      taken.bytes += input->change.rows.bytes;
      taken.has_rows = taken.has_rows || !input->change.is_empty();
      taken.has_moved = taken.has_moved || !input->change.is_empty();
    }
  }
  // Windows end also when time moves on and no rows come.
  if (circuit_ != nullptr && (circuit_->IsDue() || circuit_->HasToClose(WatermarkUs()))) {
    taken.has_rows = taken.has_moved = true;
  }
  // Without a stream there is nothing to wait for: the flow runs once.
  if (inputs_.empty()) taken.has_rows = taken.has_moved = true;
  is_finished_ = inputs_.empty();
  took_rows_ = taken.has_rows;
  BeginStep();
  return taken;
}

Result<FlowRun::Taken> FlowRun::TakeAll() {
  Taken taken;
  for (const auto& input : inputs_) {
    input->slice = nullptr;
    if (input->source == nullptr) continue;
    QN_TRY(OpenReader(*input, Json()));
    QN_GET(std::unique_ptr<Slice> slice, input->reader->Next(UINT64_MAX));
    if (slice->kind() != SliceKind::kRows) continue;
    taken.bytes += slice->bytes();
    input->slice = std::move(slice);
  }
  taken.has_rows = true;
  BeginStep();
  return taken;
}

bool FlowRun::HasHidden() const {
  for (const auto& input : inputs_) {
    if (input->source != nullptr) return true;
  }
  return false;
}

std::string FlowRun::ParquetRelation(const Input& input) const {
  const Schema& columns = input.source->columns;
  if (input.slice == nullptr)
    return "(SELECT *, " + std::string(kNoHidden) + " FROM (" + RowsSql({}, columns) + "))";
  TableRows rows;
  for (const ParquetPart& part : input.slice->Parquet()) rows.files.push_back(part.path);
  std::string list;
  for (const Field& field : columns) {
    list += QuoteName(field.name) + "::" + field.type.ToSql() + " AS " + QuoteName(field.name) + ", ";
  }
  return "(SELECT " + list + "NULL::BLOB AS __qn_raw, (file_index + " + std::to_string(input.file_base) +
         ")::UINTEGER AS __qn_file, (file_row_number + 1)::BIGINT AS __qn_line FROM read_parquet(" +
         FileList(rows.files) + kPlainNames + ", file_row_number = true))";
}

std::string FlowRun::RelationOf(const std::string& name) const {
  for (const auto& input : inputs_) {
    if (input->name != name) continue;
    if (input->scan != nullptr) return input->scan_name + "()";
    if (input->source != nullptr) return ParquetRelation(*input);
    if (circuit_ != nullptr) return UpstreamRelation(*input);
    const std::string rows = RowsSql(input->change.rows, input->upstream->columns);
    return HasHidden() ? "(SELECT *, " + std::string(kNoHidden) + " FROM (" + rows + "))" : "(" + rows + ")";
  }
  return QuoteName(name);
}

Result<std::string> FlowRun::Fragment(const plan::Query& query, bool wants_rules) {
  plan::FragmentOptions options;
  options.relation = [this](const std::string& name) { return RelationOf(name); };
  options.rules = wants_rules;
  options.hidden = wants_rules && HasHidden();
  return plan::WriteFragment(query, options);
}

// The bytes as they came where there are some, otherwise the row as JSON, made only for rows that break a
// rule.
std::string FlowRun::RawExpression(bool has_hidden) const {
  bool has_bytes = has_hidden;
  for (const auto& input : inputs_) has_bytes = has_bytes && input->scan != nullptr;
  if (has_bytes) return kRawColumn;
  std::string all;
  for (size_t i = 0; i < keep_->rules().size(); ++i)
    all += (i > 0 ? " AND __qn_rule" : "__qn_rule") + std::to_string(i);
  std::string members;
  for (const Field& field : dataset_.columns) {
    members += (members.empty() ? "" : ", ") + QuoteText(field.name) + ": " + QuoteName(field.name);
  }
  const std::string json =
      "CASE WHEN " + all + " THEN NULL ELSE encode(to_json({" + members + "})::VARCHAR) END";
  return has_hidden ? "coalesce(" + std::string(kRawColumn) + ", " + json + ")" : json;
}

std::string FlowRun::IntoSink(const std::string& fragment, bool has_hidden) const {
  std::string arguments;
  if (keep_ != nullptr) {
    arguments = RawExpression(has_hidden);
    arguments += has_hidden ? ", __qn_file, __qn_line" : ", NULL::UINTEGER, NULL::BIGINT";
    for (size_t i = 0; i < keep_->rules().size(); ++i) arguments += ", __qn_rule" + std::to_string(i);
  }
  for (const Field& field : stored_) {
    arguments += (arguments.empty() ? "" : ", ") + QuoteName(field.name) + "::" + field.type.ToSql();
  }
  if (view_sink_ != nullptr) arguments += std::string(", ") + plan::kWeightColumn;
  return "SELECT count(*) FROM (" + fragment + ") WHERE " + sink_name_ + "(" + arguments + ")";
}

Result<std::string> FlowRun::Statement() {
  if (view_sink_ != nullptr) view_sink_->Begin();
  if (circuit_ != nullptr) return CircuitStatement();
  if (function_ == nullptr) {
    QN_GET(const std::string fragment, Fragment(flow_.query, has_rules()));
    return IntoSink(fragment, has_rules() && HasHidden());
  }
  QN_GET(const std::string fragment, Fragment(flow_.query, false));
  function_->SetQuery("SELECT " + ColumnList(flow_.query.columns) + " FROM (" + fragment + ")");
  plan::FragmentOptions options;
  options.relation = [this](const std::string&) { return function_name_ + "()"; };
  options.rules = has_rules();
  QN_GET(const std::string answer, plan::WriteFragment(*flow_.answer, options));
  return IntoSink(answer, false);
}

Result<std::string> FlowRun::StatementWhole(
    const std::function<Result<TableRows>(const std::string& dataset)>& whole) {
  duck::Connection& connection = context_.connection;
  for (const auto& input : inputs_) {
    std::string rows;
    if (input->upstream != nullptr) {
      QN_GET(const TableRows all, whole(input->name));
      rows = RowsSql(all, input->upstream->columns);
    } else {
      rows = "SELECT " + ColumnList(input->source->columns) + " FROM " + RelationOf(input->name);
    }
    QN_TRY(
        connection.Query("CREATE OR REPLACE TEMP VIEW " + QuoteName(input->name) + " AS " + rows).status());
  }
  for (const auto& [name, sql] : flow_.query.views) {
    QN_TRY(connection.Query("CREATE OR REPLACE TEMP VIEW " + QuoteName(name) + " AS " + sql).status());
  }
  std::string rules;
  for (size_t i = 0; i < flow_.query.conditions.size(); ++i) {
    rules += ", (" + flow_.query.conditions[i] + ")::BOOLEAN AS __qn_rule" + std::to_string(i);
  }
  return IntoSink("SELECT q.*" + rules + " FROM (" + flow_.query.sql + ") q", false);
}

Status FlowRun::failure() const {
  if (!sink_->failure().ok()) return sink_->failure();
  if (view_sink_ != nullptr && !view_sink_->failure().ok()) return view_sink_->failure();
  for (const auto& input : inputs_) {
    if (input->scan != nullptr && !input->scan->failure().ok()) return input->scan->failure();
  }
  return function_ != nullptr ? function_->failure() : Ok();
}

DatasetCounts FlowRun::Counts() const {
  DatasetCounts counts;
  counts.rows_out = view_sink_ != nullptr ? view_sink_->rows() : sink_->rows();
  int64_t unread = 0;
  for (const auto& input : inputs_) {
    if (input->scan != nullptr) unread += input->scan->rejects();
    counts.bytes_in += input->slice != nullptr ? input->slice->bytes() : input->change.rows.bytes;
  }
  if (unread > 0) counts.dead["decode"] = unread;
  const int64_t late = late_sink_ != nullptr ? late_sink_->rows() : 0;
  if (late > 0) counts.dead["late"] = late;
  if (function_ != nullptr && function_->failures() > 0) counts.dead["udf"] = function_->failures();
  counts.rows_dead = unread + late + (function_ != nullptr ? function_->failures() : 0);
  counts.rows_in = counts.rows_dead + (keep_ != nullptr ? keep_->rows_in() : counts.rows_out);
  if (keep_ == nullptr) return counts;
  counts.rows_dead += keep_->rows_quarantined();
  counts.rows_dropped = keep_->rows_dropped();
  for (size_t i = 0; i < keep_->rules().size(); ++i) {
    const ExpectationSpec& rule = keep_->rules()[i];
    std::map<std::string, int64_t>& where = rule.action == Action::kQuarantine ? counts.dead
                                            : rule.action == Action::kDrop     ? counts.dropped
                                                                               : counts.kept;
    if (keep_->violations(i) > 0) where[rule.name] += keep_->violations(i);
  }
  return counts;
}

// Counters that DuckDB's threads move, and nothing else: what a step's thread changes is not looked at.
void FlowRun::AddSoFar(RowsSoFar& rows, std::map<std::string, int64_t>& sources) const {
  const int64_t written = view_sink_ != nullptr ? view_sink_->rows() : sink_->rows();
  int64_t unread = function_ != nullptr ? function_->failures() : 0;
  if (late_sink_ != nullptr) unread += late_sink_->rows();
  for (const auto& input : inputs_) {
    if (input->scan == nullptr) continue;
    unread += input->scan->rejects();
    sources[input->name] = std::max(sources[input->name], input->scan->rows() + input->scan->rejects());
  }
  rows.rows_out += written;
  rows.rows_in += unread + (keep_ != nullptr ? keep_->rows_in() : written);
  rows.rows_dead += unread + (keep_ != nullptr ? keep_->rows_quarantined() : 0);
  rows.rows_dropped += keep_ != nullptr ? keep_->rows_dropped() : 0;
}

// What was committed, or given up, is no part of the step that begins.
void FlowRun::ClearCounts() {
  for (const auto& input : inputs_) {
    if (input->scan != nullptr) input->scan->SetSlice(nullptr, 0);
  }
  sink_->ClearCounts();
  if (view_sink_ != nullptr) view_sink_->ClearCounts();
  if (late_sink_ != nullptr) late_sink_->ClearCounts();
  if (keep_ != nullptr) keep_->ClearCounts();
  if (function_ != nullptr) function_->BeginStep();
}

void FlowRun::AddSourceCounts(std::map<std::string, SourceCounts>& counts) const {
  for (const auto& input : inputs_) {
    if (input->source == nullptr || input->slice == nullptr) continue;
    SourceCounts& source = counts[input->name];
    if (input->scan != nullptr) source.rows += input->scan->rows() + input->scan->rejects();
    source.bytes += input->slice->bytes();
    source.files = std::max(source.files, input->files_seen);
    source.watermark = input->watermark.ToText();
  }
}

void FlowRun::AdvanceWatermarks() {
  for (const auto& input : inputs_) {
    if (input->slice == nullptr) continue;
    const int64_t seen_us =
        input->scan != nullptr ? input->scan->event_time_max() : input->parquet_time_max_us;
    input->watermark.Advance(seen_us, input->reader->WatermarkBound());
  }
}

bool FlowRun::FinishIfOnce(bool is_drained) {
  if (!flow_.spec.is_once || is_finished_ || !is_drained || took_rows_) return false;
  is_finished_ = true;
  return true;
}

Status FlowRun::Acknowledge() {
  ClearCounts();
  for (const auto& input : inputs_) {
    input->slice = nullptr;
    input->change = {};
    input->consumed = input->consumed_next;
    if (input->reader != nullptr) QN_TRY(input->reader->Ack());
  }
  if (circuit_ != nullptr) circuit_->EndStep();
  return Ok();
}

uint64_t FlowRun::BytesWaiting() const {
  uint64_t bytes = 0;
  for (const auto& input : inputs_) {
    if (input->reader != nullptr) bytes += input->reader->BytesWaiting();
  }
  return bytes;
}

}  // namespace qn::app
