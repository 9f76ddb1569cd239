// Computes datasets upstream first; a dataset's rows of this step are read back from the files it just
// staged.
#include "app/step_work.h"

#include <algorithm>

#include "base/crc32c.h"

namespace qn::app {

namespace {

std::string FlowName(const DatasetRun& run, const FlowRun& flow) {
  return run.name() + "." + flow.flow().spec.name;
}

}  // namespace

StepWork::StepWork(const RunContext& context, const RunOptions& options, Progress& progress,
                   std::map<std::string, Sink*>& sinks)
    : context_(context),
      progress_(progress),
      sinks_(sinks),
      state_store_(context.files, context.pipeline.spec.storage + "/_qanat/state") {
  if (context.pipeline.spec.step_bytes_max > 0) step_bytes_max_ = context.pipeline.spec.step_bytes_max;
  step_bytes_ = std::min(kStepBytesFirst, step_bytes_max_);
}

Result<std::unique_ptr<StepWork>> StepWork::Make(const RunContext& context, const TableContext& tables,
                                                 const RunOptions& options, Progress& progress,
                                                 std::map<std::string, Sink*>& sinks) {
  std::unique_ptr<StepWork> work(new StepWork(context, options, progress, sinks));
  QN_TRY(work->LoadReferences());
  for (const Dataset& dataset : context.pipeline.datasets) {
    if (dataset.is_inlined()) continue;
    QN_GET(auto run, DatasetRun::Make(context, tables, dataset));
    run->AddSinks(sinks);
    work->runs_.push_back(std::move(run));
  }
  QN_TRY(work->ChooseDatasets(options));
  return work;
}

Status StepWork::LoadReferences() {
  for (const Reference& reference : context_.pipeline.references) {
    const std::string name = QuoteName(reference.spec.name);
    const Result<duck::Rows> made =
        context_.connection.Query("CREATE TABLE " + name + " AS " + reference.spec.sql);
    if (!made.ok()) {
      return Invalid("QN-1109", "The reference '" + reference.spec.name + "' cannot be read.")
          .With("at " + reference.spec.where + ":  " + reference.spec.sql)
          .With("DuckDB says: " + made.status().text().substr(0, made.status().text().find('\n')))
          .With("Nothing was started.");
    }
    QN_GET(const duck::Rows hash, context_.connection.Query("SELECT count(*)::VARCHAR || '/' || "
                                                            "coalesce(sum(hash(r)), 0)::VARCHAR FROM " +
                                                            name + " r"));
    reference_fingerprints_[reference.spec.name] = hash.rows[0][0].Str();
  }
  return Ok();
}

DatasetRun* StepWork::Find(const std::string& name) {
  for (const auto& run : runs_) {
    if (run->name() == name) return run.get();
  }
  return nullptr;
}

Status StepWork::CheckChosen(const std::vector<std::string>& names) const {
  std::vector<std::string> known;
  for (const auto& run : runs_) known.push_back(run->name());
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    Status status = Invalid("QN-1391", "There is no dataset '" + name + "' to refresh.");
    std::string list;
    for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
    status.With("The pipeline has: " + list);
    const std::string near = NearestName(name, known);
    if (!near.empty()) status.With("Did you mean '" + near + "'?");
    return status.With("Nothing was started.");
  }
  return Ok();
}

// What is computed from the named ones begins again with them; so does a view that keeps no rows, above them.
void StepWork::AddDownstream(std::set<std::string>& names) const {
  const auto is_unkept = [](const DatasetRun& run) {
    return run.dataset().spec.kind == DatasetKind::kTemporaryView;
  };
  for (size_t before = 0; before != names.size();) {
    before = names.size();
    for (const auto& run : runs_) {
      for (const auto& flow : run->flows()) {
        for (const std::string& input : flow->flow().query.inputs) {
          if (names.count(input) != 0) names.insert(run->name());
          const auto upstream =
              std::find_if(runs_.begin(), runs_.end(), [&](const auto& r) { return r->name() == input; });
          if (upstream != runs_.end() && names.count(run->name()) != 0 && is_unkept(**upstream))
            names.insert(input);
        }
      }
    }
  }
}

