// Binds statements against stubs, checks them, and keeps their tree.
#include "plan/compile.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "plan/analyse.h"
#include "plan/parse_tree.h"
#include "plan/read_plan.h"
#include "plan/retell.h"
#include "plan/signature.h"
#include "plan/sql_text.h"
#include "plan/write_sql.h"

namespace qn::plan {
namespace {

// The optimizers that bring a plan into a form that we can read: decorrelated, and CTEs used once inlined.
// Everything else is left to DuckDB when the fragment is prepared (docs/decisions/002-bound-plan.md).
constexpr const char* kOptimizersSql =
    "SELECT string_agg(name, ',') FROM duckdb_optimizers() "
    "WHERE name NOT IN ('deliminator', 'unnest_rewriter', 'cte_inlining')";

const std::string kSelect = "SELECT ";

std::string RuleName(size_t index) { return "__qn_rule" + std::to_string(index); }

Place PlaceOf(const Statement& statement, const std::string& sql) {
  return {statement.where, "dataset", statement.dataset, statement.dataset, sql};
}

Place PlaceOf(const Statement& statement, const Rule& rule) {
  return {rule.where.empty() ? statement.where : rule.where, "expectation", rule.name, statement.dataset,
          rule.condition};
}

bool SameName(const std::string& a, const std::string& b) { return ColumnIndex({{a, {}, true, ""}}, b) == 0; }

// The statement with one more column a rule, as one SELECT.
std::string WithRules(const std::string& sql, const std::string& name,
                      const std::vector<std::string>& conditions) {
  std::string out = "SELECT *";
  for (size_t i = 0; i < conditions.size(); ++i) {
    out +=
        ", (" + conditions[i] + "\n) AS " + QuoteName(RuleName(i));  // a new line: it may end with a comment
  }
  return out + " FROM (" + sql + "\n) AS " + QuoteName(name);
}

Status NeedsMoreRows(const Place& place, const std::string& what) {
  return Invalid("QN-1210", "The condition of expectation '" + place.name +
                                "' looks at more than one row: " + what + ".")
      .With(At(place))
      .With(
          "A rule is checked row by row, as rows come in. Compute the value in the SQL of a materialized "
          "view.")
      .With(kNothingStarted);
}

std::vector<std::string> Conditions(const Statement& statement) {
  std::vector<std::string> out;
  for (const Rule& rule : statement.rules) out.push_back(rule.condition);
  return out;
}

}  // namespace

Result<std::unique_ptr<Compiler>> Compiler::Open(duck::Connection& scratch) {
  std::unique_ptr<Compiler> compiler(new Compiler(scratch));
  QN_GET(duck::Rows optimizers, scratch.Query(kOptimizersSql));
  QN_TRY(scratch.Query("SET disabled_optimizers = " + QuoteText(optimizers.rows[0][0].Str())).status());
  return compiler;
}

Status Compiler::Declare(const Input& input) {
  std::string columns;
  for (const Field& field : input.columns) {
    columns += (columns.empty() ? "" : ", ") + QuoteName(field.name) + " " + field.type.ToSql();
  }
  if (columns.empty()) return Invalid("QN-1207", "'" + input.name + "' has no columns.");
  QN_TRY(scratch_.Query("CREATE OR REPLACE TABLE " + QuoteName(input.name) + " (" + columns + ")").status());
  std::erase_if(inputs_, [&input](const Input& old) { return SameName(old.name, input.name); });
  inputs_.push_back(input);
  return Ok();
}

const Input* Compiler::FindInput(const std::string& name) const {
  for (const Input& input : inputs_) {
    if (SameName(input.name, name)) return &input;
  }
  return nullptr;
}

const Compiler::View* Compiler::FindView(const std::string& name) const {
  for (const View& view : views_) {
    if (SameName(view.name, name)) return &view;
  }
  return nullptr;
}

std::vector<std::pair<std::string, std::string>> Compiler::ViewsBehind(std::vector<std::string> reads) const {
  std::vector<bool> is_behind(views_.size());
  for (size_t next = 0; next < reads.size(); ++next) {
    for (size_t i = 0; i < views_.size(); ++i) {
      if (is_behind[i] || !SameName(views_[i].name, reads[next])) continue;
      is_behind[i] = true;
      reads.insert(reads.end(), views_[i].reads.begin(), views_[i].reads.end());
    }
  }
  std::vector<std::pair<std::string, std::string>> views;
  for (size_t i = 0; i < views_.size(); ++i) {
    if (is_behind[i]) views.emplace_back(views_[i].name, views_[i].sql);
  }
  return views;
}

bool Compiler::IsStream(const std::string& input) const {
  const Input* found = FindInput(input);
  return found != nullptr && found->kind == Input::Kind::kStream;
}

Result<Json> Compiler::Plan(const std::string& sql) {
  QN_GET(duck::Rows rows, scratch_.Query("SELECT json_serialize_plan(" + QuoteText(sql) +
                                         ", skip_empty := true, skip_null := true, skip_default := true, "
                                         "optimize := true)::VARCHAR"));
  const std::string text = rows.rows.empty() ? "" : rows.rows[0][0].Str();
  // DuckDB gives an empty text for a plan that holds a constant without a JSON form, such as NaN.
  if (text.empty())
    return Invalid("QN-1208", "A constant of the statement has no form in DuckDB's plan (NaN?).");
  return Json::Parse(text);
}

Result<Json> Compiler::Parse(const std::string& sql) {
  QN_GET(duck::Rows rows, scratch_.Query("SELECT json_serialize_sql(" + QuoteText(sql) + ")::VARCHAR"));
  return Json::Parse(rows.rows.empty() ? "" : rows.rows[0][0].Str());
}

Status Compiler::CheckStatement(const Statement& statement, const std::string& sql) {
  const Place place = PlaceOf(statement, sql);
  if (sql.empty()) {
    return Invalid("QN-1206", "The SQL of dataset '" + statement.dataset + "' is empty.")
        .With("at " + statement.where + ", in the dataset '" + statement.dataset + "'")
        .With(kNothingStarted);
  }
  for (const char* reserved : {"__duckdb_", "__qn_", "limit_rownum"}) {
    if (sql.find(reserved) == std::string::npos) continue;
    return Invalid("QN-1207", std::string("Names with '") + reserved + "' are kept for inner use.")
        .With(At(place, sql.find(reserved)))
        .With(kNothingStarted);
  }
  QN_GET(Json parsed, Parse(sql));
  if (parsed["error"].Bool()) return Retell(parsed, place, 0, {}, {});
  if (parsed["statements"].Items().size() != 1) {
    return Invalid("QN-1209", "The SQL of dataset '" + statement.dataset + "' is more than one statement.")
        .With(At(place))
        .With("A dataset is one SELECT that gives its rows; Qanat writes them.")
        .With(kNothingStarted);
  }
  for (const Rule& rule : statement.rules) {
    const Place at = PlaceOf(statement, rule);
    if (TrimSql(rule.condition).empty()) {
      return Invalid("QN-1206", "The condition of expectation '" + rule.name + "' is empty.")
          .With("at " + at.where + ", in the expectation '" + rule.name + "'")
          .With(kNothingStarted);
    }
    QN_GET(Json condition, Parse(kSelect + rule.condition + "\n"));
    if (condition["error"].Bool()) return Retell(condition, at, kSelect.size(), {}, {});
    if (!IsOneExpression(condition)) {
      return Invalid("QN-1206", "The condition of expectation '" + rule.name + "' is not one expression.")
          .With(At(at))
          .With(kNothingStarted);
    }
  }
  return Ok();
}

// Finds which of statement and rules DuckDB does not accept, and says so. Ok when each of them is accepted.
Status Compiler::CheckRules(const Statement& statement, const std::string& sql) {
  std::vector<std::string> all;
  for (const Input& input : inputs_) all.push_back(input.name);
  for (const View& view : views_) all.push_back(view.name);
  QN_GET(Json plain, Plan(sql));
  if (plain["error"].Bool()) {
    std::vector<Known> reads;
    QN_GET(Json parsed, Parse(sql));
    for (const std::string& name : TablesOf(parsed)) {
      if (const Input* input = FindInput(name)) {
        reads.push_back({input->name, input->columns});
      } else if (const View* view = FindView(name)) {
        QN_GET(Schema columns, scratch_.Describe("SELECT * FROM " + QuoteName(view->name)));
        reads.push_back({view->name, std::move(columns)});
      }
    }
    return Retell(plain, PlaceOf(statement, sql), 0, reads, all);
  }
  QN_GET(Schema columns, scratch_.Describe(sql));
  const std::vector<Known> output = {{statement.dataset, columns}};
  for (const Rule& rule : statement.rules) {
    const std::string before = "SELECT (";
    QN_GET(Json alone,
           Plan(before + rule.condition + "\n) FROM (" + sql + "\n) AS " + QuoteName(statement.dataset)));
    if (alone["error"].Bool()) return Retell(alone, PlaceOf(statement, rule), before.size(), output, all);
    // Fine alone, but not beside the columns: an aggregate.
    QN_GET(Json beside, Plan(WithRules(sql, statement.dataset, {rule.condition})));
    if (beside["error"].Bool()) return NeedsMoreRows(PlaceOf(statement, rule), "an aggregate");
  }
  return Ok();
}

// Functions that read files have no form in DuckDB's plan.
bool IsWithoutPlan(const Json& answer) {
  const std::string& text = answer["error_message"].Str();
  return text.find("does not support serialization") != std::string::npos ||
         text.find("Serialize not implemented") != std::string::npos;
}

Result<Query> Compiler::Bind(const Statement& statement, Json* plan_out) {
  Query query;
  query.sql = TrimSql(statement.sql);
  QN_TRY(CheckStatement(statement, query.sql));
  query.dataset = statement.dataset;
  query.where = statement.where;
  query.conditions = Conditions(statement);
  for (const Rule& rule : statement.rules) query.rules.push_back(rule.name);
  QN_GET(query.reads, Reads(statement));
  query.views = ViewsBehind(query.reads);
  Result<Json> planned = Plan(WithRules(query.sql, statement.dataset, query.conditions));
  if (!planned.ok())
    return Status(planned.status()).With(At(PlaceOf(statement, query.sql))).With(kNothingStarted);
  const Json plan = std::move(planned).value();
  if (plan_out != nullptr) *plan_out = plan;
  if (!plan["error"].Bool()) return BindTree(std::move(query), statement, plan);
  if (IsWithoutPlan(plan)) return BindWithoutTree(std::move(query), statement);
  QN_TRY(CheckRules(statement, query.sql));
  return Retell(plan, PlaceOf(statement, query.sql), 0, {}, {});
}

void SplitColumns(const Schema& all, Query& query) {
  QN_CHECK(all.size() >= query.rules.size());
  const auto first_rule = all.end() - static_cast<std::ptrdiff_t>(query.rules.size());
  query.columns.assign(all.begin(), first_rule);
  query.rule_columns.assign(first_rule, all.end());
}

Result<Query> Compiler::BindTree(Query query, const Statement& statement, const Json& plan) {
  QN_GET(query.tree, ReadPlan(plan["plans"].At(0)));
  MarkNeeded(*query.tree);
  SplitColumns(query.tree->columns, query);
  query.inputs = InputsOf(*query.tree);
  for (const std::string& input : query.inputs) {
    if (!statement.takes_all && IsStream(input)) query.streams.push_back(input);
  }
  query.mode = query.streams.empty() ? Mode::kRecompute : Mode::kStream;
  query.is_stateless =
      FindMemoryNeeds(*query.tree, [this](const std::string& name) { return IsStream(name); }).empty();
  return query;
}

Result<Query> Compiler::BindWithoutTree(Query query, const Statement& statement) {
  for (const std::string& name : query.reads) {
    if (FindInput(name) != nullptr) query.inputs.push_back(name);
    if (const View* view = FindView(name))
      query.inputs.insert(query.inputs.end(), view->inputs.begin(), view->inputs.end());
  }
  for (const std::string& input : query.inputs) {
    if (statement.takes_all || !IsStream(input)) continue;
    return Invalid("QN-1208", "Dataset '" + statement.dataset + "' reads the stream '" + input +
                                  "' and files beside the pipeline.")
        .With(At(PlaceOf(statement, query.sql)))
        .With("Declare the files as a reference, qn.reference(…), and read that.")
        .With(kNothingStarted);
  }
  QN_GET(Schema all, scratch_.Describe(WithRules(query.sql, statement.dataset, query.conditions)));
  SplitColumns(all, query);
  query.mode = Mode::kRecompute;
  query.is_stateless = false;
  return query;
}

// A TUPLE, or something that has one inside: DuckDB knows the type and has no SQL for it.
bool IsNameless(const Type& type) {
  static constexpr std::array<std::string_view, 5> kNested = {"TUPLE", "LIST", "ARRAY", "MAP", "STRUCT"};
  return type.id == TypeId::kOther &&
         std::any_of(kNested.begin(), kNested.end(),
                     [&type](std::string_view word) { return type.text.rfind(word, 0) == 0; });
}

Status Compiler::CheckColumns(const Statement& statement, const Query& query) {
  const Place place = PlaceOf(statement, query.sql);
  // DuckDB renames what is there twice when it is selected from; asked directly it does not.
  QN_GET(Schema names, scratch_.Describe(query.sql));
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i].name;
    const Schema before(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i));
    Status status;
    if (ColumnIndex(before, name) >= 0) {
      status = Invalid("QN-1207", "Column '" + name + "' comes out twice.");
      status.With(At(place)).With("Name one of them anew with AS, or leave it out with * EXCLUDE (" + name +
                                  ").");
    } else if (name.empty() || name.find_first_of(" ,;{}()\n\t=") != std::string::npos) {
      status = Invalid("QN-1207", "Column " + std::to_string(i + 1) +
                                      " has no name that a table can keep: '" + name + "'.");
      status.With(At(place)).With("Give it one: … AS name. Spaces and any of ,;{}()= are not allowed in it.");
    } else if (i < query.columns.size() && query.columns[i].type.id == TypeId::kNull) {
      status = Invalid("QN-1205", "Column '" + name + "' is always NULL and has no type.");
      status.With(At(place)).With("Say which: CAST(NULL AS VARCHAR) AS " + name + ".");
    } else if (i < query.columns.size() && IsNameless(query.columns[i].type)) {
      status = Invalid("QN-1205", "Column '" + name + "' has a type that a table cannot keep: " +
                                      query.columns[i].type.ToSql() + ".");
      status.With(At(place)).With("Name the values: {'a': …, 'b': …} AS " + name + ", in place of (…, …).");
    } else {
      continue;
    }
    return status.With(kNothingStarted);
  }
  for (size_t i = 0; i < query.rules.size(); ++i) {
    const Type& type = query.rule_columns[i].type;
    if (type.id == TypeId::kBoolean) continue;
    return Invalid("QN-1205",
                   "The condition of expectation '" + query.rules[i] + "' is " +
                       (type.id == TypeId::kNull ? "always NULL" : type.ToSql() + ", not BOOLEAN") + ".")
        .With(At(PlaceOf(statement, statement.rules[i])))
        .With("Compare it with something: a rule holds or does not.")
        .With(kNothingStarted);
  }
  return Ok();
}

