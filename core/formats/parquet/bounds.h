// The least and the greatest value of a column, and how they are told: to Parquet as bytes, to the table's
// log as DuckDB's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/parquet/schema.h"

namespace qn::parquet {

using Int128 = __int128;

inline constexpr size_t kBoundBytesMax = 4096;     // a longer text or blob is no bound: then there are none
inline constexpr size_t kFileBoundBytesMax = 256;  // in the Parquet footer, which every reader loads

// Numbers (BOOLEAN, DATE, TIMESTAMP, DECIMAL too) are kept in `low` and `high`, FLOAT and DOUBLE in the
// reals, VARCHAR and BLOB in the texts.
struct Bounds {
  bool has_values = false;
  bool has_nan = false;  // a NaN is neither least nor greatest; readers differ, so then no bounds are told
  bool is_lost = false;  // a text too long to be kept was seen
  Int128 low = 0, high = 0;
  double low_real = 0, high_real = 0;
  std::string low_text, high_text;

  bool IsKnown() const { return has_values && !has_nan && !is_lost; }
  void AddNumbers(Int128 least, Int128 greatest);
  void AddReals(double least, double greatest);
  void AddText(std::string_view text);
  void Add(const Bounds& other, const Type& type);
};

// The bound as Parquet's PLAIN bytes. -0 and 0 are told so that both are inside.
std::string LowBytes(const Bounds& bounds, const Leaf& leaf);
std::string HighBytes(const Bounds& bounds, const Leaf& leaf);

// As DuckDB prints it, but 0.5 where it prints .5: the text goes into the table's log as a number.
std::string LowText(const Bounds& bounds, const Type& type);
std::string HighText(const Bounds& bounds, const Type& type);

// As DuckDB prints a number of this type (BOOLEAN as "true").
std::string NumberText(Int128 value, const Type& type);

// Big-endian two's complement in `width` bytes.
void PutBigEndian(Int128 value, int32_t width, char* out);

}  // namespace qn::parquet
