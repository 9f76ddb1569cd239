// Questions about files and tables that need no pipeline: for `qanat query`, `qanat schema`, `qanat init`.
#pragma once

#include <string>

#include "base/status.h"

namespace qn::app {

// The Delta table in `folder` at `version` (-1: the newest): version, schema, partition columns, files.
Result<std::string> SnapshotJson(const std::string& library, const std::string& folder, int64_t version);

// What the versions `first` to `last` (-1: the newest) of the Delta table in `folder` have changed.
Result<std::string> ChangesJson(const std::string& library, const std::string& folder, int64_t first,
                                int64_t last);

// The SQL column list that fits a sample of JSON lines. QN-2030 when no line is an object.
Result<std::string> InferJsonColumns(const std::string& sample);

}  // namespace qn::app