Status Compiler::CheckMemory(const Statement& statement, const Query& query) {
  const auto needs = FindMemoryNeeds(*query.tree, [this](const std::string& name) { return IsStream(name); });
  if (needs.empty()) return Ok();
  QN_TRY(CheckRuleMemory(statement));
  const MemoryNeed& need = needs[0];
  std::string streams;
  for (const std::string& stream : need.streams) streams += (streams.empty() ? "'" : ", '") + stream + "'";
  const bool is_union = need.what == kBoundedBesideStream;
  const bool says_stream = need.what.find("stream") != std::string::npos;
  if (!streams.empty()) streams = says_stream ? " (" + streams + ")" : " over " + streams;
  Status status = Invalid("QN-1210", "Dataset '" + statement.dataset +
                                         "' needs memory across steps: " + need.what + streams + ".");
  status.With(At(PlaceOf(statement, query.sql))).With("The operator: " + need.node);
  if (is_union) {
    status.With(
        "A streaming table appends what each step brings; these rows would be appended again in every step.");
    status.With("Append them by a flow of their own: @qn.append_flow(target=\"" + statement.dataset +
                "\", once=True).");
  } else {
    status.With(
        "A streaming table only appends what each step brings; rows of later steps would change this "
        "answer.");
    status.With(
        "Make it a @qn.materialized_view, which follows its inputs step by step and may change rows. Or "
        "leave the operator out.");
  }
  return status.With(kNothingStarted);
}

