// The planner lets windows be made only of operators that can forget.
#include "ops/operator.h"

#include "base/check.h"

namespace qn::ops {

Status Operator::Expire(const IsOver&) {
  QN_CHECK(!"this operator forgets nothing");
  return Ok();
}

}  // namespace qn::ops
