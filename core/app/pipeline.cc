// Binds sources, references and datasets, upstream first.
#include "app/pipeline.h"

#include <algorithm>
#include <map>
#include <set>

#include "app/columns.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace qn::app {
namespace {

class Builder {
 public:
  Builder(PipelineSpec spec, duck::Connection& scratch, plan::Compiler& compiler, Files& files)
      : columns_(scratch, files), compiler_(compiler) {
    pipeline_.spec = std::move(spec);
  }

  Result<Pipeline> Build() {
    for (const SourceSpec& source : pipeline_.spec.sources) QN_TRY(AddSource(source));
    for (const ReferenceSpec& reference : pipeline_.spec.references) QN_TRY(AddReference(reference));
    QN_TRY(OrderDatasets());
    for (const DatasetSpec* dataset : ordered_) QN_TRY(AddDataset(*dataset));
    return std::move(pipeline_);
  }

 private:
  Status AddSource(const SourceSpec& spec) {
    QN_GET(Source source, columns_.OfSource(spec));
    QN_TRY(compiler_.Declare({spec.name, source.columns, plan::Input::Kind::kStream}));
    if (source.is_inferred) {
      pipeline_.warnings.push_back(
          "The schema of source '" + spec.name + "' (" + spec.where +
          ") was read off its first file. Declare it, so that it stays:\n  schema=\"" +
          SchemaText(source.columns) + "\"");
    }
    pipeline_.sources.push_back(std::move(source));
    return Ok();
  }

  Status AddReference(const ReferenceSpec& spec) {
    QN_GET(Schema columns, columns_.OfReference(spec));
    QN_TRY(compiler_.Declare({spec.name, columns, plan::Input::Kind::kBounded}));
    pipeline_.references.push_back({spec, std::move(columns)});
    return Ok();
  }

  plan::Statement StatementOf(const DatasetSpec& dataset, const FlowSpec& flow, bool with_rules) {
    plan::Statement statement{
        dataset.name, flow.where, flow.sql, {}, dataset.kind == DatasetKind::kMaterializedView};
    if (!with_rules) return statement;
    for (const ExpectationSpec& rule : dataset.expectations) {
      statement.rules.push_back({rule.name, rule.condition, rule.where});
    }
    return statement;
  }

  // Depth first over what the statements name; Python has refused cycles, and this refuses them again.
  Status OrderDatasets() {
    std::map<std::string, const DatasetSpec*> by_name;
    for (const DatasetSpec& dataset : pipeline_.spec.datasets) by_name[dataset.name] = &dataset;
    std::set<std::string> done;
    std::vector<std::string> path;
    for (const DatasetSpec& dataset : pipeline_.spec.datasets) QN_TRY(Visit(dataset, by_name, done, path));
    return Ok();
  }

  Status Visit(const DatasetSpec& dataset, const std::map<std::string, const DatasetSpec*>& by_name,
               std::set<std::string>& done, std::vector<std::string>& path) {
    if (done.count(dataset.name) != 0) return Ok();
    if (std::find(path.begin(), path.end(), dataset.name) != path.end()) return Cycle(dataset, path);
    path.push_back(dataset.name);
    for (const FlowSpec& flow : dataset.flows) {
      QN_GET(const std::vector<std::string> reads, compiler_.Reads(StatementOf(dataset, flow, false)));
      for (const std::string& name : reads) {
        const auto found = by_name.find(name);
        if (found != by_name.end()) QN_TRY(Visit(*found->second, by_name, done, path));
      }
    }
    path.pop_back();
    done.insert(dataset.name);
    ordered_.push_back(&dataset);
    return Ok();
  }

  static Status Cycle(const DatasetSpec& dataset, const std::vector<std::string>& path) {
    std::string drawn;
    for (auto at = std::find(path.begin(), path.end(), dataset.name); at != path.end(); ++at)
      drawn += *at + " → ";
    return Invalid("QN-1204", "The datasets read each other in a circle.")
        .With("at " + dataset.where + ":  " + drawn + dataset.name)
        .With("Nothing was started.");
  }

  Status AddDataset(const DatasetSpec& spec) {
    Dataset dataset;
    dataset.spec = spec;
    for (const FlowSpec& flow : spec.flows) {
      QN_GET(Flow compiled, CompileFlow(dataset, flow));
      dataset.flows.push_back(std::move(compiled));
    }
    if (spec.flows.empty()) return NoFlow(spec);
    dataset.has_event_time = HasEventTime(dataset);
    QN_TRY(SettleColumns(dataset));
    QN_TRY(CheckPartitions(dataset));
    QN_TRY(CheckReads(dataset));
    if (!dataset.is_inlined()) {
      const auto kind = dataset.is_recomputed() ? plan::Input::Kind::kBounded : plan::Input::Kind::kStream;
      QN_TRY(compiler_.Declare({spec.name, dataset.columns, kind}));
    }
    pipeline_.datasets.push_back(std::move(dataset));
    return Ok();
  }