Status StepWork::ChooseDatasets(const RunOptions& options) {
  QN_TRY(CheckChosen(options.refresh));
  QN_TRY(CheckChosen(options.full_refresh));
  begin_again_.insert(options.full_refresh.begin(), options.full_refresh.end());
  if (options.full_refresh_all) {
    for (const auto& run : runs_) begin_again_.insert(run->name());
  }
  AddDownstream(begin_again_);
  for (const auto& run : runs_) {
    if (begin_again_.count(run->name()) == 0) QN_TRY(run->CheckOwner());
  }
  if (options.refresh.empty()) return Ok();
  chosen_.insert(options.refresh.begin(), options.refresh.end());
  chosen_.insert(begin_again_.begin(), begin_again_.end());
  // Rows of a view that keeps none must reach all who read it in the same step.
  for (const auto& run : runs_) {
    if (run->dataset().spec.kind == DatasetKind::kTemporaryView) {
      std::set<std::string> family = {run->name()};
      for (const auto& reader : runs_) {
        for (const auto& flow : reader->flows()) {
          const auto& inputs = flow->flow().query.inputs;
          if (std::find(inputs.begin(), inputs.end(), run->name()) != inputs.end())
            family.insert(reader->name());
        }
      }
      const bool touches =
          std::any_of(family.begin(), family.end(), [this](const auto& n) { return chosen_.count(n) != 0; });
      if (touches) chosen_.insert(family.begin(), family.end());
    }
  }
  return Ok();
}

std::set<std::string> StepWork::TablesBegunAgain() const {
  std::set<std::string> tables = begin_again_;
  for (const std::string& name : begin_again_) tables.insert(DeadLetterTable(name));
  return tables;
}

Status StepWork::Restore(const Json& state) {
  view_fingerprints_.clear();
  for (const auto& [name, fingerprint] : state["views"].Members())
    view_fingerprints_[name] = fingerprint.Str();
  AddChanged(state);
  for (const auto& run : runs_) {
    run->data_epoch = state["data_epochs"][run->name()].Int();
    const bool again = begin_again_.count(run->name()) != 0;
    if (!again) QN_TRY(run->CheckStep());
    if (again) view_fingerprints_.erase(run->name());
    for (const auto& flow : run->flows()) {
      QN_TRY(flow->Restore(again ? Json() : state["flows"][FlowName(*run, *flow)]));
    }
  }
  traces_ = state["traces"];
  // Of this checkpoint everything stays until two newer ones are there, also after a restart.
  traces_before_ = traces_;
  return state_store_.Restore(traces_, Traces(false));
}

// A view begins again, with all that follow it, when its SQL or references are others now, when it has missed
// changes of an upstream that takes rows back, or when another writer has changed a table that it reads.
void StepWork::AddChanged(const Json& state) {
  for (const auto& run : runs_) {
    for (const auto& flow : run->flows()) {
      const Json& saved = state["flows"][FlowName(*run, *flow)];
      if (saved.IsNull() || begin_again_.count(run->name()) != 0) continue;
      bool begins = !flow->FitsCircuit(saved);
      for (const std::string& input : flow->flow().query.inputs) {
        const auto reference = reference_fingerprints_.find(input);
        if (flow->circuit() != nullptr && reference != reference_fingerprints_.end()) {
          begins = begins || state["references"][input].Str() != reference->second;
        }
        DatasetRun* upstream = Find(input);
        if (upstream == nullptr) continue;
        const Json& taken = saved["inputs"][input];
        if (upstream->dataset().is_weighted()) {
          begins = begins || taken["consumed"].Int() < state["data_epochs"][input].Int();
        } else if (flow->circuit() != nullptr && upstream->dataset().spec.is_stored()) {
          begins = begins || taken["foreign"].Str() != upstream->ForeignFiles();
        }
      }
      if (begins) begin_again_.insert(run->name());
    }
  }
  AddDownstream(begin_again_);
  if (!chosen_.empty()) chosen_.insert(begin_again_.begin(), begin_again_.end());
}

