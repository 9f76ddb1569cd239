// Fragments become statements that end in a sink; operators' answers become scans.
#include "app/circuit_run.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include "ops/aggregate.h"
#include "ops/bag.h"
#include "ops/distinct.h"
#include "ops/join.h"
#include "ops/recompute.h"

namespace qn::app {
namespace {

using plan::CircuitOp;

std::vector<Type> KeyTypes(const plan::Fragment& fragment) {
  return TypesOf(fragment.columns, 0, fragment.key_count);
}
std::vector<Type> RowTypes(const plan::Fragment& fragment) {
  return TypesOf(fragment.columns, fragment.key_count);
}

const char* WordsFor(CircuitOp::Kind kind) {
  switch (kind) {
    case CircuitOp::Kind::kAggregate:
      return "a GROUP BY";
    case CircuitOp::Kind::kJoin:
      return "a join";
    case CircuitOp::Kind::kDistinct:
      return "a DISTINCT";
    case CircuitOp::Kind::kBag:
      return "an EXCEPT ALL or INTERSECT ALL";
    case CircuitOp::Kind::kRecompute:
      return "a part that is answered anew where it changed";
  }
  QN_CHECK(false);
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

namespace {

// A statement that is the same in most steps: prepared once.
class OneStatement {
 public:
  Status Run(duck::Connection& connection, std::string sql) {
    if (prepared_ == nullptr || sql != sql_) {
      QN_GET(prepared_, connection.Prepare(sql));
      sql_ = std::move(sql);
    }
    return prepared_->Run().status();
  }

 private:
  std::string sql_;
  std::unique_ptr<duck::Prepared> prepared_;
};

}  // namespace

// One operator, what feeds it and what it gave.
struct CircuitRun::OpRun {
  OpRun(const CircuitOp& plan_given, size_t number_given, trace::Budget& budget)
      : plan(&plan_given), number(number_given), in_hand(budget) {}
  struct In {
    const plan::Fragment* fragment = nullptr;
    std::string sink_name;
    std::unique_ptr<ops::DeltaSink> sink;
    OneStatement statement;
    bool is_filled = false;  // in this step, with others

    // The SELECT that puts the fragment's rows into the sink.
    Result<std::string> Sql(const plan::Relations& relations) const {
      QN_GET(const std::string rows, fragment->Sql(relations));
      std::string columns = NumberedColumns(fragment->columns.size());
      if (fragment->is_weighted) columns += std::string(columns.empty() ? "" : ", ") + plan::kWeightColumn;
      return "SELECT count(*) FROM (" + rows + ") AS q WHERE " + sink_name + "(" + columns + ")";
    }
  };
  const CircuitOp* plan;
  size_t number;  // from 1
  std::vector<In> inputs;
  std::unique_ptr<ops::Operator> op;
  std::vector<KeyedDelta> changes;  // in, of the step
  Delta out;
  trace::Charge in_hand;  // for `changes` and `out`
  std::string scan_name;
  std::unique_ptr<ops::DeltaScan> scan;
  // Of an operator between the inputs and windows that end: the begins in its keys.
  std::optional<ops::WindowBegins> begins;
  bool is_leaf = false;  // it reads inputs, not operators

  // kRecompute: the rows of the changed keys, and where DuckDB's answer over them goes.
  std::vector<std::string> gather_names;
  std::vector<std::unique_ptr<ops::GatherScan>> gathers;
  std::string answer_name;
  std::unique_ptr<ops::DeltaSink> answer;
  std::string answer_sql;

  int64_t rows_in = 0, rows_out = 0, ns = 0, steps = 0;

  // Who filled `changes` and `out` was charged for it until now.
  void Recount() {
    uint64_t held = out.held();
    for (const KeyedDelta& change : changes) held += change.held();
    in_hand.HoldAnyway(held);
  }
};

struct CircuitRun::Shared {
  std::string input;
  struct Reader {
    OpRun* run;
    OpRun::In* in;
  };
  std::vector<Reader> readers;
  std::string columns;  // that any of them needs
  OneStatement statement;
};

CircuitRun::CircuitRun(duck::Connection& connection, const Clock& clock, const Flow& flow)
    : connection_(connection),
      clock_(clock),
      name_(flow.spec.name),
      where_(flow.spec.where),
      circuit_(*flow.circuit),
      window_plan_(flow.window) {}
CircuitRun::~CircuitRun() = default;

Result<std::unique_ptr<CircuitRun>> CircuitRun::Make(duck::Connection& connection, const Clock& clock,
                                                     const Flow& flow, trace::Budget& budget) {
  std::unique_ptr<CircuitRun> run(new CircuitRun(connection, clock, flow));
  for (size_t i = 0; i < flow.circuit->ops.size(); ++i) QN_TRY(run->MakeOp(i, budget));
  run->FindShared();
  return run;
}

void CircuitRun::FindShared() {
  std::map<std::string, std::vector<Shared::Reader>> readers;
  for (const auto& run : ops_) {
    for (OpRun::In& in : run->inputs) {
      if (in.fragment->reads.size() == 1) readers[in.fragment->reads[0]].push_back({run.get(), &in});
    }
  }
  for (const plan::CircuitInput& input : circuit_.inputs) {
    if (input.is_once || readers[input.name].size() < 2) continue;
    auto shared = std::make_unique<Shared>();
    shared->input = input.name;
    shared->readers = readers[input.name];
    std::set<std::string> columns;
    for (const Shared::Reader& reader : shared->readers) {
      for (std::string& column : reader.in->fragment->ColumnsRead(input.name))
        columns.insert(std::move(column));
    }
    for (const std::string& column : columns) {
      shared->columns += (shared->columns.empty() ? "" : ", ") + QuoteName(column);
    }
    if (input.is_weighted)
      shared->columns += (shared->columns.empty() ? "" : ", ") + std::string(plan::kWeightColumn);
    if (shared->columns.empty()) shared->columns = "1 AS one";
    shared_.push_back(std::move(shared));
  }
}

Status CircuitRun::MakeOp(size_t index, trace::Budget& budget) {
  auto run = std::make_unique<OpRun>(circuit_.ops[index], index + 1, budget);
  const CircuitOp& plan = *run->plan;
  for (const plan::Fragment& fragment : plan.inputs) {
    OpRun::In in;
    in.fragment = &fragment;
    in.sink_name = UniqueName("input");
    in.sink = std::make_unique<ops::DeltaSink>(KeyTypes(fragment), RowTypes(fragment), fragment.strict_keys,
                                               fragment.is_weighted, budget);
    QN_TRY(duck::RegisterRowSink(connection_, in.sink_name, in.sink->Arguments(), *in.sink));
    run->inputs.push_back(std::move(in));
  }
  run->changes.resize(plan.inputs.size());
  MakeWindows(*run, index, budget);
  QN_GET(run->op, MakeOperator(*run, budget));
  run->scan_name = UniqueName("change");
  QN_GET(run->scan, ops::DeltaScan::Make(plan));
  QN_TRY(duck::RegisterScan(connection_, run->scan_name, *run->scan));
  ops_.push_back(std::move(run));
  return Ok();
}

void CircuitRun::MakeWindows(OpRun& run, size_t index, trace::Budget& budget) {
  if (!window_plan_.has_value()) return;
  const plan::WindowPath& path = window_plan_->path;
  for (const plan::WindowPath::Key& key : path.keys) {
    if (key.op != index) continue;
    run.begins.emplace(KeyTypes(run.plan->inputs[0]), duck::Encoding::kKey, key.column);
  }
  for (const plan::WindowPath::Leaf& leaf : path.leaves) run.is_leaf = run.is_leaf || leaf.op == index;
  if (index != window_plan_->last_op() || !window_plan_->options.emits_on_close) return;
  // What comes out begins with the key, or, of a join, with the left row.
  const plan::Fragment& left = run.plan->inputs[0];
  const bool is_join = run.plan->kind == CircuitOp::Kind::kJoin;
  const size_t width = is_join ? left.columns.size() - left.key_count : left.key_count;
  const bool is_right = path.output_column >= width;
  ops::WindowBegins begins(is_right  ? RowTypes(run.plan->inputs[1])
                           : is_join ? RowTypes(left)
                                     : KeyTypes(left),
                           is_join ? duck::Encoding::kRow : duck::Encoding::kKey,
                           path.output_column - (is_right ? width : 0));
  gate_ = std::make_unique<ops::WindowGate>(window_plan_->options, std::move(begins), is_right, budget);
}

Result<std::unique_ptr<ops::Operator>> CircuitRun::MakeOperator(OpRun& run, trace::Budget& budget) {
  const CircuitOp& plan = *run.plan;
  switch (plan.kind) {
    case CircuitOp::Kind::kAggregate:
      return ops::MakeAggregate(plan, budget);
    case CircuitOp::Kind::kJoin:
      return ops::MakeJoin(plan, run.begins.has_value(), budget);
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
  run.answer = std::make_unique<ops::DeltaSink>(std::move(keys), TypesOf(plan.columns), 0, false, budget);
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
  if (!status.ok()) return run.answer->failure().ok() ? status : run.answer->failure();
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
  has_late_rows_ = false;
  for (const auto& shared : shared_) QN_TRY(FillShared(*shared, inputs));
  for (const auto& run : ops_) {
    const Status status = RunOp(*run, inputs);
    if (!status.ok()) return Told(*run, status);
  }
  if (window_plan_.has_value()) QN_TRY(ExpireWindows(inputs.watermark_now_us()));
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

Status CircuitRun::FillShared(Shared& shared, const Inputs& inputs) {
  if (!inputs.has_rows(shared.input)) return Ok();
  std::string sql = "WITH qn_shared AS MATERIALIZED (SELECT " + shared.columns + " FROM " +
                    inputs.relation(shared.input) + ") SELECT ";
  const plan::Relations all = RelationsOf(inputs);
  const plan::Relations relations = {[&](const std::string& name) {
    return name == shared.input ? std::string("qn_shared") : all.relation(name);
  }};
  const int64_t began_ns = clock_.MonotonicNs();
  for (const Shared::Reader& reader : shared.readers) {
    QN_GET(const std::string select, reader.in->Sql(relations));
    sql += (&reader == &shared.readers[0] ? "(" : ", (") + select + ")";
  }
  const Status status = shared.statement.Run(connection_, std::move(sql));
  for (const Shared::Reader& reader : shared.readers) {
    if (!reader.in->sink->failure().ok()) return Told(*reader.run, reader.in->sink->failure());
  }
  QN_TRY(status);
  const int64_t ns = (clock_.MonotonicNs() - began_ns) / static_cast<int64_t>(shared.readers.size());
  for (const Shared::Reader& reader : shared.readers) {
    reader.in->is_filled = true;
    reader.run->ns += ns;
  }
  return Ok();
}

// Evaluates what feeds an operator.
Status CircuitRun::Fill(OpRun& run, const Inputs& inputs) {
  for (size_t i = 0; i < run.inputs.size(); ++i) {
    OpRun::In& in = run.inputs[i];
    run.changes[i].Clear();
    if (!HasRows(in.fragment->reads, inputs)) continue;
    if (!in.is_filled) {
      QN_GET(std::string sql, in.Sql(RelationsOf(inputs)));
      const Status status = in.statement.Run(connection_, std::move(sql));
      if (!status.ok()) return in.sink->failure().ok() ? status : in.sink->failure();
    }
    in.is_filled = false;
    in.sink->MoveTo(run.changes[i]);
    run.Recount();  // what the sink has just given back
    run.rows_in += static_cast<int64_t>(run.changes[i].rows.size());
  }
  if (!run.is_leaf) return Ok();
  DropLate(run);
  // Windows that close with this step: all leaves read the same inputs, so the watermark is where it will be.
  const int64_t closes = window_plan_->options.ClosedBegin(inputs.watermark_now_us());
  if (closes == ops::kNoTime) return Ok();
  run.op->SetLastTime(
      [&begins = *run.begins, closes](std::string_view key) { return begins.Of(key) <= closes; });
  return Ok();
}

// Rows of windows that were closed before this step.
void CircuitRun::DropLate(OpRun& run) {
  const int64_t closed = window_plan_->options.ClosedBegin(watermark_before_us_);
  if (closed == ops::kNoTime) return;
  for (KeyedDelta& change : run.changes) {
    const size_t gone = std::erase_if(
        change.rows, [&run, closed](const KeyedRow& row) { return run.begins->Of(row.key) <= closed; });
    has_late_rows_ = has_late_rows_ || gone > 0;
  }
}

Status CircuitRun::RunOp(OpRun& run, const Inputs& inputs) {
  const int64_t began_ns = clock_.MonotonicNs();
  QN_TRY(Fill(run, inputs));
  const bool has_changes = std::any_of(run.changes.begin(), run.changes.end(),
                                       [](const KeyedDelta& change) { return !change.rows.empty(); });
  if (has_changes || (!has_started_ && run.op->IsDue())) {
    QN_TRY(run.op->Step(run.changes, run.out));
    run.Recount();
    ++run.steps;
  }
  if (gate_ != nullptr && &run == ops_[window_plan_->last_op()].get()) {
    QN_TRY(gate_->Pass(run.out, inputs.watermark_now_us()));
    run.Recount();
  }
  run.rows_out += static_cast<int64_t>(run.out.rows.size());
  run.scan->Set(&run.out);
  run.ns += clock_.MonotonicNs() - began_ns;
  return Ok();
}

// To look at all keys costs as much as there are, so it is done when an eighth of the wait has passed: that
// much more is remembered at most.
Status CircuitRun::ExpireWindows(int64_t watermark_us) {
  const ops::WindowOptions& options = window_plan_->options;
  const int64_t closed = options.ClosedBegin(watermark_us);
  if (closed == ops::kNoTime) return Ok();
  if (expired_us_ != ops::kNoTime && closed - expired_us_ < (options.size_us + options.lateness_us) / 8) {
    return Ok();
  }
  expired_us_ = closed;
  for (const auto& run : ops_) {
    if (!run->begins.has_value()) continue;
    const ops::WindowBegins& begins = *run->begins;
    QN_TRY(run->op->Expire([&begins, closed](std::string_view key) { return begins.Of(key) <= closed; }));
  }
  return Ok();
}

bool CircuitRun::HasToClose(int64_t watermark_us) const {
  return gate_ != nullptr && gate_->HasToCloseAt(watermark_us);
}

namespace {

// Whether a column, the begin of windows, is not above a number of microseconds.
std::string IsClosed(const std::string& column, const Type& type, int64_t closed_us) {
  if (type.id == TypeId::kDate) {
    constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
    const int64_t days = closed_us / kDayUs - (closed_us % kDayUs < 0 ? 1 : 0);
    return column + " <= DATE '1970-01-01' + (" + std::to_string(days) + ")::INTEGER";
  }
  return column + " <= make_timestamp(" + std::to_string(closed_us) + ")" +
         (type.id == TypeId::kTimestampTz ? "::TIMESTAMPTZ" : "");
}

}  // namespace

// A full memory is of all views together: this is the one that found no more.
Status CircuitRun::Told(const OpRun& run, const Status& status) const {
  if (status.code() != "QN-3601") return status;
  Status told(status.kind(), status.code(), status.text());
  told.With("at " + where_ + ", in the view '" + name_ + "': operator " + std::to_string(run.number) + ", " +
            WordsFor(run.plan->kind) + ", found no room for the step's rows.");
  for (const std::string& line : status.lines()) told.With(line);
  return told;
}

Result<std::string> CircuitRun::LateSql(const Inputs& inputs,
                                        const std::vector<std::string>& with_origin) const {
  // An aggregate has all rows; what feeds a DISTINCT may leave some out.
  const auto& leaves = window_plan_->path.leaves;
  const auto whole = std::find_if(leaves.begin(), leaves.end(), [this](const plan::WindowPath::Leaf& each) {
    return circuit_.ops[each.op].kind == CircuitOp::Kind::kAggregate;
  });
  const plan::WindowPath::Leaf& leaf = whole == leaves.end() ? leaves[0] : *whole;
  const plan::Fragment& fragment = circuit_.ops[leaf.op].inputs[leaf.input];
  QN_GET(const std::string rows, fragment.RowsSql(RelationsOf(inputs), with_origin));
  const std::string begin = "g.c" + std::to_string(leaf.column);
  std::string members;
  for (size_t i = 0; i < fragment.tree->columns.size(); ++i) {
    members += (i > 0 ? ", " : "") + QuoteText(fragment.tree->columns[i].name) + ": g.c" + std::to_string(i);
  }
  const std::string row = "encode(to_json({" + members + "})::VARCHAR)";
  const std::string origin =
      with_origin.empty()
          ? row + " AS raw, NULL::UINTEGER AS file, NULL::BIGINT AS line, "
          : "coalesce(g.__qn_raw, " + row + ") AS raw, g.__qn_file AS file, g.__qn_line AS line, ";
  const int64_t closed_us = window_plan_->options.ClosedBegin(watermark_before_us_);
  return "SELECT " + origin + begin + "::VARCHAR AS begin FROM (" + rows + ") AS g WHERE " +
         IsClosed(begin, fragment.columns[leaf.column].type, closed_us);
}

void CircuitRun::EndStep() {
  for (const auto& run : ops_) {
    run->scan->Set(nullptr);
    run->out.Clear();
    for (KeyedDelta& change : run->changes) change.Clear();
    run->in_hand.Clear();
    for (trace::Trace* trace : run->op->Traces()) trace->EndStep();
  }
  if (gate_ != nullptr) gate_->trace().EndStep();
}

void CircuitRun::Clear() {
  EndStep();
  for (const auto& run : ops_) {
    for (trace::Trace* trace : run->op->Traces()) trace->Clear();
    for (OpRun::In& in : run->inputs) {
      KeyedDelta left;
      in.sink->MoveTo(left);
    }
    if (run->answer != nullptr) {
      KeyedDelta left;
      run->answer->MoveTo(left);
    }
  }
  if (gate_ != nullptr) gate_->trace().Clear();
  expired_us_ = ops::kNoTime;
  has_started_ = false;
}

void CircuitRun::AddTraces(const std::string& prefix, trace::NamedTraces& out) const {
  for (size_t i = 0; i < ops_.size(); ++i) {
    const std::vector<trace::Trace*> traces = ops_[i]->op->Traces();
    for (size_t k = 0; k < traces.size(); ++k) {
      out.emplace_back(prefix + "/" + std::to_string(i) + "." + std::to_string(k), traces[k]);
    }
  }
  if (gate_ != nullptr) out.emplace_back(prefix + "/gate", &gate_->trace());
}

Json CircuitRun::Stats() const {
  Json list{Json::Array{}};
  for (const auto& run : ops_) {
    size_t bytes = 0;
    for (const trace::Trace* trace : run->op->Traces()) bytes += trace->bytes();
    if (gate_ != nullptr && run == ops_[window_plan_->last_op()]) bytes += gate_->trace().bytes();
    list.Push(Json(Json::Object{{"rows_in", run->rows_in},
                                {"rows_out", run->rows_out},
                                {"steps", run->steps},
                                {"seconds", static_cast<double>(run->ns) / 1e9},
                                {"state_bytes", static_cast<int64_t>(bytes)}}));
  }
  return Json(Json::Object{{"ops", std::move(list)}});
}

}  // namespace qn::app