  Result<Flow> CompileFlow(const Dataset& dataset, const FlowSpec& spec) {
    Flow flow;
    flow.spec = spec;
    const bool has_function = spec.function.id >= 0;
    const plan::Statement statement = StatementOf(dataset.spec, spec, !has_function);
    QN_GET(flow.query,
           dataset.is_inlined() ? compiler_.DeclareView(statement) : compiler_.Compile(statement));
    flow.has_event_time = std::any_of(flow.query.inputs.begin(), flow.query.inputs.end(),
                                      [this](const std::string& name) { return HasEventTime(name); });
    if (flow.query.mode == plan::Mode::kStream) ops::ReplacePatterns(*flow.query.tree, flow.patterns);
    const bool follows = dataset.is_view() && !has_function && flow.query.tree != nullptr;
    if (follows) QN_TRY(PlanView(dataset, flow));
    if (dataset.is_view() && flow.query.tree == nullptr) {
      flow.why_recomputed = "its SQL reads files itself; declared as a reference they leave it to follow";
    }
    if (flow.circuit.has_value()) Settle(dataset.spec, flow);
    if (!has_function) return flow;
    QN_GET(flow.function_columns, columns_.OfText(spec.function.schema, spec.where, "the function's schema"));
    const std::string relation = FunctionRelation(dataset.spec.name, spec.name);
    QN_TRY(compiler_.Declare({relation, flow.function_columns, plan::Input::Kind::kStream}));
    plan::Statement answer = StatementOf(dataset.spec, spec, true);
    answer.sql = "SELECT * FROM " + QuoteName(relation);
    QN_GET(flow.answer, compiler_.Compile(answer));
    ops::ReplacePatterns(*flow.answer->tree, flow.patterns);
    return flow;
  }

  // The fingerprint is that of what was written; what runs need not say it.
  static void Settle(const DatasetSpec& spec, Flow& flow) {
    flow.fingerprint = flow.circuit->Fingerprint();
    std::string more = RulesText(spec);
    if (flow.window.has_value()) {
      const ops::WindowOptions& window = flow.window->options;
      const plan::WindowPath::Key& begin = flow.window->path.keys[0];
      more += "window #" + std::to_string(begin.op) + "." + std::to_string(begin.column) + " of " +
              std::to_string(window.size_us) + " + " + std::to_string(window.lateness_us) +
              (window.emits_on_close ? " held back" : "");
    }
    if (!more.empty()) flow.fingerprint += "/" + std::to_string(Crc32c(more));
    flow.circuit->ForTrees([&flow](plan::Node& tree) { ops::ReplacePatterns(tree, flow.patterns); });
  }

  // What is recomputed whole gives no changes that could be followed.
  Status PlanView(const Dataset& dataset, Flow& flow) const {
    const auto is_stream = [this](const std::string& name) {
      const Dataset* upstream = pipeline_.FindDataset(name);
      return upstream != nullptr ? !upstream->is_recomputed() : pipeline_.FindSource(name) != nullptr;
    };
    bool has_stream = false;
    for (const std::string& name : flow.query.inputs) {
      const Dataset* upstream = pipeline_.FindDataset(name);
      if (upstream != nullptr && upstream->is_recomputed()) {
        flow.why_recomputed = "it reads '" + name + "', which is computed whole";
        return Ok();
      }
      has_stream = has_stream || is_stream(name);
    }
    if (!has_stream) return Ok();
    plan::CircuitOptions options;
    options.is_stream = is_stream;
    options.is_weighted = [this](const std::string& name) {
      const Dataset* upstream = pipeline_.FindDataset(name);
      return upstream != nullptr && upstream->is_weighted();
    };
    Result<plan::Circuit> planned = plan::PlanCircuit(*flow.query.tree, options);
    if (!planned.ok()) {
      return Status(planned.status())
          .With("at " + flow.spec.where + ", in the view '" + dataset.spec.name + "'")
          .With("Nothing was started.");
    }
    flow.circuit = std::move(planned).value();
    if (dataset.spec.window.column.empty()) return Ok();
    QN_GET(flow.window, WindowOf(dataset.spec, flow));
    const bool is_aggregate =
        flow.circuit->ops[flow.window->last_op()].kind == plan::CircuitOp::Kind::kAggregate;
    if (!flow.window->options.emits_on_close || !is_aggregate) return Ok();
    // What comes out once is never taken back: what is above it is planned anew.
    options.emits_once = flow.circuit->ops[flow.window->last_op()].identity;
    QN_GET(flow.circuit, plan::PlanCircuit(*flow.query.tree, options));
    QN_GET(flow.window, WindowOf(dataset.spec, flow));
    QN_CHECK(flow.circuit->ops[flow.window->last_op()].identity == options.emits_once);
    return Ok();
  }

