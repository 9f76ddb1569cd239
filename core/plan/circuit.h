// A statement over streams as a circuit: fragments, which DuckDB evaluates over a step's changes, between
// operators that remember. Describes; executes nothing.
//
// Every fragment is linear: its answer to a sum of changes is the sum of its answers, so it runs over the
// changes alone. A fragment reads pipeline inputs by name and operators' outputs as "#<index>".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"
#include "data/type.h"
#include "plan/analyse.h"
#include "plan/node.h"

namespace qn::plan {

inline constexpr const char* kWeightColumn = "__qn_weight";

// How a run names relations in SQL.
struct Relations {
  // SQL of the relation of an input's or operator's change: columns, and kWeightColumn BIGINT where
  // `is_weighted` says so.
  std::function<std::string(const std::string& input)> relation;
};

struct CircuitInput {
  std::string name;
  // All its rows come in the first step and never again (a bounded input that cannot stay a broadcast table).
  bool is_once = false;
  bool is_weighted = false;  // its changes may be deletions
};

struct Fragment {
  std::unique_ptr<Node> tree;               // leaves: kScan of inputs and "#<index>", and whatever is bounded
  std::vector<std::string> reads;           // streams at the leaves
  std::vector<std::string> weighted_reads;  // those of them whose changes have weights
  size_t key_count = 0;                     // the first columns are the operator's key
  size_t strict_keys = 0;    // of those the first: a NULL in them equals nothing (a join's "=")
  Schema columns;            // key, then row
  bool is_weighted = false;  // a last column kWeightColumn comes out
  bool is_grouped = false;   // the columns behind the key are partial states of an aggregate: one row a key

  // One SELECT of key, row and, when weighted, weight; columns are named c0, c1, …
  Result<std::string> Sql(const Relations& relations) const;
  // The tree's rows, not grouped and without weights, with __qn_raw, __qn_file and __qn_line of these inputs.
  Result<std::string> RowsSql(const Relations& relations, const std::vector<std::string>& with_origin) const;
  // Names of an input's columns that the fragment looks at.
  std::vector<std::string> ColumnsRead(const std::string& input) const;
  // is_grouped: what is selected of the tree's rows by GROUP BY c0, c1, … (the key); the tree's columns and
  // kWeightColumn may stand in it.
  std::string grouped_sql;
};

// How one column of an aggregate's state takes in another partial state.
enum class Merge : uint8_t { kAdd, kMin, kMax, kAnd, kOr, kBitAnd, kBitOr, kBitXor, kFirst };

struct CircuitOp {
  enum class Kind : uint8_t {
    kAggregate,  // one input, grouped; key: the groups; out: groups, states
    kJoin,       // two inputs; out: left row's columns, right row's columns
    kDistinct,   // one input, whose key is the row and whose row is empty; out: the key's columns
    kBag,        // EXCEPT ALL, INTERSECT ALL: like kDistinct with two inputs
    kRecompute,  // any inputs; out: what `tree` answers over all rows of the changed keys
  };
  Kind kind = Kind::kRecompute;
  std::string label;  // for people: "GROUP BY country, minute", "JOIN ON a = b"
  // kAggregate: which one it is, also in another plan of the same tree, where indexes may differ.
  std::string identity;
  std::vector<Fragment> inputs;
  Schema columns;            // of the output, as scans of "#<index>" see them
  bool is_weighted = false;  // the output may take rows back

  // kAggregate
  std::vector<Merge> merges;  // one a state column. The first state is always the number of rows (BIGINT).
  bool has_groups = true;     // false: one row, also over nothing

  // kJoin. A join without keys has one empty key; rows with a NULL in a strict key match nothing.
  bool emits_pairs = false;            // INNER, LEFT, RIGHT, FULL
  bool emits_left_unmatched = false;   // LEFT, FULL: (left, NULL); ANTI: left
  bool emits_right_unmatched = false;  // RIGHT, FULL
  bool emits_left_matched = false;     // SEMI

  // kBag
  bool is_except = false;  // otherwise INTERSECT ALL

  // kRecompute: over "@0", "@1", …, the gathered rows of each input (its row's columns, no weight: repeated),
  // and bounded inputs by their names. Answers the key, then `columns`. Without inputs: rows that are given
  // once, in the first step.
  std::unique_ptr<Node> tree;
  size_t key_count = 0;
  // op(all rows) == op(op's last answer + new rows): then the answer is all that is kept (top-N over an
  // insert-only input).
  bool keeps_answer_only = false;
  Result<std::string> RecomputeSql(const Relations& relations) const;
};

struct Circuit {
  std::vector<CircuitInput> inputs;
  std::vector<CircuitOp> ops;  // each after those it reads
  Fragment output;             // key_count 0
  // Every operator, its inputs, whether native or recomputed: for people and tests.
  std::string Print() const;
  Json ToJson() const;
  // Every tree that its statements are written from.
  void ForTrees(const std::function<void(Node& tree)>& change);
  // Changes when anything that the stored states depend on changes.
  std::string Fingerprint() const;
};

struct CircuitOptions {
  IsStream is_stream;                                         // false: bounded
  std::function<bool(const std::string& input)> is_weighted;  // of a stream: deletions may come
  // The `identity` of an aggregate whose groups come out once, when they are closed, and are never taken
  // back; empty: there is none.
  std::string emits_once;
};

// Failure QN-1217: what cannot be kept up to date, and why.
Result<Circuit> PlanCircuit(const Node& tree, const CircuitOptions& options);

}  // namespace qn::plan
