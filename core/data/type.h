// Logical types of columns, named as DuckDB names them. Words, not deeds: no I/O, no conversion of values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/json.h"

namespace qn {

enum class TypeId : uint8_t {
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kHugeInt,
  kUTinyInt,
  kUSmallInt,
  kUInteger,
  kUBigInt,
  kUHugeInt,
  kFloat,
  kDouble,
  kDecimal,
  kVarchar,
  kBlob,
  kUuid,
  kJson,
  kBit,
  kEnum,
  kDate,
  kTime,
  kTimeTz,
  kTimestamp,
  kTimestampS,
  kTimestampMs,
  kTimestampNs,
  kTimestampTz,
  kInterval,
  kStruct,
  kList,
  kArray,
  kMap,
  kNull,   // the type of a bare NULL
  kOther,  // known to DuckDB, not to us (UNION, VARIANT, GEOMETRY, BIGNUM …); `text` names it
};

struct Field;

struct Type {
  TypeId id = TypeId::kNull;
  uint8_t width = 0;                // DECIMAL
  uint8_t scale = 0;                // DECIMAL
  uint64_t array_size = 0;          // ARRAY
  std::vector<Field> children;      // STRUCT: its fields; LIST, ARRAY: one; MAP: key and value
  std::vector<std::string> labels;  // ENUM
  std::string text;                 // kOther: DuckDB's name

  // As SQL: "DECIMAL(10,2)", "STRUCT(lat DOUBLE, lon DOUBLE)", "VARCHAR[]". Names are in double quotes.
  std::string ToSql() const;
  bool operator==(const Type&) const;

  static Type Of(TypeId id);
  static Type Decimal(uint8_t width, uint8_t scale);
  static Type ListOf(Type child);
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  std::string comment;  // shown to people and stored with the table

  bool operator==(const Field&) const = default;
};

using Schema = std::vector<Field>;

// Types of the columns, or of those from `from` to before `to`.
std::vector<Type> TypesOf(const Schema& columns, size_t from = 0, size_t to = SIZE_MAX);

// Index of the column called `name` (case-insensitive, as in DuckDB), or -1.
int ColumnIndex(const Schema& schema, std::string_view name);

// The LogicalType object of json_serialize_plan: {"id": "DECIMAL", "type_info": {…}}.
Result<Type> TypeFromPlanJson(const Json& json);

// "a, b, c" for messages.
std::string ColumnNames(const Schema& schema);

// `name` as an SQL identifier, in double quotes.
std::string QuoteName(std::string_view name);
// `text` as an SQL string literal.
std::string QuoteText(std::string_view text);
// The file `path`, and no other, as an argument of read_parquet and its like, which read names as patterns.
std::string QuoteFile(std::string_view path);

// The nearest of `names` to `wrong` if it is near enough to be a slip of the hand; "" otherwise.
std::string NearestName(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace qn
