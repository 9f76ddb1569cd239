// The pipeline's Python functions as the engine calls them: Arrow capsules in, Arrow capsules out.
#pragma once

#include <nanobind/nanobind.h>

#include "app/function_scan.h"

namespace qn::bind {

class PythonFunctions final : public app::BatchFunctions {
 public:
  explicit PythonFunctions(nanobind::list functions) : functions_(std::move(functions)) {}

  // Takes the GIL for the time of the call. A failure is QN-4101 with Python's own words.
  Status Call(int id, duck::ArrowBatch batch, ArrowSchema* wanted, std::vector<duck::ArrowBatch>* out,
              std::vector<app::FunctionFailure>* failures) override;

 private:
  nanobind::list functions_;
};

}  // namespace qn::bind
