// DuckDB's typing of +, -, * and % over DECIMAL: the binder widens the arguments to fit the result, so that
// the plan's arguments, bound once more, would give a wider result. This undoes the widening.
#pragma once

#include "plan/node.h"

namespace qn::plan {

// For a call of two arguments: which of them (0, 1) are to be written without the cast that the plan has
// around them, so that binding gives the plan's types again. {false, false} when nothing is to be left out.
struct LeaveOut {
  bool first = false;
  bool second = false;
};
LeaveOut DecimalCastsToLeaveOut(const Expr& call);

}  // namespace qn::plan
