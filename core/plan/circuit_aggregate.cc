// Which states an aggregate has, how a step's rows are added up to them, and what is made of them in the end.
#include "plan/circuit_aggregate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace qn::plan {
namespace {

bool IsOneOf(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsNested(const Type& type) {
  return type.id == TypeId::kStruct || type.id == TypeId::kList || type.id == TypeId::kArray ||
         type.id == TypeId::kMap || type.id == TypeId::kOther || type.id == TypeId::kNull;
}

bool IsInteger(const Type& type) { return type.id >= TypeId::kTinyInt && type.id <= TypeId::kUHugeInt; }

bool IsFloat(const Type& type) { return type.id == TypeId::kFloat || type.id == TypeId::kDouble; }

std::string Label(const Grouping& grouping) {
  const Schema& columns = grouping.part.columns();
  std::string out;
  for (const Expr& group : grouping.groups) {
    out += (out.empty() ? "GROUP BY " : ", ") + Print(group, columns);
  }
  if (grouping.groups.empty()) out = "all rows";
  std::string list;
  for (size_t i = 0; i < grouping.aggregates.size(); ++i) {
    if (!grouping.needed[grouping.groups.size() + i]) continue;
    list += (list.empty() ? ": " : ", ") + Print(grouping.aggregates[i], columns);
  }
  return out + list;
}

// The aggregates of one Grouping as states that can be added up.
class StatePlan {
 public:
  explicit StatePlan(const Grouping& grouping)
      : width_(grouping.part.columns().size()),
        groups_(grouping.groups.size()),
        is_weighted_(grouping.part.is_weighted) {
    AddState(Merge::kAdd, is_weighted_ ? Weights("") : "count(*)", Type::Of(TypeId::kBigInt));
  }

  // The aggregate over the operator's columns, or nothing where it has no states.
  std::optional<Expr> Finish(const Expr& expr);

  std::vector<Expr> arguments;
  std::vector<CircuitBuilder::Partial> states;

 private:
  size_t AddState(Merge merge, std::string sql, const Type& type);
  std::string Argument(const Expr& expr);
  static std::string Weights(const std::string& where) {
    return std::string("CAST(coalesce(sum(") + kWeightColumn + ")" + where + ", 0) AS BIGINT)";
  }
  static std::string Where(const std::vector<std::string>& conditions);
  Expr State(size_t index) const { return ColumnExpr(groups_ + index, states[index].type); }
  size_t Count(const Expr& expr, const Expr* argument);
  std::optional<size_t> Sum(const Expr& expr, const Type& type);
  Expr Counted(size_t state, const Type& type) const;
  std::optional<Expr> FinishSum(const Expr& expr);
  std::optional<Expr> FinishAverage(const Expr& expr);
  std::optional<Expr> FinishPick(const Expr& expr);

  size_t width_;
  size_t groups_;
  bool is_weighted_;
};

size_t StatePlan::AddState(Merge merge, std::string sql, const Type& type) {
  for (size_t i = 0; i < states.size(); ++i) {
    if (states[i].merge == merge && states[i].sql == sql) return i;
  }
  states.push_back({merge, std::move(sql), type});
  return states.size() - 1;
}

std::string StatePlan::Argument(const Expr& expr) {
  const std::string text = ExprText(expr);
  for (size_t i = 0; i < arguments.size() && !text.empty(); ++i) {
    if (ExprText(arguments[i]) == text) return "c" + std::to_string(groups_ + i);
  }
  arguments.push_back(expr);
  return "c" + std::to_string(groups_ + arguments.size() - 1);
}

std::string StatePlan::Where(const std::vector<std::string>& conditions) {
  std::string out;
  for (const std::string& condition : conditions) {
    out += (out.empty() ? " FILTER (WHERE " : " AND ") + condition;
  }
  return out.empty() ? out : out + ")";
}

// How many rows pass the filter and have the argument.
size_t StatePlan::Count(const Expr& expr, const Expr* argument) {
  std::vector<std::string> conditions;
  if (!expr.filter.empty()) conditions.push_back(Argument(expr.filter[0]));
  if (argument != nullptr) conditions.push_back(Argument(*argument) + " IS NOT NULL");
  const std::string where = Where(conditions);
  return AddState(Merge::kAdd, is_weighted_ ? Weights(where) : "count(*)" + where, Type::Of(TypeId::kBigInt));
}

// Over nothing, all states but the first are NULL.
Expr StatePlan::Counted(size_t state, const Type& type) const {
  Expr count = State(state);
  if (state > 0) {
    count = LogicExpr(Expr::Kind::kCoalesce, {std::move(count), NumberExpr(0, TypeId::kBigInt)},
                      Type::Of(TypeId::kBigInt));
  }
  return CastExpr(std::move(count), type);
}

// The sum as `type`; nothing where it depends on the order in which rows come and go.
std::optional<size_t> StatePlan::Sum(const Expr& expr, const Type& type) {
  const Type& from = expr.children[0].type;
  const bool is_whole = type.id == TypeId::kHugeInt && (IsInteger(from) || from.id == TypeId::kBoolean);
  const bool is_decimal = type.id == TypeId::kDecimal && from.id == TypeId::kDecimal;
  const bool is_float = type.id == TypeId::kDouble && IsFloat(from) && !is_weighted_;
  if (!is_whole && !is_decimal && !is_float) return std::nullopt;
  std::vector<std::string> conditions;
  if (!expr.filter.empty()) conditions.push_back(Argument(expr.filter[0]));
  const std::string where = Where(conditions);
  const std::string value = Argument(expr.children[0]);
  if (!is_weighted_) {
    return AddState(Merge::kAdd, "sum(" + value + ")" + where, type);
  }
  const std::string times = is_decimal ? "DECIMAL(18,0)" : "HUGEINT";
  const std::string product =
      "CAST(" + value + " AS " + type.ToSql() + ") * CAST(" + kWeightColumn + " AS " + times + ")";
  return AddState(Merge::kAdd, "CAST(sum(" + product + ")" + where + " AS " + type.ToSql() + ")", type);
}

std::optional<Expr> StatePlan::FinishSum(const Expr& expr) {
  const std::optional<size_t> sum = Sum(expr, expr.type);
  if (!sum.has_value()) return std::nullopt;
  if (!is_weighted_) return State(*sum);
  // When all values are gone again the sum is NULL, not 0.
  const size_t count = Count(expr, &expr.children[0]);
  return CaseExpr(CompareExpr(State(count), ">", NumberExpr(0, TypeId::kBigInt)), State(*sum),
                  NullExpr(expr.type));
}

std::optional<Expr> StatePlan::FinishAverage(const Expr& expr) {
  const Type& from = expr.children[0].type;
  const Type real = Type::Of(TypeId::kDouble);
  if (expr.type != real) return std::nullopt;
  Type type = Type::Of(TypeId::kHugeInt);
  if (from.id == TypeId::kDecimal) type = Type::Decimal(38, from.scale);
  if (IsFloat(from)) type = real;
  const std::optional<size_t> sum = Sum(expr, type);
  if (!sum.has_value()) return std::nullopt;
  const size_t count = Count(expr, &expr.children[0]);
  Expr total = State(*sum);
  Expr divisor = CastExpr(State(count), real);
  // As DuckDB does it: the digits of the sum by count times power of ten, so that there is one rounding.
  constexpr uint8_t kScaleMax = 9;
  if (from.id == TypeId::kDecimal && from.scale > 0 && from.scale <= kScaleMax) {
    int64_t power = 1;
    for (uint8_t i = 0; i < from.scale; ++i) power *= 10;
    Type factor = Type::Decimal(18, 0);
    total = CallExpr("*", {std::move(total), CastExpr(NumberExpr(power, TypeId::kBigInt), factor)}, type);
    total = CastExpr(std::move(total), Type::Of(TypeId::kHugeInt));
    divisor = CallExpr("*", {std::move(divisor), CastExpr(NumberExpr(power, TypeId::kBigInt), real)}, real);
  }
  Expr quotient = CallExpr("/", {CastExpr(std::move(total), real), std::move(divisor)}, real);
  return CaseExpr(CompareExpr(State(count), ">", NumberExpr(0, TypeId::kBigInt)), std::move(quotient),
                  NullExpr(real));
}

// Aggregates that pick or mix values and cannot let one go again.
std::optional<Expr> StatePlan::FinishPick(const Expr& expr) {
  if (is_weighted_ || expr.children[0].type != expr.type) return std::nullopt;
  const bool is_scalar = !IsNested(expr.type);
  const bool is_integer = IsInteger(expr.type);
  const bool is_bool = expr.type.id == TypeId::kBoolean;
  Merge merge = Merge::kFirst;
  std::string name = expr.name;
  if (name == "min" && is_scalar) {
    merge = Merge::kMin;
  } else if (name == "max" && is_scalar) {
    merge = Merge::kMax;
  } else if (name == "bool_and" && is_bool) {
    merge = Merge::kAnd;
  } else if (name == "bool_or" && is_bool) {
    merge = Merge::kOr;
  } else if (name == "bit_and" && is_integer) {
    merge = Merge::kBitAnd;
  } else if (name == "bit_or" && is_integer) {
    merge = Merge::kBitOr;
  } else if (name == "bit_xor" && is_integer) {
    merge = Merge::kBitXor;
  } else if (IsOneOf(name, {"any_value", "first", "arbitrary"}) && expr.type.id != TypeId::kOther) {
    name = "any_value";
  } else {
    return std::nullopt;
  }
  std::vector<std::string> conditions;
  if (!expr.filter.empty()) conditions.push_back(Argument(expr.filter[0]));
  const std::string sql = QuoteName(name) + "(" + Argument(expr.children[0]) + ")" + Where(conditions);
  return State(AddState(merge, sql, expr.type));
}

std::optional<Expr> StatePlan::Finish(const Expr& expr) {
  if (expr.kind != Expr::Kind::kAggregate || !expr.orders.empty() || IsDistinct(expr)) return std::nullopt;
  if (expr.name == "count_star" || (expr.name == "count" && expr.children.empty())) {
    return Counted(Count(expr, nullptr), expr.type);
  }
  if (expr.children.size() != 1) return std::nullopt;
  if (expr.name == "count") return Counted(Count(expr, &expr.children[0]), expr.type);
  if (expr.name == "sum") return FinishSum(expr);
  if (IsOneOf(expr.name, {"avg", "mean"})) return FinishAverage(expr);
  return FinishPick(expr);
}

class GroupingPlan {
 public:
  GroupingPlan(CircuitBuilder& builder, Grouping grouping)
      : builder_(builder), grouping_(std::move(grouping)), groups_(grouping_.groups.size()) {}

  Result<Part> Plan();
  Result<std::optional<Part>> Native();

 private:
  bool IsNeeded(size_t aggregate) const { return grouping_.needed[groups_ + aggregate]; }
  Result<Part> Recompute();

  CircuitBuilder& builder_;
  Grouping grouping_;
  size_t groups_;
};

Result<Part> GroupingPlan::Plan() {
  if (!grouping_.finish.empty() || HaveEqualForms(grouping_.groups)) return Recompute();
  bool has_distinct = false;
  for (size_t i = 0; i < grouping_.aggregates.size(); ++i) {
    has_distinct = has_distinct || (IsNeeded(i) && IsDistinct(grouping_.aggregates[i]));
  }
  QN_GET(std::optional<Part> part, has_distinct ? PlanDistinct(builder_, grouping_) : Native());
  if (part.has_value()) return std::move(*part);
  return Recompute();
}

Result<std::optional<Part>> GroupingPlan::Native() {
  const bool has_aggregates = std::find(grouping_.needed.begin() + static_cast<std::ptrdiff_t>(groups_),
                                        grouping_.needed.end(), true) != grouping_.needed.end();
  if (!has_aggregates && groups_ > 0) {
    QN_GET(Part keys, builder_.Distinct(Project(grouping_.part.Copy(), grouping_.groups), Label(grouping_)));
    Mask mask(grouping_.columns.size(), false);
    std::fill(mask.begin(), mask.begin() + static_cast<std::ptrdiff_t>(groups_), true);
    return std::optional<Part>(Widened(std::move(keys), mask, grouping_.columns));
  }
  StatePlan plan(grouping_);
  std::vector<Expr> out;
  for (size_t i = 0; i < groups_; ++i) out.push_back(ColumnExpr(i, grouping_.columns[i].type));
  for (size_t i = 0; i < grouping_.aggregates.size(); ++i) {
    std::optional<Expr> finish = NullExpr(grouping_.columns[groups_ + i].type);
    if (IsNeeded(i)) finish = plan.Finish(grouping_.aggregates[i]);
    if (!finish.has_value()) return std::optional<Part>();
    out.push_back(std::move(*finish));
  }
  QN_GET(Part states, builder_.Aggregate(grouping_.part.Copy(), grouping_.groups, std::move(plan.arguments),
                                         plan.states, Label(grouping_)));
  return std::optional<Part>(Project(std::move(states), std::move(out), grouping_.columns));
}

Result<Part> GroupingPlan::Recompute() {
  CircuitBuilder::Recomputed spec;
  spec.label = Label(grouping_);
  auto node = MakeNode(Op::kAggregate, "Aggregate");
  node->groups = grouping_.groups;
  node->exprs = grouping_.aggregates;
  node->columns = grouping_.columns;
  node->children.push_back(ScanNode("@0", grouping_.part.columns()));
  std::vector<Expr> out;
  for (size_t i = 0; i < groups_; ++i) out.push_back(ColumnExpr(grouping_.columns, i));
  Mask mask = grouping_.needed;
  if (grouping_.finish.empty()) {
    // Some column must come out.
    if (std::find(mask.begin(), mask.end(), true) == mask.end()) mask[0] = true;
    for (Expr& expr : Selected(grouping_.columns, mask)) out.push_back(std::move(expr));
  } else {
    mask.assign(grouping_.finish.size(), true);
    out.insert(out.end(), grouping_.finish.begin(), grouping_.finish.end());
  }
  Schema names = SchemaOf(out, grouping_.columns);
  spec.tree = ProjectNode(std::move(node), std::move(out), std::move(names));
  spec.key_count = groups_;
  spec.keys.push_back(grouping_.groups);
  spec.inputs.push_back(std::move(grouping_.part));
  QN_GET(Part part, builder_.Recompute(std::move(spec)));
  return Widened(std::move(part), mask,
                 grouping_.finish.empty() ? grouping_.columns : grouping_.finish_columns);
}

}  // namespace

bool IsDistinct(const Expr& expr) {
  // DISTINCT changes nothing where a value counts once anyway.
  return expr.is_distinct &&
         !IsOneOf(expr.name, {"min", "max", "bool_and", "bool_or", "bit_and", "bit_or", "any_value"});
}

std::string GroupingLabel(const Grouping& grouping) { return Label(grouping); }

Result<std::optional<Part>> PlanMerged(CircuitBuilder& builder, Grouping grouping) {
  return GroupingPlan(builder, std::move(grouping)).Native();
}

Result<Part> PlanGrouping(CircuitBuilder& builder, Grouping grouping) {
  return GroupingPlan(builder, std::move(grouping)).Plan();
}

}  // namespace qn::plan
