// count(DISTINCT x) and its like: values are made distinct by group, and aggregated above that. Each value
// has an answer of its own; all of them, and that of the plain aggregates, have the same groups and are
// joined.
#include <algorithm>
#include <optional>

#include "plan/circuit_aggregate.h"

namespace qn::plan {
namespace {

// What is made distinct, and who asks for it.
struct DistinctValue {
  std::string text;
  std::vector<Expr> columns;  // of the value: one, or those of row(a, b)
  bool is_row = false;        // which is never NULL
  bool has_all = false;       // some aggregate has no filter
  std::vector<Expr> filters;
  std::vector<size_t> aggregates;
  std::vector<std::optional<size_t>> filter_of;  // each aggregate's among `filters`
};

class DistinctPlan {
 public:
  DistinctPlan(CircuitBuilder& builder, const Grouping& grouping)
      : builder_(builder),
        grouping_(grouping),
        groups_(grouping.groups.size()),
        out_(grouping.columns.size()) {}

  Result<std::optional<Part>> Plan();

 private:
  bool Add(size_t aggregate);
  Grouping Empty(Part part) const;
  Result<std::optional<Part>> Plain();
  Result<std::optional<Part>> Answer(const DistinctValue& value);
  Result<Part> ByFilter(const DistinctValue& value, const std::string& label);
  Status JoinAnswer(Part answer, const std::vector<size_t>& aggregates);
  const Expr& AggregateAt(size_t index) const { return grouping_.aggregates[index]; }

