// What a Parquet file says of its columns: our types in Parquet's words. Only types that tables store
// (connectors/delta's stored types); what has no such type is refused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/type.h"
#include "formats/parquet/thrift.h"

namespace qn::parquet {

enum class Physical : uint8_t {  // as numbered by the format
  kBoolean = 0,
  kInt32 = 1,
  kInt64 = 2,
  kFloat = 4,
  kDouble = 5,
  kByteArray = 6,
  kFixed = 7,
};

// A column of values in the file: a column of the table, or a field or item below one.
struct Leaf {
  Type type;
  Physical physical = Physical::kByteArray;
  int32_t width = 0;              // kFixed: bytes a value
  uint8_t def_max = 0;            // definition level of a value that is there
  uint8_t rep_max = 0;            // lists above
  std::vector<std::string> path;  // names in the file, "list" and "key_value" included
};

// A column of the table or something below it, as values are walked.
struct Node {
  enum class Kind : uint8_t { kLeaf, kStruct, kList };  // a MAP is a list of required STRUCT(key, value)

  Kind kind = Kind::kLeaf;
  bool is_optional = true;
  uint8_t def = 0;  // definition level when it is there, though a list may be empty
  uint8_t rep = 0;  // kList: repetition level of its second and later items
  size_t leaf = 0;  // kLeaf: index into leaves()
  int nulls = -1;   // kList not below a list: index of its count of NULLs
  std::string key;  // of its ColumnStats, "\"geo\".\"lat\""; empty below a list
  std::vector<Node> children;
};

class ParquetSchema {
 public:
  // QN-2060 for a type that our files do not hold.
  static Result<ParquetSchema> Make(const Schema& columns);

  const std::vector<Node>& columns() const { return columns_; }
  const std::vector<Leaf>& leaves() const { return leaves_; }
  size_t null_counts() const { return null_counts_; }

  // Field `id` of the footer: the list of SchemaElements.
  void Write(ThriftWriter& out, int16_t id) const;

 private:
  Status AddColumn(const Field& field, const std::string& top, Node& node, std::vector<std::string>& path,
                   uint8_t def, uint8_t rep);
  Status AddChildren(const Field& field, const std::string& top, Node& node, std::vector<std::string>& path,
                     uint8_t rep);

  Schema fields_;
  std::vector<Node> columns_;
  std::vector<Leaf> leaves_;
  size_t null_counts_ = 0;
};

}  // namespace qn::parquet