// Blames a rule when the statement alone needs no memory.
Status Compiler::CheckRuleMemory(const Statement& statement) {
  const auto is_stream = [this](const std::string& name) { return IsStream(name); };
  Statement part = statement;
  part.rules.clear();
  QN_GET(Query bare, Bind(part));
  if (!FindMemoryNeeds(*bare.tree, is_stream).empty()) return Ok();
  for (const Rule& rule : statement.rules) {
    part.rules = {rule};
    QN_GET(Query query, Bind(part));
    const auto needs = FindMemoryNeeds(*query.tree, is_stream);
    if (!needs.empty()) return NeedsMoreRows(PlaceOf(statement, rule), needs[0].what);
  }
  return Ok();
}

std::string Compiler::VolatileCall(const Json& parsed) const {
  std::string call = FirstCall(parsed, VolatileFunctions());
  for (const std::string& name : TablesOf(parsed)) {
    const View* view = FindView(name);
    if (call.empty() && view != nullptr) call = view->volatile_call;
  }
  return call;
}

Status Compiler::CheckVolatile(const Statement& statement, const Query& query) {
  std::vector<Place> places = {PlaceOf(statement, query.sql)};
  for (const Rule& rule : statement.rules) places.push_back(PlaceOf(statement, rule));
  std::string call;
  Place place = places[0];
  for (size_t i = 0; i < places.size() && call.empty(); ++i) {
    QN_GET(Json parsed, Parse(i == 0 ? query.sql : kSelect + places[i].text + "\n"));
    call = VolatileCall(parsed);
    place = places[i];
  }
  if (call.empty()) {
    // Behind a macro the parser does not see it, but the plan does.
    place = places[0];
    const std::vector<std::string> calls = FindCalls(*query.tree, VolatileFunctions());
    if (calls.empty()) return Ok();
    call = calls[0];
  }
  return Invalid("QN-1215",
                 "'" + call + "' in " + place.kind + " '" + place.name + "' answers differently every time.")
      .With(At(place))
      .With("A step that is repeated after a crash must give the same rows again.")
      .With("Take the value from the data, or make the dataset a @qn.materialized_view over bounded inputs.")
      .With(kNothingStarted);
}

