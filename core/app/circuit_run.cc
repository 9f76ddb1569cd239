// Fragments become statements that end in a sink; operators' answers become scans.
#include "app/circuit_run.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "ops/aggregate.h"
#include "ops/bag.h"
#include "ops/distinct.h"
#include "ops/join.h"
#include "ops/recompute.h"

namespace qn::app {
namespace {

using plan::CircuitOp;

std::vector<Type> TypesOf(const Schema& columns, size_t from, size_t to) {
  std::vector<Type> types;
  for (size_t i = from; i < to; ++i) types.push_back(columns[i].type);
  return types;
}

std::vector<Type> KeyTypes(const plan::Fragment& fragment) {
  return TypesOf(fragment.columns, 0, fragment.key_count);
}
std::vector<Type> RowTypes(const plan::Fragment& fragment) {
  return TypesOf(fragment.columns, fragment.key_count, fragment.columns.size());
}

std::string NumberedColumns(size_t count) {
  std::string list;
  for (size_t i = 0; i < count; ++i) list += (i > 0 ? ", c" : "c") + std::to_string(i);
  return list;
}

}  // namespace

std::string UniqueName(const char* word) {
  static std::atomic<int> next{0};
  return std::string("qn_") + word + "_" + std::to_string(next.fetch_add(1));
}

// One operator, what feeds it and what it gave.
struct CircuitRun::OpRun {
  struct In {
    const plan::Fragment* fragment = nullptr;
    std::string sink_name;
    std::unique_ptr<ops::DeltaSink> sink;
    std::string prepared_sql;  // the statement that was prepared, and it
    std::unique_ptr<duck::Prepared> prepared;
  };
  const CircuitOp* plan = nullptr;
  std::vector<In> inputs;
  std::unique_ptr<ops::Operator> op;
  std::vector<KeyedDelta> changes;  // in, of the step
  Delta out;
  std::string scan_name;
  std::unique_ptr<ops::DeltaScan> scan;
  // kRecompute: the rows of the changed keys, and where DuckDB's answer over them goes.
  std::vector<std::string> gather_names;
  std::vector<std::unique_ptr<ops::GatherScan>> gathers;
  std::string answer_name;
  std::unique_ptr<ops::DeltaSink> answer;
  std::string answer_sql;

  int64_t rows_in = 0, rows_out = 0, ns = 0, steps = 0;
};

CircuitRun::CircuitRun(duck::Connection& connection, const Clock& clock, const Flow& flow)
    : connection_(connection), clock_(clock), circuit_(*flow.circuit), window_plan_(flow.window) {}
CircuitRun::~CircuitRun() = default;

Result<std::unique_ptr<CircuitRun>> CircuitRun::Make(duck::Connection& connection, const Clock& clock,
                                                     const Flow& flow, trace::Budget& budget) {
  std::unique_ptr<CircuitRun> run(new CircuitRun(connection, clock, flow));
  for (size_t i = 0; i < flow.circuit->ops.size(); ++i) QN_TRY(run->MakeOp(i, budget));
  return run;
}

Status CircuitRun::MakeOp(size_t index, trace::Budget& budget) {
  auto run = std::make_unique<OpRun>();
  run->plan = &circuit_.ops[index];
  const CircuitOp& plan = *run->plan;
  for (const plan::Fragment& fragment : plan.inputs) {
    OpRun::In in;
    in.fragment = &fragment;
    in.sink_name = UniqueName("input");
    in.sink = std::make_unique<ops::DeltaSink>(KeyTypes(fragment), RowTypes(fragment), fragment.strict_keys,
                                               fragment.is_weighted);
    QN_TRY(duck::RegisterRowSink(connection_, in.sink_name, in.sink->Arguments(), *in.sink));
    run->inputs.push_back(std::move(in));
  }
  run->changes.resize(plan.inputs.size());
  if (window_plan_.has_value() && window_plan_->op == index) {
    QN_GET(auto window, ops::MakeWindowAggregate(plan, window_plan_->options, budget));
    window_ = window.get();
    run->op = std::move(window);
  } else {
    QN_GET(run->op, MakeOperator(*run, budget));
  }
  run->scan_name = UniqueName("change");
  QN_GET(run->scan, ops::DeltaScan::Make(plan));
  QN_TRY(duck::RegisterScan(connection_, run->scan_name, *run->scan));
  ops_.push_back(std::move(run));
  return Ok();
}

Result<std::unique_ptr<ops::Operator>> CircuitRun::MakeOperator(OpRun& run, trace::Budget& budget) {
  const CircuitOp& plan = *run.plan;
  switch (plan.kind) {
    case CircuitOp::Kind::kAggregate:
      return ops::MakeAggregate(plan, budget);
    case CircuitOp::Kind::kJoin:
      return ops::MakeJoin(plan, budget);
    case CircuitOp::Kind::kDistinct:
      return ops::MakeDistinct(plan, budget);
    case CircuitOp::Kind::kBag:
      return ops::MakeBag(plan, budget);
    case CircuitOp::Kind::kRecompute:
      break;
  }
  std::map<std::string, std::string> names;
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    run.gather_names.push_back(UniqueName("gather"));
    run.gathers.push_back(std::make_unique<ops::GatherScan>(RowTypes(plan.inputs[i])));
    QN_TRY(duck::RegisterScan(connection_, run.gather_names.back(), *run.gathers.back()));
    names["@" + std::to_string(i)] = run.gather_names.back() + "()";
  }
  const size_t width = plan.key_count + plan.columns.size();
  std::vector<Type> keys = plan.inputs.empty() ? std::vector<Type>() : KeyTypes(plan.inputs[0]);
  run.answer_name = UniqueName("answer");
  run.answer = std::make_unique<ops::DeltaSink>(std::move(keys),
                                                TypesOf(plan.columns, 0, plan.columns.size()), 0, false);
  QN_TRY(duck::RegisterRowSink(connection_, run.answer_name, run.answer->Arguments(), *run.answer));
  QN_GET(const std::string sql,
         plan.RecomputeSql({[&names](const std::string& name) { return names.at(name); }}));
  run.answer_sql =
      "SELECT count(*) FROM (" + sql + ") AS q WHERE " + run.answer_name + "(" + NumberedColumns(width) + ")";
  return ops::MakeRecompute(plan, budget, [this, &run](ops::GatheredRows& rows, KeyedDelta& answer) {
    return Evaluate(run, rows, answer);
  });
}