  CircuitBuilder& builder_;
  const Grouping& grouping_;
  size_t groups_;
  std::vector<DistinctValue> values_;
  std::vector<size_t> plain_;
  std::vector<Expr> out_;  // the grouping's columns over what is joined
  std::optional<Part> joined_;
};

// False: the aggregate is none that can be had from distinct values.
bool DistinctPlan::Add(size_t aggregate) {
  const Expr& expr = AggregateAt(aggregate);
  if (!IsDistinct(expr)) {
    plain_.push_back(aggregate);
    return true;
  }
  const bool is_known =
      expr.name == "count" || expr.name == "sum" || expr.name == "avg" || expr.name == "mean";
  if (!is_known || expr.children.size() != 1 || !expr.orders.empty()) return false;
  DistinctValue value;
  const Expr& child = expr.children[0];
  value.is_row = child.kind == Expr::Kind::kCall && child.name == "row" && expr.name == "count";
  value.columns = value.is_row ? child.children : expr.children;
  value.text = ExprText(child);
  if (value.text.empty()) return false;
  for (const Expr& column : value.columns) {
    if (!IsStorable(column.type)) return false;
  }
  auto found = std::find_if(values_.begin(), values_.end(),
                            [&](const DistinctValue& v) { return v.text == value.text; });
  if (found == values_.end()) found = values_.insert(found, std::move(value));
  found->aggregates.push_back(aggregate);
  found->filter_of.emplace_back();
  if (expr.filter.empty()) {
    found->has_all = true;
    return true;
  }
  const std::string text = ExprText(expr.filter[0]);
  const auto same = std::find_if(found->filters.begin(), found->filters.end(), [&](const Expr& filter) {
    return ExprText(filter) == text && !text.empty();
  });
  found->filter_of.back() = static_cast<size_t>(same - found->filters.begin());
  if (same == found->filters.end()) found->filters.push_back(expr.filter[0]);
  return true;
}

// By the same groups, without aggregates.
Grouping DistinctPlan::Empty(Part part) const {
  Grouping out;
  out.part = std::move(part);
  for (size_t i = 0; i < groups_; ++i) out.groups.push_back(ColumnExpr(i, grouping_.columns[i].type));
  out.columns.assign(grouping_.columns.begin(),
                     grouping_.columns.begin() + static_cast<std::ptrdiff_t>(groups_));
  out.needed.assign(groups_, true);
  return out;
}

void AddAggregate(Grouping& grouping, Expr expr, Field column) {
  grouping.aggregates.push_back(std::move(expr));
  grouping.columns.push_back(std::move(column));
  grouping.needed.push_back(true);
}

Result<std::optional<Part>> DistinctPlan::Plain() {
  Grouping plain = Empty(grouping_.part.Copy());
  plain.groups = grouping_.groups;
  for (const size_t index : plain_)
    AddAggregate(plain, AggregateAt(index), grouping_.columns[groups_ + index]);
  return PlanMerged(builder_, std::move(plain));
}

// One row a group and value, with how many of its rows pass each filter.
Result<Part> DistinctPlan::ByFilter(const DistinctValue& value, const std::string& label) {
  const Type boolean = Type::Of(TypeId::kBoolean);
  std::vector<Expr> columns = grouping_.groups;
  columns.insert(columns.end(), value.columns.begin(), value.columns.end());
  const size_t keys = columns.size();
  for (const Expr& filter : value.filters) {
    columns.push_back(LogicExpr(Expr::Kind::kCoalesce, {filter, BoolExpr(false)}));
  }
  QN_GET(Part distinct, builder_.Distinct(Project(grouping_.part.Copy(), std::move(columns)), label));
  Grouping by_value;
  for (size_t i = 0; i < keys; ++i) by_value.groups.push_back(ColumnExpr(distinct.columns(), i));
  by_value.columns.assign(distinct.columns().begin(),
                          distinct.columns().begin() + static_cast<std::ptrdiff_t>(keys));
  by_value.needed.assign(keys, true);
  for (size_t i = 0; i < value.filters.size(); ++i) {
    Expr count;
    count.kind = Expr::Kind::kAggregate;
    count.name = "count_star";
    count.type = Type::Of(TypeId::kBigInt);
    count.filter.push_back(ColumnExpr(keys + i, boolean));
    AddAggregate(by_value, std::move(count),
                 {"passed" + std::to_string(i), Type::Of(TypeId::kBigInt), true, ""});
  }
  by_value.part = std::move(distinct);
  return PlanGrouping(builder_, std::move(by_value));
}

Result<std::optional<Part>> DistinctPlan::Answer(const DistinctValue& value) {
  std::string label =
      "DISTINCT " + Print(AggregateAt(value.aggregates[0]).children[0], grouping_.part.columns());
  for (size_t i = 0; i < groups_; ++i) {
    label += (i == 0 ? " by " : ", ") + Print(grouping_.groups[i], grouping_.part.columns());
  }
  const bool has_counts =
      value.filters.size() + (value.has_all ? 1 : 0) > 1 || (value.is_row && !value.has_all);
  Grouping answer;
  if (has_counts) {
    QN_GET(Part counts, ByFilter(value, label));
    answer = Empty(std::move(counts));
  } else {
    std::vector<Expr> columns = grouping_.groups;
    for (const Expr& column : value.columns) {
      // Rows that the filter leaves out count as NULL, so that their groups stay.
      columns.push_back(value.filters.empty() ? column
                                              : CaseExpr(value.filters[0], column, NullExpr(column.type)));
    }
    QN_GET(Part distinct, builder_.Distinct(Project(grouping_.part.Copy(), std::move(columns)), label));
    answer = Empty(std::move(distinct));
  }
  const size_t first_count = groups_ + value.columns.size();
  for (size_t i = 0; i < value.aggregates.size(); ++i) {
    Expr expr = AggregateAt(value.aggregates[i]);
    expr.is_distinct = false;
    expr.filter.clear();
    expr.children = {ColumnExpr(groups_, value.columns[0].type)};
    if (value.is_row) {
      expr.children.clear();
      expr.name = "count_star";
    }
    if (has_counts && value.filter_of[i].has_value()) {
      Expr passed = ColumnExpr(first_count + *value.filter_of[i], Type::Of(TypeId::kBigInt));
      expr.filter.push_back(CompareExpr(std::move(passed), ">", NumberExpr(0, TypeId::kBigInt)));
    }
    AddAggregate(answer, std::move(expr), grouping_.columns[groups_ + value.aggregates[i]]);
  }
  return PlanMerged(builder_, std::move(answer));
}

Status DistinctPlan::JoinAnswer(Part answer, const std::vector<size_t>& aggregates) {
  const size_t first = joined_.has_value() ? joined_->columns().size() : 0;
  for (size_t i = 0; i < aggregates.size(); ++i) {
    const size_t column = groups_ + aggregates[i];
    out_[column] = ColumnExpr(first + groups_ + i, grouping_.columns[column].type);
  }
  if (!joined_.has_value()) {
    joined_ = std::move(answer);
    return Ok();
  }
  std::vector<Expr> keys;
  for (size_t i = 0; i < groups_; ++i) keys.push_back(ColumnExpr(joined_->columns(), i));
  Mask left(joined_->columns().size(), true);
  Mask right(answer.columns().size(), true);
  std::fill_n(right.begin(), groups_, false);
  CircuitBuilder::JoinOutput pairs;
  pairs.pairs = true;
  QN_GET(joined_, builder_.Join({std::move(*joined_), keys, std::move(left)},
                                {std::move(answer), keys, std::move(right)}, 0, pairs,
                                "JOIN of the answers by group"));
  return Ok();
}

Result<std::optional<Part>> DistinctPlan::Plan() {
  for (size_t i = 0; i < grouping_.aggregates.size(); ++i) {
    if (grouping_.needed[groups_ + i] && !Add(i)) return std::optional<Part>();
  }
  if (!plain_.empty()) {
    QN_GET(std::optional<Part> plain, Plain());
    if (!plain.has_value()) return std::optional<Part>();
    QN_TRY(JoinAnswer(std::move(*plain), plain_));
  }
  for (const DistinctValue& value : values_) {
    QN_GET(std::optional<Part> answer, Answer(value));
    if (!answer.has_value()) return std::optional<Part>();
    QN_TRY(JoinAnswer(std::move(*answer), value.aggregates));
  }
  for (size_t i = 0; i < out_.size(); ++i) {
    if (i < groups_) {
      out_[i] = ColumnExpr(i, grouping_.columns[i].type);
    } else if (!grouping_.needed[i]) {
      out_[i] = NullExpr(grouping_.columns[i].type);
    }
  }
  return std::optional<Part>(Project(std::move(*joined_), std::move(out_), grouping_.columns));
}

}  // namespace

Result<std::optional<Part>> PlanDistinct(CircuitBuilder& builder, const Grouping& grouping) {
  return DistinctPlan(builder, grouping).Plan();
}

}  // namespace qn::plan
