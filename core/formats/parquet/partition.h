// Which partition a row belongs to, and how its folder is called: as DuckDB, Hive and Spark call it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/type.h"
#include "duck/vector.h"
#include "formats/parquet/bounds.h"

namespace qn::parquet {

// Whether columns of this type can be partition columns: numbers that are exact, times, BOOLEAN and VARCHAR.
bool CanPartition(const Type& type);

// The value of one partition column.
struct KeyValue {
  bool is_null = false;
  Int128 number = 0;  // all types but VARCHAR
  std::string text;   // VARCHAR

  static KeyValue Of(const Type& type, const duck::ColumnIn& column, size_t row);
  bool Is(const Type& type, const duck::ColumnIn& column, size_t row) const;
  std::string Text(const Type& type) const;  // as DuckDB prints it
};

uint64_t KeyHash(const Type& type, const duck::ColumnIn& column, size_t row);

// "city=K%C3%B6ln", "city=__HIVE_DEFAULT_PARTITION__" for NULL.
std::string PartitionFolder(const std::string& name, const KeyValue& value, const Type& type);

}  // namespace qn::parquet