trace::NamedTraces StepWork::Traces(bool with_beginning) const {
  trace::NamedTraces traces;
  for (const auto& run : runs_) {
    if (!with_beginning && begin_again_.count(run->name()) != 0) continue;
    for (const auto& flow : run->flows()) {
      if (flow->circuit() != nullptr) flow->circuit()->AddTraces(FlowName(*run, *flow), traces);
    }
  }
  return traces;
}

Result<StepOutcome> StepWork::Compute(Epoch epoch) {
  progress_.BeginStep();
  StepOutcome outcome;
  outcome.is_drained = true;
  for (const auto& run : runs_) {
    run->BeginStep(epoch);
    if (begin_again_.count(run->name()) != 0) {
      // A view keeps its rows until it is computed anew.
      if (!run->dataset().is_recomputed()) run->ReplaceAll();
      outcome.has_changes = true;
    }
    if (IsChosen(*run) && !run->dataset().is_recomputed()) QN_TRY(ComputeFlows(*run, epoch, outcome));
  }
  for (const auto& run : runs_) {
    if (!IsChosen(*run) || run->dataset().is_recomputed()) continue;
    for (const auto& flow : run->flows()) {
      outcome.has_changes = flow->FinishIfOnce(outcome.is_drained) || outcome.has_changes;
    }
  }
  if (outcome.is_drained) {
    for (const auto& run : runs_) {
      if (IsChosen(*run) && run->dataset().is_recomputed()) QN_TRY(ComputeView(*run, epoch, outcome));
    }
  }
  QN_TRY(StageAll(epoch, outcome));
  step_bytes_ = std::min(step_bytes_ * kStepGrowth, step_bytes_max_);
  return outcome;
}

Status StepWork::ComputeFlows(DatasetRun& run, Epoch epoch, StepOutcome& outcome) {
  const FlowRun::ChangeSince change_since = [this](const std::string& name,
                                                   Epoch consumed) -> Result<Change> {
    DatasetRun* upstream = Find(name);
    QN_CHECK(upstream != nullptr);
    return upstream->ChangeSince(consumed);
  };
  for (const auto& flow : run.flows()) {
    if (flow->is_finished()) continue;
    QN_GET(const FlowRun::Taken taken, flow->Take(step_bytes_, epoch, change_since));
    outcome.is_drained = outcome.is_drained && taken.is_drained;
    outcome.has_changes = outcome.has_changes || taken.has_moved;
    if (!taken.has_rows) continue;
    QN_TRY(run.Write(*flow, [&flow] { return flow->Statement(); }));
    flow->AdvanceWatermarks();
  }
  return run.FinishWriting();
}

Result<TableRows> StepWork::WholeOf(const std::string& dataset) {
  DatasetRun* run = Find(dataset);
  QN_CHECK(run != nullptr);
  return run->RowsSince(0);
}

// Changes when the statement, its rules or any of its inputs changed.
Result<std::string> StepWork::ViewFingerprint(DatasetRun& run) {
  std::string text = RulesText(run.dataset().spec);
  for (const auto& flow : run.flows()) {
    const plan::Query& query = flow->flow().query;
    text += query.sql + "\n";
    for (const std::string& condition : query.conditions) text += condition + "\n";
    for (const auto& [name, sql] : query.views) text += name + "=" + sql + "\n";
    for (const std::string& input : query.inputs) {
      text += input + "@";
      if (DatasetRun* upstream = Find(input); upstream != nullptr) {
        text += std::to_string(upstream->RowsEpoch());
      } else if (const Source* source = context_.pipeline.FindSource(input); source != nullptr) {
        QN_GET(const std::vector<FileInfo> files, context_.files.Glob(source->spec.glob));
        for (const FileInfo& file : files) {
          text += file.path + ":" + std::to_string(file.size) + ":" + std::to_string(file.modified_ns) + ",";
        }
      } else {
        text += reference_fingerprints_[input];
      }
      text += "\n";
    }
  }
  return std::to_string(Crc32c(text)) + "/" + std::to_string(text.size());
}

