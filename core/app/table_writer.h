// Writes the rows of a SELECT as Parquet part files of a table, by DuckDB's COPY, and tells what was written.
#pragma once

#include <string>
#include <vector>

#include "contract/sink.h"
#include "data/type.h"
#include "duck/database.h"

namespace qn::app {

struct TablePlace {
  std::string folder;
  std::string filename_pattern;  // of this step's files
  Schema columns;                // as stored
  std::vector<std::string> partition_cols;
};

// `select` gives columns with the names of place.columns (any order, castable). Files with no rows are
// removed.
Result<std::vector<StagedFile>> WriteTable(duck::Connection& connection, const TablePlace& place,
                                           const std::string& select);

// The epoch in the name of a file that was written under `pattern_of_1`, the pattern of epoch 1
// ("part-<writer>-1-{uuidv7}"); -1 when somebody else wrote it.
Epoch EpochOfPart(const std::string& path, const std::string& pattern_of_1);

}  // namespace qn::app
