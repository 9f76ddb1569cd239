// JSON of a bound operator → Node. Unknown forms become kOther with DuckDB's name for them.
#include "plan/read_plan.h"

#include <algorithm>
#include <utility>

#include "plan/read_expr.h"

namespace qn::plan {
namespace {

using Binding =
    std::pair<uint64_t, uint64_t>;  // table, column: how DuckDB names columns before it numbers them

struct Read {
  std::unique_ptr<Node> node;
  std::vector<Binding> bindings;  // of node->columns
};

// Deeper plans than this are not written by people; the limit keeps recursion off the end of the stack.
constexpr int kDepthMax = 500;

class Reader {
 public:
  Result<Read> Operator(const Json& json, int depth);

 private:
  void Dispatch(const Json& json, std::vector<Read>& children, Read& out);
  void Get(const Json& json, std::vector<Read>& children, Read& out);
  void Project(const Json& json, const std::vector<Read>& children, Read& out);
  void Filter(const Json& json, std::vector<Read>& children, Read& out);
  void Unnest(const Json& json, std::vector<Read>& children, Read& out);
  void Join(const Json& json, std::vector<Read>& children, Read& out);
  void Aggregate(const Json& json, const std::vector<Read>& children, Read& out);
  void Window(const Json& json, std::vector<Read>& children, Read& out);
  void Limit(const Json& json, std::vector<Read>& children, Read& out);
  void Distinct(const Json& json, std::vector<Read>& children, Read& out);
  void SetOp(const Json& json, const std::vector<Read>& children, Read& out);
  void Cte(const Json& json, std::vector<Read>& children, Read& out);
  void Recursive(const Json& json, const std::vector<Read>& children, Read& out);
  void Values(const Json& json, std::vector<Read>& children, Read& out);
  void Leaf(const Json& json, std::vector<Read>& children, Read& out);
};

FindColumn Finder(std::vector<Binding> bindings) {
  return [bindings = std::move(bindings)](uint64_t table, uint64_t column) {
    for (size_t i = 0; i < bindings.size(); ++i) {
      if (bindings[i] == Binding(table, column)) return i;
    }
    return kRowId;
  };
}

void AddColumns(const Json& json, const std::vector<Expr>& exprs, const char* index, Read& out) {
  for (size_t i = 0; i < exprs.size(); ++i) {
    out.node->columns.push_back({exprs[i].alias, exprs[i].type, true, ""});
    out.bindings.emplace_back(json[index].Uint(), i);
  }
}

// The node hands its only child's columns on.
void PassThrough(std::vector<Read>& children, Read& out) {
  out.node->columns = children[0].node->columns;
  out.bindings = children[0].bindings;
}

std::vector<size_t> ReadMap(const Json& json) {
  std::vector<size_t> out;
  for (const Json& item : json.Items()) out.push_back(item.Uint());
  return out;
}

void Unknown(const Json& json, const std::string& what, Read& out) {
  out.node->op = Op::kOther;
  std::string name = json["type"].Str();
  if (name.rfind("LOGICAL_", 0) == 0) name = name.substr(8);
  out.node->name = name + (what.empty() ? "" : " " + what);
}

void Reader::Get(const Json& json, std::vector<Read>& children, Read& out) {
  const Json::Array& path = json["qname"]["path"].Items();
  const std::string function = path.empty() ? "" : path.back().Str();
  std::vector<uint64_t> ids;
  for (const Json& index : json["column_indexes"].Items()) ids.push_back(index["index"].Uint());
  std::vector<size_t> projected = ReadMap(json["projection_ids"]);
  if (projected.empty()) {
    for (size_t i = 0; i < ids.size(); ++i) projected.push_back(i);
  }
  const Json& types = json["returned_types"];
  for (const size_t position : projected) {
    const uint64_t id = position < ids.size() ? ids[position] : UINT64_MAX;
    const bool is_real = id < types.Items().size();
    Field field{is_real ? json["names"].At(id).Str() : "rowid", Type::Of(TypeId::kBigInt), true, ""};
    if (is_real) field.type = ReadType(types.At(id));
    out.node->columns.push_back(std::move(field));
    out.node->keep.push_back(is_real ? id : kRowId);
    out.bindings.emplace_back(json["table_index"].Uint(), position);
  }
  if (!json["table_filters"]["filters"].Items().empty()) return Unknown(json, "with filters inside", out);
  if (json.Has("ordinality_idx") || json.Has("source_ordinality"))
    return Unknown(json, "WITH ORDINALITY", out);
  if (json.Has("at_clause") && !json["at_clause"].IsNull()) return Unknown(json, "AT", out);
  if (function == "seq_scan") {
    out.node->op = Op::kScan;
    out.node->name = "Scan";
    out.node->input = json["function_data"]["table"].Str();
    return;
  }
  out.node->op = Op::kTableFunction;
  out.node->name = function;
  for (const Json& value : json["parameters"].Items()) out.node->values.push_back(value);
  if (!json["named_parameters"].Items().empty())
    return Unknown(json, function + " with named arguments", out);
  if (children.empty()) return;
  out.node->projected_input = ReadMap(json["projected_input"]);
  // How many of the child's columns are the function's arguments.
  out.node->limit = Json(static_cast<uint64_t>(json["input_table_types"].Items().size()));
  for (const size_t index : out.node->projected_input) {
    if (index >= children[0].bindings.size()) return Unknown(json, function, out);
    out.node->columns.push_back(children[0].node->columns[index]);
    out.bindings.push_back(children[0].bindings[index]);
  }
}

void Reader::Project(const Json& json, const std::vector<Read>& children, Read& out) {
  out.node->op = Op::kProject;
  out.node->name = "Project";
  out.node->exprs = ReadExprs(json["expressions"], Finder(children[0].bindings));
  AddColumns(json, out.node->exprs, "table_index", out);
  for (size_t i = 0; i < out.node->exprs.size(); ++i) {
    const Expr& expr = out.node->exprs[i];
    const bool is_handed_on = expr.kind == Expr::Kind::kColumn && expr.alias.empty();
    const Schema& below = children[0].node->columns;
    if (is_handed_on && expr.index < below.size()) out.node->columns[i].name = below[expr.index].name;
  }
}

void Reader::Filter(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kFilter;
  out.node->name = "Filter";
  out.node->exprs = ReadExprs(json["expressions"], Finder(children[0].bindings));
  out.node->keep = ReadMap(json["projection_map"]);
  if (out.node->keep.empty()) return PassThrough(children, out);
  for (const size_t index : out.node->keep) {
    if (index >= children[0].bindings.size()) return Unknown(json, "with a map", out);
    out.node->columns.push_back(children[0].node->columns[index]);
    out.bindings.push_back(children[0].bindings[index]);
  }
}

void Reader::Unnest(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kUnnest;
  out.node->name = "Unnest";
  out.node->exprs = ReadExprs(json["expressions"], Finder(children[0].bindings));
  PassThrough(children, out);
  AddColumns(json, out.node->exprs, "unnest_index", out);
}

// Adds the columns that a join takes from one side.
void TakeSide(const Read& side, const std::vector<size_t>& map, Read& out) {
  for (size_t i = 0; i < (map.empty() ? side.bindings.size() : map.size()); ++i) {
    const size_t index = map.empty() ? i : map[i];
    if (index >= side.bindings.size()) continue;
    out.node->columns.push_back(side.node->columns[index]);
    out.bindings.push_back(side.bindings[index]);
  }
}

void Reader::Join(const Json& json, std::vector<Read>& children, Read& out) {
  Node& node = *out.node;
  const std::string& type = json["type"].Str();
  node.op = Op::kJoin;
  node.name = "Join";
  node.join = json["join_type"].StrOr("INNER");
  node.is_asof = type == "LOGICAL_ASOF_JOIN";
  std::vector<Binding> both = children[0].bindings;
  both.insert(both.end(), children[1].bindings.begin(), children[1].bindings.end());
  const FindColumn find_both = Finder(both);
  for (const Json& condition : json["conditions"].Items()) {
    JoinKey key;
    key.compare = CompareSql(condition["comparison"].Str());
    const bool is_pair = !key.compare.empty();
    key.left = ReadExpr(condition["left"], is_pair ? Finder(children[0].bindings) : find_both);
    if (is_pair) key.right = ReadExpr(condition["right"], Finder(children[1].bindings));
    node.keys.push_back(std::move(key));
  }
  for (const char* name : {"condition", "predicate"}) {
    if (json.Has(name)) node.keys.push_back({ReadExpr(json[name], find_both), {}, ""});
  }
  node.keep_left = ReadMap(json["left_projection_map"]);
  node.keep_right = ReadMap(json["right_projection_map"]);
  const bool right_only = node.join == "RIGHT_SEMI" || node.join == "RIGHT_ANTI";
  const bool left_only = node.join == "SEMI" || node.join == "ANTI" || node.join == "MARK";
  if (!right_only) TakeSide(children[0], node.keep_left, out);
  if (!left_only) TakeSide(children[1], node.keep_right, out);
  if (node.join == "MARK") {
    node.columns.push_back({"mark", Type::Of(TypeId::kBoolean), true, ""});
    out.bindings.emplace_back(json["mark_index"].Uint(), 0);
  }
}

void Reader::Aggregate(const Json& json, const std::vector<Read>& children, Read& out) {
  out.node->op = Op::kAggregate;
  out.node->name = "Aggregate";
  const FindColumn find = Finder(children[0].bindings);
  out.node->groups = ReadExprs(json["groups"], find);
  out.node->exprs = ReadExprs(json["expressions"], find);
  for (const Json& set : json["grouping_sets"].Items()) out.node->grouping_sets.push_back(ReadMap(set));
  for (const Json& call : json["grouping_functions"].Items())
    out.node->grouping_calls.push_back(ReadMap(call));
  AddColumns(json, out.node->groups, "group_index", out);
  AddColumns(json, out.node->exprs, "aggregate_index", out);
  for (size_t i = 0; i < out.node->grouping_calls.size(); ++i) {
    out.node->columns.push_back({"grouping", Type::Of(TypeId::kBigInt), true, ""});
    out.bindings.emplace_back(json["groupings_index"].Uint(), i);
  }
}

void Reader::Window(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kWindow;
  out.node->name = "Window";
  out.node->exprs = ReadExprs(json["expressions"], Finder(children[0].bindings));
  PassThrough(children, out);
  AddColumns(json, out.node->exprs, "window_index", out);
}

void Reader::Limit(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kLimit;
  out.node->name = "Limit";
  PassThrough(children, out);
  for (const auto& [member, target] : {std::pair<const char*, Json*>{"limit_val", &out.node->limit},
                                       std::pair<const char*, Json*>{"offset_val", &out.node->offset}}) {
    const Json& value = json[member];
    const std::string& type = value["type"].Str();
    if (type == "CONSTANT_VALUE") *target = Json(value["constant_integer"].Uint());
    if (type == "CONSTANT_PERCENTAGE" && target == &out.node->limit) {
      *target = Json(value["constant_percentage"].Number());
      continue;
    }
    if (type != "CONSTANT_VALUE" && type != "UNSET" && !type.empty()) Unknown(json, "by " + type, out);
  }
}

// DuckDB compares intervals in a normal form, those within a value by a lambda. It does so again when it is
// asked for the column itself.
bool IsOfIntervals(const Expr& target) {
  return target.kind == Expr::Kind::kCall &&
         (target.name == "normalized_interval" || target.name == "invoke");
}

void Reader::Distinct(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kDistinct;
  out.node->name = "Distinct";
  PassThrough(children, out);
  const FindColumn find = Finder(children[0].bindings);
  std::vector<Expr> targets = ReadExprs(json["distinct_targets"], find);
  const Schema& columns = out.node->columns;
  const bool is_on = json["distinct_type"].Str() == "DISTINCT_ON";
  for (size_t i = 0; !is_on && targets.size() == columns.size() && i < columns.size(); ++i) {
    if (!IsOfIntervals(targets[i])) continue;
    targets[i] = Expr();
    targets[i].kind = Expr::Kind::kColumn;
    targets[i].index = i;
    targets[i].type = columns[i].type;
  }
  const bool is_plain = std::all_of(targets.begin(), targets.end(),
                                    [](const Expr& target) { return target.kind == Expr::Kind::kColumn; });
  // Otherwise it is not the values that are told apart, but what a collation makes of them.
  if (is_on || !is_plain) {
    out.node->groups = std::move(targets);
    out.node->orders = ReadOrders(json["order_by"]["orders"], find);
  }
}

bool IsCollated(const Json& type) { return !type["type_info"]["collation"].Str().empty(); }

// Whether a column that an operator gives has a collation, which our types do not say.
bool HasCollation(const Json& json) {
  const auto is_collated = [](const Json& expr) { return IsCollated(expr["return_type"]); };
  for (const char* list : {"expressions", "groups"}) {
    const Json::Array& exprs = json[list].Items();
    if (std::any_of(exprs.begin(), exprs.end(), is_collated)) return true;
  }
  const Json::Array& types = json["returned_types"].Items();
  if (std::any_of(types.begin(), types.end(), IsCollated)) return true;
  const std::string& type = json["type"].Str();
  const Json::Array& children = json["children"].Items();
  return type != "LOGICAL_PROJECTION" && type != "LOGICAL_AGGREGATE_AND_GROUP_BY" &&
         std::any_of(children.begin(), children.end(), HasCollation);
}

void Reader::SetOp(const Json& json, const std::vector<Read>& children, Read& out) {
  const std::string word = json["type"].Str().substr(8);
  const bool is_all = json["setop_all"].Bool(true);  // left out of the JSON when true
  out.node->op = word == "UNION" && is_all ? Op::kUnionAll : Op::kSetOp;
  out.node->name = word + (is_all ? " ALL" : "");
  out.node->has_collation = out.node->op == Op::kSetOp && HasCollation(json);
  for (size_t i = 0; i < children[0].node->columns.size(); ++i) {
    out.node->columns.push_back(children[0].node->columns[i]);
    out.bindings.emplace_back(json["table_index"].Uint(), i);
  }
}

void Reader::Cte(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kCte;
  out.node->name = json["ctename"].StrOr("cte");
  out.node->cte = json["table_index"].Uint();
  out.node->columns = children[1].node->columns;
  out.bindings = children[1].bindings;
}

void Reader::Recursive(const Json& json, const std::vector<Read>& children, Read& out) {
  if (!json["key_targets"].Items().empty()) return Unknown(json, "USING KEY", out);
  out.node->op = Op::kRecursive;
  out.node->name = json["union_all"].Bool() ? "UNION ALL" : "UNION";
  out.node->cte = json["table_index"].Uint();
  out.node->columns = children[0].node->columns;
  for (size_t i = 0; i < out.node->columns.size(); ++i) out.bindings.emplace_back(out.node->cte, i);
}

// Literal rows; or, with columns of the rows outside in them (LATERAL), as many projections of those.
void Reader::Values(const Json& json, std::vector<Read>& children, Read& out) {
  out.node->op = Op::kValues;
  out.node->name = "Values";
  const bool is_literal = children.empty() || children[0].node->op == Op::kOneRow;
  const FindColumn find = Finder(is_literal ? std::vector<Binding>() : children[0].bindings);
  for (const Json& row : json["expressions"].Items()) out.node->rows.push_back(ReadExprs(row, find));
  if (is_literal) {
    children.clear();
    return;
  }
  out.node->op = Op::kUnionAll;
  out.node->name = "UNION ALL";
  std::vector<Read> branches;
  for (std::vector<Expr>& row : out.node->rows) {
    Read branch;
    branch.node = std::make_unique<Node>();
    branch.node->op = Op::kProject;
    branch.node->name = "Project";
    for (const Expr& expr : row) branch.node->columns.push_back({expr.alias, expr.type, true, ""});
    branch.node->exprs = std::move(row);
    branch.node->children.push_back(Clone(*children[0].node));
    branches.push_back(std::move(branch));
  }
  out.node->rows.clear();
  children = std::move(branches);
}

void Reader::Leaf(const Json& json, std::vector<Read>& children, Read& out) {
  const std::string& type = json["type"].Str();
  const char* list = "chunk_types";
  if (type == "LOGICAL_CTE_REF") {
    out.node->op = json["is_recurring"].Bool() ? Op::kOther : Op::kCteRef;
    out.node->name = "CTE";
    out.node->cte = json["cte_index"].Uint();
  } else if (type == "LOGICAL_EXPRESSION_GET") {
    list = "expr_types";
    Values(json, children, out);
  } else if (type == "LOGICAL_EMPTY_RESULT") {
    out.node->op = Op::kEmpty;
    out.node->name = "Empty";
    list = "return_types";
  } else {
    out.node->op = Op::kOneRow;
    out.node->name = "One row";
    return;
  }
  const Json::Array& types = json[list].Items();
  for (size_t i = 0; i < types.size(); ++i) {
    out.node->columns.push_back({json["bound_columns"].At(i).Str(), ReadType(types[i]), true, ""});
    const Json& binding = json["bindings"].At(i);
    if (binding.IsObject()) {
      out.bindings.emplace_back(binding["table_index"].Uint(), binding["column_index"].Uint());
    } else {
      out.bindings.emplace_back(json["table_index"].Uint(), i);
    }
  }
}

void Reader::Dispatch(const Json& json, std::vector<Read>& children, Read& out) {
  const std::string& type = json["type"].Str();
  const auto is = [&type](const char* name) { return type == name; };
  const bool one = children.size() == 1;
  const bool two = children.size() == 2;
  if (is("LOGICAL_GET") && children.size() < 2) {
    Get(json, children, out);
  } else if (is("LOGICAL_PROJECTION") && one) {
    Project(json, children, out);
  } else if (is("LOGICAL_FILTER") && one) {
    Filter(json, children, out);
  } else if (is("LOGICAL_UNNEST") && one) {
    Unnest(json, children, out);
  } else if ((is("LOGICAL_COMPARISON_JOIN") || is("LOGICAL_ANY_JOIN") || is("LOGICAL_ASOF_JOIN")) && two) {
    Join(json, children, out);
  } else if (is("LOGICAL_CROSS_PRODUCT") && two) {
    out.node->op = Op::kCross;
    out.node->name = "Cross product";
    TakeSide(children[0], {}, out);
    TakeSide(children[1], {}, out);
  } else if (is("LOGICAL_AGGREGATE_AND_GROUP_BY") && one) {
    Aggregate(json, children, out);
  } else if (is("LOGICAL_WINDOW") && one) {
    Window(json, children, out);
  } else if (is("LOGICAL_ORDER_BY") && one && json["projections"].Items().empty()) {
    out.node->op = Op::kOrder;
    out.node->name = "Order";
    PassThrough(children, out);
    out.node->orders = ReadOrders(json["orders"], Finder(children[0].bindings));
  } else if (is("LOGICAL_LIMIT") && one) {
    Limit(json, children, out);
  } else if (is("LOGICAL_DISTINCT") && one) {
    Distinct(json, children, out);
  } else if ((is("LOGICAL_UNION") || is("LOGICAL_EXCEPT") || is("LOGICAL_INTERSECT")) &&
             children.size() >= 2) {
    SetOp(json, children, out);
  } else if (is("LOGICAL_MATERIALIZED_CTE") && two) {
    Cte(json, children, out);
  } else if (is("LOGICAL_RECURSIVE_CTE") && two) {
    Recursive(json, children, out);
  } else if (is("LOGICAL_CTE_REF") || is("LOGICAL_EXPRESSION_GET") || is("LOGICAL_EMPTY_RESULT") ||
             is("LOGICAL_DUMMY_SCAN")) {
    Leaf(json, children, out);
  } else {
    Unknown(json, "", out);
  }
}

Result<Read> Reader::Operator(const Json& json, int depth) {
  if (depth > kDepthMax) {
    return Invalid("QN-1208",
                   "The statement is nested more than " + std::to_string(kDepthMax) + " operators deep.");
  }
  std::vector<Read> children;
  Read out;
  out.node = std::make_unique<Node>();
  for (const Json& child : json["children"].Items()) {
    QN_GET(Read read, Operator(child, depth + 1));
    children.push_back(std::move(read));
  }
  Dispatch(json, children, out);
  for (Read& child : children) out.node->children.push_back(std::move(child.node));
  return out;
}

}  // namespace

Result<std::unique_ptr<Node>> ReadPlan(const Json& plan) {
  Reader reader;
  QN_GET(Read read, reader.Operator(plan, 0));
  return std::move(read.node);
}

}  // namespace qn::plan
