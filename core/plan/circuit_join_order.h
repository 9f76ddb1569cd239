// Inner joins and the conditions over them, put into an order that follows the keys.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plan/node.h"

namespace qn::plan {

// a AND b → a, b; what all branches of an OR have in common stands beside it.
std::vector<Expr> SplitAnd(Expr condition);

// A condition over both sides' columns as a join's: compared sides where it is such a one.
JoinKey KeyOf(Expr condition, size_t left_width);

using PushInto =
    std::function<std::unique_ptr<Node>(std::unique_ptr<Node> node, std::vector<Expr> conditions)>;

// `node` is an inner join or a cross product; gives its rows that pass `conditions`. What joins is the inputs
// below that are no inner joins themselves; conditions of one input go to it by `push`.
std::unique_ptr<Node> OrderJoins(std::unique_ptr<Node> node, std::vector<Expr> conditions,
                                 const PushInto& push);

}  // namespace qn::plan
