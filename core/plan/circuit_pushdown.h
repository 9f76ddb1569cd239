// Brings a tree into the form that circuits are cut from: conditions stand as low as they can, comma joins
// have keys, and joins follow their keys. DuckDB's optimizers that do this are switched off when a plan is
// read (docs/decisions/002-bound-plan.md), because what they make cannot be read back.
#pragma once

#include <memory>

#include "plan/node.h"

namespace qn::plan {

// Gives the same rows and columns.
std::unique_ptr<Node> PushConditions(std::unique_ptr<Node> tree);

}  // namespace qn::plan