// Proof that nothing was lost on the way back to SQL: the fragment is bound again, must have the same types,
// and may call no function in a way that the statement did not.
Status Compiler::CheckFragment(const Statement& statement, const Query& query, const Json& plan) {
  const Place place = PlaceOf(statement, query.sql);
  const auto refuse = [&](const std::string& why) {
    return Invalid("QN-1208",
                   "The SQL of dataset '" + statement.dataset + "' cannot be cut into a fragment: " + why)
        .With(At(place))
        .With(
            "Write it another way, or make the dataset a @qn.materialized_view. Please report it: the "
            "statement "
            "and this message are enough.")
        .With(kNothingStarted);
  };
  Result<std::string> fragment = WriteFragment(query, {});
  if (!fragment.ok()) return refuse(fragment.status().text());
  QN_GET(Json again, Plan(*fragment));
  if (again["error"].Bool()) return refuse(again["error_message"].Str());
  QN_GET(std::unique_ptr<Node> tree, ReadPlan(again["plans"].At(0)));
  if (tree->columns.size() != query.tree->columns.size()) return refuse("its columns change.");
  for (size_t i = 0; i < tree->columns.size(); ++i) {
    const Field& before = query.tree->columns[i];
    if (before.type != tree->columns[i].type) {
      return refuse("column '" + before.name + "' would be " + tree->columns[i].type.ToSql() + ", not " +
                    before.type.ToSql() + ".");
    }
  }
  const std::string call = FirstNewCall(plan, again);
  return call.empty() ? Ok() : refuse("it would call " + call + ", which the statement does not.");
}

