// Levels follow from the tree: each optional thing adds a definition level, each list one more and a
// repetition level. Lists have three levels, as the format asks.
#include "formats/parquet/schema.h"

namespace qn::parquet {
namespace {

// ConvertedType, as numbered by the format.
enum Converted : int32_t {
  kNoConverted = -1,
  kUtf8 = 0,
  kMap = 1,
  kList = 3,
  kDecimal = 5,
  kDate = 6,
  kTimestampMicros = 10,
  kInt8 = 15,
  kInt16 = 16,
};
// Members of the union LogicalType.
enum Logical : int16_t {
  kLString = 1,
  kLMap = 2,
  kLList = 3,
  kLDecimal = 5,
  kLDate = 6,
  kLTimestamp = 8,
  kLInteger = 10
};

constexpr int32_t kRequired = 0;
constexpr int32_t kOptional = 1;
constexpr int32_t kRepeated = 2;

// Ids of SchemaElement's fields.
constexpr int16_t kType = 1, kTypeLength = 2, kRepetition = 3, kName = 4, kChildren = 5, kConverted = 6,
                  kScale = 7, kPrecision = 8, kLogicalType = 10;

// Bytes of the smallest two's complement number with so many decimal digits.
int32_t BytesOfDecimal(uint8_t digits) {
  int32_t bytes = 1;
  unsigned __int128 power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  while (bytes < 16 && (static_cast<unsigned __int128>(1) << (8 * bytes - 1)) < power) ++bytes;
  return bytes;
}

bool FindPhysical(const Type& type, Leaf& leaf) {
  switch (type.id) {
    case TypeId::kBoolean:
      leaf.physical = Physical::kBoolean;
      return true;
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kDate:
      leaf.physical = Physical::kInt32;
      return true;
    case TypeId::kBigInt:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      leaf.physical = Physical::kInt64;
      return true;
    case TypeId::kFloat:
      leaf.physical = Physical::kFloat;
      return true;
    case TypeId::kDouble:
      leaf.physical = Physical::kDouble;
      return true;
    case TypeId::kVarchar:
    case TypeId::kBlob:
      leaf.physical = Physical::kByteArray;
      return true;
    case TypeId::kDecimal:
      leaf.physical = type.width <= 9    ? Physical::kInt32
                      : type.width <= 18 ? Physical::kInt64
                                         : Physical::kFixed;
      if (leaf.physical == Physical::kFixed) leaf.width = BytesOfDecimal(type.width);
      return type.width >= 1 && type.width <= 38;
    default:
      return false;
  }
}

Status Refuse(const std::string& column, const Type& type) {
  return Invalid("QN-2060", "Column '" + column + "' has a type that Parquet files of tables do not hold: " +
                                type.ToSql() + ".")
      .With("Cast it to another type in the query, for example to VARCHAR.");
}

Converted ConvertedOf(const Type& type) {
  switch (type.id) {
    case TypeId::kTinyInt:
      return kInt8;
    case TypeId::kSmallInt:
      return kInt16;
    case TypeId::kVarchar:
      return kUtf8;
    case TypeId::kDate:
      return kDate;
    case TypeId::kDecimal:
      return kDecimal;
    case TypeId::kTimestamp:  // older readers know no other; all others look at the logical type first
    case TypeId::kTimestampTz:
      return kTimestampMicros;
    default:
      return kNoConverted;
  }
}

void WriteInteger(int8_t bits, ThriftWriter& out) {
  out.BeginStruct(kLInteger);
  out.I8(1, bits);
  out.Bool(2, true);
  out.EndStruct();
}

void WriteTimestamp(bool is_utc, ThriftWriter& out) {
  out.BeginStruct(kLTimestamp);
  out.Bool(1, is_utc);
  out.BeginStruct(2);
  out.EmptyStruct(2);  // MICROS
  out.EndStruct();
  out.EndStruct();
}

void WriteLogical(const Type& type, ThriftWriter& out) {
  out.BeginStruct(kLogicalType);
  switch (type.id) {
    case TypeId::kTinyInt:
      WriteInteger(8, out);
      break;
    case TypeId::kSmallInt:
      WriteInteger(16, out);
      break;
    case TypeId::kVarchar:
      out.EmptyStruct(kLString);
      break;
    case TypeId::kDate:
      out.EmptyStruct(kLDate);
      break;
    case TypeId::kDecimal:
      out.BeginStruct(kLDecimal);
      out.I32(1, type.scale);
      out.I32(2, type.width);
      out.EndStruct();
      break;
    case TypeId::kList:
      out.EmptyStruct(kLList);
      break;
    case TypeId::kMap:
      out.EmptyStruct(kLMap);
      break;
    default:
      WriteTimestamp(type.id == TypeId::kTimestampTz, out);
      break;
  }
  out.EndStruct();
}

void WriteGroup(const std::string& name, int32_t repetition, size_t children, const Type* annotation,
                ThriftWriter& out) {
  out.BeginStruct();
  if (repetition >= 0) out.I32(kRepetition, repetition);
  out.Binary(kName, name);
  out.I32(kChildren, static_cast<int32_t>(children));
  if (annotation != nullptr) {
    out.I32(kConverted, annotation->id == TypeId::kMap ? kMap : kList);
    WriteLogical(*annotation, out);
  }
  out.EndStruct();
}

void WritePrimitive(const std::string& name, int32_t repetition, const Type& type, ThriftWriter& out) {
  Leaf leaf;
  QN_CHECK(FindPhysical(type, leaf));
  const Converted converted = ConvertedOf(type);
  out.BeginStruct();
  out.I32(kType, static_cast<int32_t>(leaf.physical));
  if (leaf.width > 0) out.I32(kTypeLength, leaf.width);
  out.I32(kRepetition, repetition);
  out.Binary(kName, name);
  if (converted != kNoConverted) out.I32(kConverted, converted);
  if (type.id == TypeId::kDecimal) {
    out.I32(kScale, type.scale);
    out.I32(kPrecision, type.width);
  }
  if (converted != kNoConverted) WriteLogical(type, out);
  out.EndStruct();
}

void WriteColumn(const std::string& name, int32_t repetition, const Type& type, ThriftWriter& out) {
  switch (type.id) {
    case TypeId::kStruct:
      WriteGroup(name, repetition, type.children.size(), nullptr, out);
      for (const Field& child : type.children) WriteColumn(child.name, kOptional, child.type, out);
      return;
    case TypeId::kList:
      WriteGroup(name, repetition, 1, &type, out);
      WriteGroup("list", kRepeated, 1, nullptr, out);
      WriteColumn("element", kOptional, type.children[0].type, out);
      return;
    case TypeId::kMap:
      WriteGroup(name, repetition, 1, &type, out);
      WriteGroup("key_value", kRepeated, 2, nullptr, out);
      WriteColumn("key", kRequired, type.children[0].type, out);
      WriteColumn("value", kOptional, type.children[1].type, out);
      return;
    default:
      WritePrimitive(name, repetition, type, out);
  }
}

size_t Elements(const Type& type) {
  size_t count = type.id == TypeId::kList || type.id == TypeId::kMap ? 2 : 1;
  for (const Field& child : type.children) count += Elements(child.type);
  return count;
}

// Levels are bytes here; nobody nests so deep on purpose.
constexpr int kLevelsMax = 100;

}  // namespace

Result<ParquetSchema> ParquetSchema::Make(const Schema& columns) {
  ParquetSchema schema;
  schema.fields_ = columns;
  for (const Field& field : columns) {
    Node node;
    std::vector<std::string> path = {field.name};
    node.key = QuoteName(field.name);
    QN_TRY(schema.AddColumn(field, field.name, node, path, 0, 0));
    schema.columns_.push_back(std::move(node));
  }
  return schema;
}

// `node` has its key and is_optional; the rest is filled here. `def` is the level of what it lies in.
Status ParquetSchema::AddColumn(const Field& field, const std::string& top, Node& node,
                                std::vector<std::string>& path, uint8_t def, uint8_t rep) {
  if (def + 3 > kLevelsMax) return Refuse(top, field.type);
  node.def = static_cast<uint8_t>(def + (node.is_optional ? 1 : 0));
  const TypeId id = field.type.id;
  if (id == TypeId::kStruct || id == TypeId::kList || id == TypeId::kMap) {
    return AddChildren(field, top, node, path, rep);
  }
  Leaf leaf;
  if (!FindPhysical(field.type, leaf)) return Refuse(top, field.type);
  leaf.type = field.type;
  leaf.def_max = node.def;
  leaf.rep_max = rep;
  leaf.path = path;
  node.leaf = leaves_.size();
  leaves_.push_back(std::move(leaf));
  return Ok();
}

Status ParquetSchema::AddChildren(const Field& field, const std::string& top, Node& node,
                                  std::vector<std::string>& path, uint8_t rep) {
  const auto add = [&](Node& parent, const Field& child, const std::string& name, bool is_optional,
                       uint8_t def, uint8_t child_rep) -> Status {
    parent.children.emplace_back();
    Node& next = parent.children.back();
    next.is_optional = is_optional;
    if (child_rep == 0 && !parent.key.empty()) next.key = parent.key + "." + QuoteName(name);
    path.push_back(name);
    QN_TRY(AddColumn(child, top, next, path, def, child_rep));
    path.pop_back();
    return Ok();
  };
  const Type& type = field.type;
  if (type.children.empty()) return Refuse(top, type);
  if (type.id == TypeId::kStruct) {
    node.kind = Node::Kind::kStruct;
    for (const Field& child : type.children) QN_TRY(add(node, child, child.name, true, node.def, rep));
    return Ok();
  }
  node.kind = Node::Kind::kList;
  node.rep = static_cast<uint8_t>(rep + 1);
  if (rep == 0) node.nulls = static_cast<int>(null_counts_++);
  const auto inner = static_cast<uint8_t>(node.def + 1);
  if (type.id == TypeId::kList) {
    path.emplace_back("list");
    QN_TRY(add(node, type.children[0], "element", true, inner, node.rep));
    path.pop_back();
    return Ok();
  }
  Node entries;
  entries.kind = Node::Kind::kStruct;
  entries.is_optional = false;
  entries.def = inner;
  path.emplace_back("key_value");
  QN_TRY(add(entries, type.children[0], "key", false, inner, node.rep));
  QN_TRY(add(entries, type.children[1], "value", true, inner, node.rep));
  path.pop_back();
  node.children.push_back(std::move(entries));
  return Ok();
}

void ParquetSchema::Write(ThriftWriter& out, int16_t id) const {
  size_t count = 1;
  for (const Field& field : fields_) count += Elements(field.type);
  out.BeginList(id, ThriftWriter::Kind::kStruct, count);
  WriteGroup("schema", -1, fields_.size(), nullptr, out);
  for (const Field& field : fields_) WriteColumn(field.name, kOptional, field.type, out);
}

}  // namespace qn::parquet
