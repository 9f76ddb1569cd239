// Writes the rows of a SELECT as Parquet part files of a table, by DuckDB's COPY, and tells what was written.
#pragma once

#include <string>
#include <vector>

#include "contract/sink.h"
#include "data/type.h"
#include "duck/database.h"

namespace qn::app {

// How a column's type is kept in a table: Delta has no unsigned numbers, UUIDs, times, … (docs/reference/types.md).
// Failure QN-1212: a type that no table can hold.
Result<Type> StoredType(const Type& type);

struct TablePlace {
  std::string folder;
  std::string writer;                       // part of the file names: whose files they are
  Schema columns;                           // as stored
  std::vector<std::string> partition_cols;
};

// `select` gives columns with the names of place.columns (any order, castable). Files with no rows are removed.
Result<std::vector<StagedFile>> WriteTable(duck::Connection& connection, const TablePlace& place,
                                           const std::string& select, Epoch epoch);

// "part-<writer>-<epoch>-": what the names of the files of one step begin with.
std::string PartPrefix(const std::string& writer, Epoch epoch);
// The epoch in such a name; -1 when it is not one of `writer`'s.
Epoch EpochOfPart(const std::string& path, const std::string& writer);

}  // namespace qn::app