Result<Query> Compiler::Compile(const Statement& statement) {
  Json plan;
  QN_GET(Query query, Bind(statement, &plan));
  QN_TRY(CheckColumns(statement, query));
  if (query.mode == Mode::kRecompute) return query;
  QN_TRY(CheckMemory(statement, query));
  QN_TRY(CheckVolatile(statement, query));
  QN_TRY(CheckFragment(statement, query, plan));
  return query;
}

Result<Query> Compiler::DeclareView(const Statement& statement) {
  QN_GET(Query query, Bind(statement));
  QN_TRY(
      scratch_.Query("CREATE OR REPLACE VIEW " + QuoteName(statement.dataset) + " AS " + query.sql).status());
  std::erase_if(views_, [&statement](const View& old) { return SameName(old.name, statement.dataset); });
  QN_GET(Json parsed, Parse(query.sql));
  std::string call = VolatileCall(parsed);
  views_.push_back({statement.dataset, query.sql, std::move(call), query.inputs, query.reads});
  return query;
}

Result<std::vector<std::string>> Compiler::Reads(const Statement& statement) {
  const std::string sql = TrimSql(statement.sql);
  QN_TRY(CheckStatement(statement, sql));
  QN_GET(Json parsed, Parse(sql));
  std::vector<std::string> reads = TablesOf(parsed);
  for (const Rule& rule : statement.rules) {
    QN_GET(Json condition, Parse(kSelect + rule.condition + "\n"));
    for (const std::string& name : TablesOf(condition)) {
      if (std::find(reads.begin(), reads.end(), name) == reads.end()) reads.push_back(name);
    }
  }
  return reads;
}