  // The output column that is the begin of the windows, followed down to a group of an aggregate.
  Result<WindowPlan> WindowOf(const DatasetSpec& spec, const Flow& flow) const {
    const int column = ColumnIndex(flow.query.columns, spec.window.column);
    const auto refuse = [&spec](const std::string& why, const std::string& advice) {
      return Invalid("QN-1218", "The windows of the view '" + spec.name + "' cannot end: " + why)
          .With("at " + spec.where + ", window=\"" + spec.window.column + "\"")
          .With(advice)
          .With("Nothing was started.");
    };
    if (column < 0) {
      return refuse("it has no column '" + spec.window.column + "'.",
                    "It has: " + ColumnNames(flow.query.columns));
    }
    auto path = plan::WindowPathOf(*flow.circuit, static_cast<size_t>(column));
    if (!path.has_value()) {
      return refuse("the column is no group of aggregates that are kept up to date natively.",
                    "Group by it, with count, sum, avg, min, max: time_bucket(INTERVAL 1 MINUTE, ts) AS " +
                        spec.window.column);
    }
    WindowPlan window;
    window.path = std::move(*path);
    const plan::CircuitOp& last = flow.circuit->ops[window.last_op()];
    const Type& type_of_begin = last.inputs[0].columns[window.path.keys[0].column].type;
    const TypeId type = type_of_begin.id;
    if (type != TypeId::kTimestamp && type != TypeId::kTimestampTz && type != TypeId::kDate) {
      return refuse("the column is " + type_of_begin.ToSql() + ".",
                    "A window begins at a TIMESTAMP or a DATE.");
    }
    if (!flow.has_event_time) {
      return refuse("none of its inputs has event time.",
                    "Say how late events may be: qn.source(…, event_time=\"ts\", watermark=\"30 seconds\")");
    }
    window.options.emits_on_close = spec.window.emits_on_close;
    QN_GET(window.options.size_us, ParseDuration(spec.window.size, spec.where));
    if (!spec.window.lateness.empty()) {
      QN_GET(window.options.lateness_us, ParseDuration(spec.window.lateness, spec.where));
    }
    return window;
  }

  bool HasEventTime(const std::string& name) const {
    if (const Source* source = pipeline_.FindSource(name)) return source->event_time_column >= 0;
    const Dataset* dataset = pipeline_.FindDataset(name);
    return dataset != nullptr && dataset->has_event_time;
  }

  // Rows of a flow that has no event time may be of any time: then that of the others says nothing. What
  // reads references alone is there at once.
  bool HasEventTime(const Dataset& dataset) const {
    bool has_any = false;
    for (const Flow& flow : dataset.flows) {
      has_any = has_any || flow.has_event_time;
      const auto& inputs = flow.query.inputs;
      const bool reads_stream = std::any_of(inputs.begin(), inputs.end(), [this](const std::string& name) {
        return pipeline_.FindReference(name) == nullptr;
      });
      if (reads_stream && !flow.has_event_time) return false;
    }
    return has_any;
  }

  static Status NoFlow(const DatasetSpec& spec) {
    return Invalid("QN-1211", "Nothing flows into the table '" + spec.name + "'.")
        .With("at " + spec.where)
        .With("Add a flow:  @qn.append_flow(target=\"" + spec.name + "\")")
        .With("Nothing was started.");
  }

  // The declared schema where there is one, otherwise the first flow's; every flow must fit it by name.
  Status SettleColumns(Dataset& dataset) {
    const DatasetSpec& spec = dataset.spec;
    const auto columns_of = [](const Flow& flow) -> const Schema& {
      return flow.answer.has_value() ? flow.answer->columns : flow.query.columns;
    };
    dataset.columns = columns_of(dataset.flows[0]);
    if (!spec.schema.empty()) {
      QN_GET(dataset.columns,
             columns_.OfText(spec.schema, spec.where, "the schema of dataset '" + spec.name + "'"));
    }
    for (const Flow& flow : dataset.flows) QN_TRY(CheckFits(dataset, flow.spec, columns_of(flow)));
    return Ok();
  }

