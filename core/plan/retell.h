// DuckDB's parser and binder errors in the user's words: dataset, file and line, what there is, what was
// meant.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"
#include "data/type.h"

namespace qn::plan {

// Where the failing text stands.
struct Place {
  std::string where;  // "flows/shop.py:31"
  std::string kind;   // "dataset", "expectation" or "temporary view"
  std::string name;
  std::string dataset;  // of an expectation; else the same as `name`
  std::string text;     // the SQL or the condition
};

struct Known {
  std::string name;
  Schema columns;
};

// `error` is the answer of json_serialize_plan or json_serialize_sql with "error": true. `shift` is how far
// the text stands inside what DuckDB was asked. `reads` are the datasets whose columns may be used, `all`
// every name.
Status Retell(const Json& error, const Place& place, size_t shift, const std::vector<Known>& reads,
              const std::vector<std::string>& all);

// "at flows/shop.py:31, in the expectation 'positive_amount':  amout > 0".
std::string At(const Place& place, size_t position = 0);

inline constexpr const char* kNothingStarted = "Nothing was started.";

}  // namespace qn::plan