namespace {

// The statement as it was written, over other relations: a WITH clause gives them the inputs' names.
std::string Recompute(const Query& query, const FragmentOptions& options) {
  std::string with;
  const auto add = [&with](const std::string& name, const std::string& sql) {
    with += (with.empty() ? "WITH " : ", ") + QuoteName(name) + " AS (" + sql + "\n)";
  };
  for (const std::string& input : query.inputs) {
    const std::string relation = options.relation ? options.relation(input) : QuoteName(input);
    if (relation != QuoteName(input)) add(input, "SELECT * FROM " + relation);
  }
  for (const auto& [name, sql] : query.views) add(name, sql);
  return with + (with.empty() ? "" : " ") +
         WithRules(query.sql, query.dataset, options.rules ? query.conditions : std::vector<std::string>());
}

}  // namespace

Result<std::string> WriteFragment(const Query& query, const FragmentOptions& options) {
  if (query.mode == Mode::kRecompute) return Recompute(query, options);
  SqlOptions sql;
  sql.relation =
      options.relation ? options.relation : [](const std::string& input) { return QuoteName(input); };
  sql.hidden = OriginColumns();
  sql.has_hidden = [&](const std::string& input) {
    const auto& streams = query.streams;
    return options.hidden && std::find(streams.begin(), streams.end(), input) != streams.end();
  };
  std::vector<std::string> names;
  for (const Field& field : query.columns) names.push_back(field.name);
  for (size_t i = 0; i < query.rules.size(); ++i) names.push_back(RuleName(i));
  if (options.rules) return WriteSql(*query.tree, names, sql);
  QN_GET(std::string all, WriteSql(*query.tree, names, sql));
  std::string columns;
  for (const Field& field : query.columns) columns += (columns.empty() ? "" : ", ") + QuoteName(field.name);
  if (options.hidden) columns += ", __qn_raw, __qn_file, __qn_line";
  return "SELECT " + columns + " FROM (" + all + ") AS q";
}

}  // namespace qn::plan
