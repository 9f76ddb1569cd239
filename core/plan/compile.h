// SQL → bound plan → fragments. Compiles a dataset's statement against the declared inputs, refuses what
// would need memory across steps, and writes the plan back as SQL over the step's scans. Executes nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/type.h"
#include "duck/database.h"
#include "plan/node.h"

namespace qn::plan {

// What a statement may read: a source, a streaming table (kStream), a reference or whatever else is whole
// before the first step (kBounded).
struct Input {
  enum class Kind : uint8_t { kStream, kBounded };
  std::string name;
  Schema columns;
  Kind kind = Kind::kStream;
};

// A rule over the dataset's output columns.
struct Rule {
  std::string name;
  std::string condition;  // SQL of type BOOLEAN; NULL is a violation
  std::string where;      // "flows/shop.py:31", for messages
};

struct Statement {
  std::string dataset;
  std::string where;  // "flows/shop.py:33"
  std::string sql;    // one SELECT
  std::vector<Rule> rules;
  // Every input is read whole, streams too: a materialized view, unless its tree makes a circuit (circuit.h).
  bool takes_all = false;
};

enum class Mode : uint8_t {
  kStream,     // a fragment over each step's rows
  kRecompute,  // the statement as it is, over whole inputs
};

struct Query {
  std::string dataset;
  std::string where;
  Mode mode = Mode::kStream;
  bool is_stateless = true;          // false only with kRecompute
  Schema columns;                    // of the output, without rules and hidden columns
  std::vector<std::string> reads;    // inputs and views named in the SQL: the edges of the dataset graph
  std::vector<std::string> inputs;   // inputs at the leaves, views looked through; once each
  std::vector<std::string> streams;  // those of them that are streams here
  std::vector<std::string> rules;    // names, in the order of __qn_rule0, __qn_rule1, …
  Schema rule_columns;               // __qn_rule<i>, all BOOLEAN
  // Output columns, then one BOOLEAN a rule. Null when the statement reads files by itself, whose plan DuckDB
  // does not tell; only with kRecompute.
  std::unique_ptr<Node> tree;

  // For kRecompute: the statement, its rules and the views it goes through.
  std::string sql;
  std::vector<std::string> conditions;
  std::vector<std::pair<std::string, std::string>> views;
};

struct FragmentOptions {
  // SQL of the relation that stands for an input, e.g. "qn_scan_3()". It must have the input's columns and,
  // for a stream with `hidden`, __qn_raw BLOB, __qn_file UINTEGER, __qn_line BIGINT. Absent: the input's
  // name.
  std::function<std::string(const std::string& input)> relation;
  bool hidden = false;  // stream rows keep __qn_raw, __qn_file, __qn_line; not with kRecompute
  bool rules = true;    // one BOOLEAN column __qn_rule<i> a rule: true when it holds
};

// One SELECT: the output columns, then __qn_rule<i>, then the hidden columns. Failure: QN-1208.
Result<std::string> WriteFragment(const Query& query, const FragmentOptions& options);

// Owns the catalog of a scratch database: stubs of the inputs, views, no rows.
class Compiler {
 public:
  // `scratch` is borrowed, and nobody else may use it. Sets its optimizers.
  static Result<std::unique_ptr<Compiler>> Open(duck::Connection& scratch);

  // Declares an input, or declares it anew.
  Status Declare(const Input& input);
  // A temporary view: compiled like a dataset, then usable by name. It may read streams.
  Result<Query> DeclareView(const Statement& statement);

  // The tables that a statement names, without binding it, so that datasets can be put in order before any is
  // compiled. Failure: QN-1206, QN-1209.
  Result<std::vector<std::string>> Reads(const Statement& statement);

  // Failures: QN-1201 … QN-1216, told in the user's words, ending with "Nothing was started."
  Result<Query> Compile(const Statement& statement);
  // QN-1215: something in the statement answers differently every time. Compile asks for streams; for a view
  // that is to follow its inputs (circuit.h) the caller does, because the tree does not show what the binder
  // has computed already.
  Status CheckVolatile(const Statement& statement, const Query& query);

 private:
  struct View {
    std::string name;
    std::string sql;
    std::string volatile_call;        // what in it answers differently every time
    std::vector<std::string> inputs;  // at its leaves
    std::vector<std::string> reads;   // as it names them
  };

  explicit Compiler(duck::Connection& scratch) : scratch_(scratch) {}
  Result<Json> Plan(const std::string& sql);   // DuckDB's answer, an error or a plan, as JSON
  Result<Json> Parse(const std::string& sql);  // the same of the parser alone
  Status CheckStatement(const Statement& statement, const std::string& sql);
  Status CheckRules(const Statement& statement, const std::string& sql);
  Result<Query> Bind(const Statement& statement, Json* plan = nullptr);
  Result<Query> BindTree(Query query, const Statement& statement, const Json& plan);
  Result<Query> BindWithoutTree(Query query, const Statement& statement);
  Status CheckColumns(const Statement& statement, const Query& query);
  Status CheckMemory(const Statement& statement, const Query& query);
  Status CheckRuleMemory(const Statement& statement);
  std::string VolatileCall(const Json& parsed) const;
  Status CheckFragment(const Statement& statement, const Query& query, const Json& plan);
  // Names and SQL of the views among `reads`, and those behind them, in the order of their declaration.
  std::vector<std::pair<std::string, std::string>> ViewsBehind(std::vector<std::string> reads) const;
  bool IsStream(const std::string& input) const;
  const Input* FindInput(const std::string& name) const;
  const View* FindView(const std::string& name) const;

  duck::Connection& scratch_;
  std::vector<Input> inputs_;
  std::vector<View> views_;
};

}  // namespace qn::plan