Status CircuitRun::Evaluate(OpRun& run, ops::GatheredRows& rows, KeyedDelta& answer) {
  for (size_t i = 0; i < run.gathers.size(); ++i) run.gathers[i]->Set(&rows, i);
  const Status status = connection_.Query(run.answer_sql).status();
  for (const auto& gather : run.gathers) gather->Set(nullptr, 0);
  QN_TRY(status);
  run.answer->MoveTo(answer);
  return Ok();
}

bool CircuitRun::HasRows(const std::vector<std::string>& reads, const Inputs& inputs) const {
  return std::any_of(reads.begin(), reads.end(), [&](const std::string& name) {
    if (name[0] == '#') return !ops_[std::stoul(name.substr(1))]->out.rows.empty();
    for (const plan::CircuitInput& input : circuit_.inputs) {
      if (input.name == name && input.is_once) return !has_started_;
    }
    return inputs.has_rows(name);
  });
}

plan::Relations CircuitRun::RelationsOf(const Inputs& inputs) const {
  return {[this, &inputs](const std::string& name) -> std::string {
    if (name[0] == '#') return ops_[std::stoul(name.substr(1))]->scan_name + "()";
    for (const plan::CircuitInput& input : circuit_.inputs) {
      if (input.name != name || !input.is_once) continue;
      return has_started_ ? "(SELECT * FROM " + QuoteName(name) + " WHERE false)" : QuoteName(name);
    }
    return inputs.relation(name);
  }};
}

bool CircuitRun::IsDue() const {
  return !has_started_ &&
         (std::any_of(ops_.begin(), ops_.end(), [](const auto& run) { return run->op->IsDue(); }) ||
          std::any_of(circuit_.inputs.begin(), circuit_.inputs.end(),
                      [](const plan::CircuitInput& input) { return input.is_once; }));
}

Result<std::string> CircuitRun::Step(const Inputs& inputs, const std::vector<std::string>& names) {
  watermark_before_us_ = inputs.watermark_before_us;
  for (const auto& run : ops_) QN_TRY(RunOp(*run, inputs));
  std::string sql;
  if (HasRows(circuit_.output.reads, inputs)) {
    QN_GET(const std::string output, circuit_.output.Sql(RelationsOf(inputs)));
    std::string list;
    for (size_t i = 0; i < names.size(); ++i) {
      list += (i > 0 ? ", c" : "c") + std::to_string(i) + " AS " + QuoteName(names[i]);
    }
    if (circuit_.output.is_weighted) list += std::string(", ") + plan::kWeightColumn;
    sql = "SELECT " + list + " FROM (" + output + ") AS q";
  }
  has_started_ = true;
  return sql;
}