Status StepWork::ComputeView(DatasetRun& run, Epoch epoch, StepOutcome& outcome) {
  QN_GET(const std::string fingerprint, ViewFingerprint(run));
  if (view_fingerprints_[run.name()] == fingerprint) return Ok();
  run.ReplaceAll();
  outcome.has_changes = true;
  for (const auto& flow : run.flows()) {
    QN_TRY(flow->TakeAll().status());
    QN_TRY(run.Write(*flow, [this, &flow] {
      return flow->StatementWhole([this](const std::string& name) { return WholeOf(name); });
    }));
  }
  QN_TRY(run.FinishWriting());
  view_fingerprints_[run.name()] = fingerprint;
  return Ok();
}

Status StepWork::StageAll(Epoch epoch, StepOutcome& outcome) {
  for (const auto& run : runs_) outcome.has_changes = outcome.has_changes || run->has_changes();
  if (!outcome.has_changes) return Ok();
  for (const auto& run : runs_) {
    if (IsChosen(*run)) QN_TRY(run->Stage(outcome.receipts, sinks_));
  }
  QN_GET(traces_, state_store_.Save(epoch, Traces(true)));
  QN_GET(outcome.state, StateNow());
  return Ok();
}

Result<Json> StepWork::StateNow() {
  Json flows{Json::Object{}};
  Json epochs{Json::Object{}};
  Json views{Json::Object{}};
  for (const auto& run : runs_) {
    epochs.Set(run->name(), run->data_epoch);
    for (const auto& flow : run->flows()) {
      QN_GET(Json state, flow->State());
      flows.Set(FlowName(*run, *flow), std::move(state));
    }
  }
  for (const auto& [name, fingerprint] : view_fingerprints_) views.Set(name, fingerprint);
  Json references{Json::Object{}};
  for (const auto& [name, fingerprint] : reference_fingerprints_) references.Set(name, fingerprint);
  return Json(Json::Object{{"format", 1},
                           {"flows", flows},
                           {"data_epochs", epochs},
                           {"views", views},
                           {"references", references},
                           {"traces", traces_}});
}

void StepWork::ReportStep() {
  std::map<std::string, DatasetCounts> datasets;
  std::map<std::string, SourceCounts> sources;
  uint64_t waiting = 0;
  for (const auto& run : runs_) {
    if (!IsChosen(*run)) continue;
    datasets[run->name()] = run->counts();
    for (const auto& flow : run->flows()) {
      flow->AddSourceCounts(sources);
      waiting += flow->BytesWaiting();
    }
  }
  progress_.AddStep(datasets, sources);
  progress_.SetWaiting(waiting);
}

Status StepWork::Acknowledge(Epoch) {
  ReportStep();
  begin_again_.clear();
  // The checkpoint before this one stays usable, should this one be damaged.
  const Json kept[] = {traces_before_, traces_};
  QN_TRY(state_store_.Sweep(kept));
  traces_before_ = traces_;
  for (const auto& run : runs_) {
    run->EndStep();
    for (const auto& flow : run->flows()) QN_TRY(flow->Acknowledge());
  }
  return Ok();
}

StepSoFar StepWork::SoFar() const {
  StepSoFar so_far;
  for (const auto& run : runs_) {
    RowsSoFar& rows = so_far.datasets[run->name()];
    std::map<std::string, int64_t> sources;
    for (const auto& flow : run->flows()) flow->AddSoFar(rows, sources);
    for (const auto& [name, count] : sources) so_far.sources[name] += count;
  }
  return so_far;
}

Json StepWork::CircuitStats() const {
  Json datasets{Json::Object{}};
  for (const auto& run : runs_) {
    for (const auto& flow : run->flows()) {
      if (flow->circuit() == nullptr) continue;
      Json stats = flow->circuit()->Stats();
      stats.Set("fingerprint", flow->flow().fingerprint);
      datasets.Set(run->name(), std::move(stats));
    }
  }
  return datasets;
}

Status StepWork::Maintain() {
  for (const auto& run : runs_) QN_TRY(run->Maintain());
  return Ok();
}

}  // namespace qn::app
