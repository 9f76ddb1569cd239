// Our own tree of a statement: operators (Node) over expressions (Expr), read from DuckDB's bound plan. It is
// typed and bound: columns are numbers, functions are chosen, casts are explicit. Words, not deeds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/json.h"
#include "data/type.h"

namespace qn::plan {

// One way to order rows or values.
struct OrderKey;

struct Expr {
  enum class Kind : uint8_t {
    kColumn,    // `index` into the columns of the child (joins: left's, then right's)
    kConstant,  // `value`: DuckDB's JSON form of a value of `type`
    kCast,      // of children[0] to `type`; `is_try`: NULL instead of a failure
    kCall,      // function `name` of children; the last names.size() of them are named arguments; with a
                // lambda: `index` more arguments behind it, then its captures
    kCompare,   // children[0] `name` children[1]; `name` is SQL: =, <>, <, IS DISTINCT FROM …
    kBetween,   // children[0] >= children[1] and <= children[2], computed once
    kAnd,
    kOr,
    kNot,
    kIsNull,
    kIsNotNull,
    kIn,
    kNotIn,
    kCoalesce,
    kTry,
    kCase,       // when, then, when, then, …, else
    kLambda,     // children[0] is the body: columns 0..n-1 are its parameters backwards, the rest captures
    kUnnest,     // children[0] as one row an element; only in an Unnest node
    kAggregate,  // only in an Aggregate node; kWindow only in a Window node
    kWindow,
    kUnknown,  // read, but not understood: `name` says what it is
  };
  Kind kind = Kind::kUnknown;
  Type type;
  std::string name;
  std::string alias;  // for people
  size_t index = 0;
  bool is_try = false;
  bool is_distinct = false;
  bool ignore_nulls = false;
  bool checks_overflow = false;  // of a call of DECIMAL arithmetic
  Json value;
  std::vector<Expr> children;
  std::vector<std::string> names;  // of named arguments, or of a lambda's parameters
  std::vector<Expr> filter;        // of an aggregate or window: none or one
  std::vector<OrderKey> orders;    // inside an aggregate; a window's ORDER BY
  std::vector<OrderKey> arg_orders;
  std::vector<Expr> partitions;
  std::string frame_start, frame_end, exclude;  // DuckDB's names of a window's bounds
  std::vector<Expr> start, end;                 // their expressions: none or one
};

struct OrderKey {
  Expr expr;
  bool is_descending = false;
  bool nulls_first = false;
};

enum class Op : uint8_t {
  kScan,           // an input: `input` names it
  kTableFunction,  // range, generate_series, …: `name` and constant `values`; with a child: `exprs` of its
                   // columns
  kProject,
  kFilter,
  kUnnest,
  kUnionAll,
  kJoin,
  kCross,
  kValues,  // literal rows
  kEmpty,   // no row
  kOneRow,  // one row without columns
  kAggregate,
  kWindow,
  kOrder,
  kLimit,
  kDistinct,
  kSetOp,  // `name`: UNION, EXCEPT, INTERSECT (with ALL where it is so)
  kCte,    // children[0] is kept under `cte` for children[1]
  kCteRef,
  kRecursive,  // `name`: UNION or UNION ALL of the first rows and what children[1] finds through `cte`
  kOther,      // `name` says what DuckDB calls it
};

struct JoinKey {
  Expr left, right;
  std::string compare;  // SQL; empty: `left` is a condition over both sides' columns
};

// What a node is, without its children.
struct NodeParts {
  Op op = Op::kOther;
  std::string name;          // the operator's word for people and, for set operations and functions, SQL
  Schema columns;            // what comes out; names are for people and need not be unique
  std::vector<Expr> exprs;   // projection, filters, aggregates, windows, unnested values
  std::vector<Expr> groups;  // kAggregate; kDistinct: DISTINCT ON
  std::vector<std::vector<size_t>> grouping_sets;   // indexes into groups; fewer than two: all groups
  std::vector<std::vector<size_t>> grouping_calls;  // GROUPING(…) columns, after the aggregates
  std::vector<JoinKey> keys;                        // kJoin; none: ON TRUE
  std::string join;                                 // INNER LEFT RIGHT FULL SEMI ANTI MARK SINGLE …
  bool is_asof = false;
  std::vector<size_t> keep;  // kScan: column of the input for each of ours; kFilter: its map; else empty
  std::vector<size_t> keep_left, keep_right;  // kJoin; empty: all
  std::vector<OrderKey> orders;
  std::vector<std::vector<Expr>> rows;  // kValues
  std::vector<Json> values;             // kTableFunction: its arguments
  std::vector<size_t> projected_input;  // kTableFunction with a child: which of its columns come along
  Json limit, offset;          // kLimit: numbers, or null; a limit that is no whole number is in percent
  std::string input;           // kScan
  bool has_collation = false;  // kSetOp: of a column; texts that differ may be equal
  uint64_t cte = 0;            // kCte, kCteRef, kRecursive
  std::vector<bool> needed;    // of `columns`: does anything above look at it? Set by MarkNeeded
};

struct Node : NodeParts {
  std::vector<std::unique_ptr<Node>> children;
};

std::unique_ptr<Node> Clone(const Node& node);

// The virtual column of a scan that only counts rows, or the user's rowid.
inline constexpr size_t kRowId = SIZE_MAX;

// The tree as indented text, for `qanat graph`, tests and bug reports.
std::string Print(const Node& node);
// A kLimit's limit as SQL: "10", "2.5%".
std::string LimitText(const Node& node);
// An expression as people would write it; columns by the names of `columns`.
std::string Print(const Expr& expr, const Schema& columns);

}  // namespace qn::plan