  static Status CheckFits(const Dataset& dataset, const FlowSpec& flow, const Schema& columns) {
    for (const Field& field : dataset.columns) {
      if (ColumnIndex(columns, field.name) < 0)
        return DoesNotFit(dataset, flow, columns, field.name, "lacks");
    }
    for (const Field& field : columns) {
      if (ColumnIndex(dataset.columns, field.name) < 0) {
        return DoesNotFit(dataset, flow, columns, field.name, "has no place for");
      }
    }
    return Ok();
  }

  static Status DoesNotFit(const Dataset& dataset, const FlowSpec& flow, const Schema& columns,
                           const std::string& column, const std::string& verb) {
    const bool lacks = verb == "lacks";
    return Invalid(
               "QN-1213",
               lacks ? "A flow into '" + dataset.spec.name + "' lacks the column '" + column + "'."
                     : "The table '" + dataset.spec.name + "' has no place for the column '" + column + "'.")
        .With("at " + flow.where + ", in the flow '" + flow.name + "'")
        .With("the flow gives: " + ColumnNames(columns))
        .With("the table has:  " + ColumnNames(dataset.columns))
        .With("Nothing was started.");
  }

  static Status CheckPartitions(const Dataset& dataset) {
    for (const std::string& column : dataset.spec.partition_cols) {
      if (ColumnIndex(dataset.columns, column) >= 0) continue;
      std::vector<std::string> names;
      for (const Field& field : dataset.columns) names.push_back(field.name);
      Status status =
          Invalid("QN-1203", "Column '" + column + "' does not exist in dataset '" + dataset.spec.name + "'.")
              .With("at " + dataset.spec.where + ", in partition_cols")
              .With("'" + dataset.spec.name + "' has: " + ColumnNames(dataset.columns));
      const std::string near = NearestName(column, names);
      if (!near.empty()) status.With("Did you mean '" + near + "'?");
      return status.With("Nothing was started.");
    }
    if (!dataset.spec.partition_cols.empty() &&
        dataset.spec.partition_cols.size() >= dataset.columns.size()) {
      return Invalid("QN-1214", "Every column of '" + dataset.spec.name + "' is a partition column.")
          .With("at " + dataset.spec.where)
          .With("A table needs at least one column beside them.")
          .With("Nothing was started.");
    }
    return Ok();
  }

  // What is appended to cannot follow what is rewritten.
  Status CheckReads(const Dataset& dataset) const {
    if (dataset.is_view()) return Ok();
    for (const Flow& flow : dataset.flows) {
      for (const std::string& name : flow.query.inputs) {
        const Dataset* upstream = pipeline_.FindDataset(name);
        if (upstream == nullptr || !upstream->is_view()) continue;
        return Invalid("QN-1219", "The table '" + dataset.spec.name +
                                      "' cannot follow the materialized view '" + name + "'.")
            .With("at " + flow.spec.where)
            .With("A view's rows change; a table only ever gets rows added.")
            .With("Make '" + dataset.spec.name + "' a materialized view too.")
            .With("Nothing was started.");
      }
    }
    return Ok();
  }

  Columns columns_;
  plan::Compiler& compiler_;
  Pipeline pipeline_;
  std::vector<const DatasetSpec*> ordered_;
};

template <typename T>
const T* Find(const std::vector<T>& items, std::string_view name) {
  for (const T& item : items) {
    if (item.spec.name == name) return &item;
  }
  return nullptr;
}

}  // namespace

const Source* Pipeline::FindSource(std::string_view name) const { return Find(sources, name); }
const Reference* Pipeline::FindReference(std::string_view name) const { return Find(references, name); }
const Dataset* Pipeline::FindDataset(std::string_view name) const { return Find(datasets, name); }

std::string RulesText(const DatasetSpec& dataset) {
  std::string text;
  for (const ExpectationSpec& rule : dataset.expectations) {
    text += QuoteText(rule.name) + " " + std::to_string(static_cast<int>(rule.action)) + "\n";
  }
  return text;
}

std::string FunctionRelation(const std::string& dataset, const std::string& flow) {
  return "qn_answer_" + dataset + "_" + flow;
}

Result<Pipeline> BuildPipeline(PipelineSpec spec, std::shared_ptr<const duck::Api> api, Files& files) {
  duck::Options options;
  options.threads = 1;  // it only binds
  QN_GET(const std::unique_ptr<duck::Database> database, duck::Database::Open(std::move(api), options));
  QN_GET(const std::unique_ptr<duck::Connection> probe, database->Connect());
  QN_GET(const std::unique_ptr<duck::Connection> scratch, database->Connect());
  QN_GET(const std::unique_ptr<plan::Compiler> compiler, plan::Compiler::Open(*scratch));
  return Builder(std::move(spec), *probe, *compiler, files).Build();
}

}  // namespace qn::app