Status CircuitRun::RunOp(OpRun& run, const Inputs& inputs) {
  const int64_t began_ns = clock_.MonotonicNs();
  bool has_changes = false;
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    OpRun::In& in = run.inputs[i];
    run.changes[i].Clear();
    if (!HasRows(in.fragment->reads, inputs)) continue;
    QN_GET(const std::string fragment, in.fragment->Sql(RelationsOf(inputs)));
    std::string columns = NumberedColumns(in.fragment->columns.size());
    if (in.fragment->is_weighted) columns += std::string(columns.empty() ? "" : ", ") + plan::kWeightColumn;
    std::string sql =
        "SELECT count(*) FROM (" + fragment + ") AS q WHERE " + in.sink_name + "(" + columns + ")";
    if (in.prepared == nullptr || sql != in.prepared_sql) {
      QN_GET(in.prepared, connection_.Prepare(sql));
      in.prepared_sql = std::move(sql);
    }
    QN_TRY(in.prepared->Run().status());
    in.sink->MoveTo(run.changes[i]);
    run.rows_in += static_cast<int64_t>(run.changes[i].rows.size());
    has_changes = has_changes || !run.changes[i].rows.empty();
  }
  const bool has_window = window_ != nullptr && run.op.get() == window_;
  if (has_window) window_->SetWatermark(watermark_before_us_, inputs.watermark_now_us());
  if (has_changes || (!has_started_ && run.op->IsDue()) || (has_window && window_->HasToClose())) {
    QN_TRY(run.op->Step(run.changes, run.out));
    ++run.steps;
  }
  run.rows_out += static_cast<int64_t>(run.out.rows.size());
  run.scan->Set(&run.out);
  run.ns += clock_.MonotonicNs() - began_ns;
  return Ok();
}

int64_t CircuitRun::late_rows() const { return window_ == nullptr ? 0 : window_->late_rows(); }

Result<std::string> CircuitRun::LateSql(const Inputs& inputs,
                                        const std::vector<std::string>& with_origin) const {
  const plan::Fragment& fragment = circuit_.ops[window_plan_->op].inputs[0];
  QN_GET(const std::string rows, fragment.RowsSql(RelationsOf(inputs), with_origin));
  const std::string begin = "g.c" + std::to_string(window_plan_->options.group);
  std::string members;
  for (size_t i = 0; i < fragment.tree->columns.size(); ++i) {
    members += (i > 0 ? ", " : "") + QuoteText(fragment.tree->columns[i].name) + ": g.c" + std::to_string(i);
  }
  const std::string row = "encode(to_json({" + members + "})::VARCHAR)";
  const std::string origin =
      with_origin.empty()
          ? row + " AS raw, NULL::UINTEGER AS file, NULL::BIGINT AS line, "
          : "coalesce(g.__qn_raw, " + row + ") AS raw, g.__qn_file AS file, g.__qn_line AS line, ";
  const int64_t closed_us = window_->ClosedBegin(watermark_before_us_);
  return "SELECT " + origin + begin + "::VARCHAR AS begin FROM (" + rows + ") AS g WHERE epoch_us(" + begin +
         ") <= " + std::to_string(closed_us);
}

void CircuitRun::EndStep() {
  for (const auto& run : ops_) {
    run->scan->Set(nullptr);
    run->out.Clear();
    for (KeyedDelta& change : run->changes) change.Clear();
    for (trace::Trace* trace : run->op->Traces()) trace->EndStep();
  }
}

void CircuitRun::Clear() {
  EndStep();
  for (const auto& run : ops_) {
    for (trace::Trace* trace : run->op->Traces()) trace->Clear();
    if (window_ != nullptr) window_->Forget();
    for (OpRun::In& in : run->inputs) {
      KeyedDelta left;
      in.sink->MoveTo(left);
    }
    if (run->answer != nullptr) {
      KeyedDelta left;
      run->answer->MoveTo(left);
    }
  }
  has_started_ = false;
}

void CircuitRun::AddTraces(const std::string& prefix, trace::NamedTraces& out) const {
  for (size_t i = 0; i < ops_.size(); ++i) {
    const std::vector<trace::Trace*> traces = ops_[i]->op->Traces();
    for (size_t k = 0; k < traces.size(); ++k) {
      out.emplace_back(prefix + "/" + std::to_string(i) + "." + std::to_string(k), traces[k]);
    }
  }
}

Json CircuitRun::Stats() const {
  Json list{Json::Array{}};
  for (const auto& run : ops_) {
    size_t bytes = 0;
    for (const trace::Trace* trace : run->op->Traces()) bytes += trace->bytes();
    list.Push(Json(Json::Object{{"rows_in", run->rows_in},
                                {"rows_out", run->rows_out},
                                {"steps", run->steps},
                                {"seconds", static_cast<double>(run->ns) / 1e9},
                                {"state_bytes", static_cast<int64_t>(bytes)}}));
  }
  return Json(Json::Object{{"ops", std::move(list)}});
}

}  // namespace qn::app
