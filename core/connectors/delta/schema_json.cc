// Types are walked three times in the same order: to stored types, to JSON, from JSON.
#include "connectors/delta/schema_json.h"

#include <array>
#include <cctype>
#include <charconv>
#include <set>

namespace qn::delta {
namespace {

struct Primitive {
  TypeId id;
  std::string_view delta;
};

constexpr std::array kPrimitives = {
    Primitive{TypeId::kBoolean, "boolean"},
    Primitive{TypeId::kTinyInt, "byte"},
    Primitive{TypeId::kSmallInt, "short"},
    Primitive{TypeId::kInteger, "integer"},
    Primitive{TypeId::kBigInt, "long"},
    Primitive{TypeId::kFloat, "float"},
    Primitive{TypeId::kDouble, "double"},
    Primitive{TypeId::kVarchar, "string"},
    Primitive{TypeId::kBlob, "binary"},
    Primitive{TypeId::kDate, "date"},
    Primitive{TypeId::kTimestamp, "timestamp_ntz"},
    Primitive{TypeId::kTimestampTz, "timestamp"},
};

Result<Type> StoredNested(const Type& type) {
  Type stored = Type::Of(type.id == TypeId::kArray ? TypeId::kList : type.id);
  for (const Field& child : type.children) {
    QN_GET(Type child_type, StoredType(child.type));
    stored.children.push_back({child.name, std::move(child_type), child.nullable, child.comment});
  }
  return stored;
}

Json TypeToJson(const Type& type);

Json FieldToJson(const Field& field) {
  Json metadata = Json::Object{};
  if (!field.comment.empty()) metadata.Set("comment", field.comment);
  Json json;
  json.Set("name", field.name);
  json.Set("type", TypeToJson(field.type));
  json.Set("nullable", field.nullable);
  json.Set("metadata", std::move(metadata));
  return json;
}

Json StructToJson(const std::vector<Field>& fields) {
  Json items = Json::Array{};
  for (const Field& field : fields) items.Push(FieldToJson(field));
  Json json;
  json.Set("type", "struct");
  json.Set("fields", std::move(items));
  return json;
}

Json TypeToJson(const Type& type) {
  Json json;
  switch (type.id) {
    case TypeId::kStruct:
      return StructToJson(type.children);
    case TypeId::kList:
      json.Set("type", "array");
      json.Set("elementType", TypeToJson(type.children[0].type));
      json.Set("containsNull", type.children[0].nullable);
      return json;
    case TypeId::kMap:
      json.Set("type", "map");
      json.Set("keyType", TypeToJson(type.children[0].type));
      json.Set("valueType", TypeToJson(type.children[1].type));
      json.Set("valueContainsNull", type.children[1].nullable);
      return json;
    case TypeId::kDecimal:
      return "decimal(" + std::to_string(type.width) + "," + std::to_string(type.scale) + ")";
    default:
      break;
  }
  for (const Primitive& primitive : kPrimitives) {
    if (primitive.id == type.id) return std::string(primitive.delta);
  }
  QN_CHECK(false && "not a stored type: call StoredType first");
  return {};
}

Status BadSchema(const std::string& found) {
  return Failed("QN-3311", "The table has a column of a type that this Qanat does not know: '" + found + "'.")
      .With(
          "Known are Delta's string, byte … long, float, double, decimal, boolean, binary, date, timestamp, "
          "timestamp_ntz, struct, array and map.");
}

Result<Type> PrimitiveFromText(const std::string& text) {
  for (const Primitive& primitive : kPrimitives) {
    if (primitive.delta == text) return Type::Of(primitive.id);
  }
  if (text == "decimal") return Type::Decimal(10, 0);
  if (text.starts_with("decimal(") && text.ends_with(")")) {
    const char* at = text.data() + 8;
    const char* end = text.data() + text.size() - 1;
    int width = 0;
    int scale = 0;
    auto parsed = std::from_chars(at, end, width);
    if (parsed.ec == std::errc() && parsed.ptr < end && *parsed.ptr == ',') {
      ++parsed.ptr;
      while (parsed.ptr < end && *parsed.ptr == ' ') ++parsed.ptr;
      parsed = std::from_chars(parsed.ptr, end, scale);
      if (parsed.ec == std::errc() && parsed.ptr == end && width >= 1 && width <= 38 && scale >= 0 &&
          scale <= width) {
        return Type::Decimal(static_cast<uint8_t>(width), static_cast<uint8_t>(scale));
      }
    }
  }
  return BadSchema(text);
}

Result<Type> TypeFromJson(const Json& json);

Result<std::vector<Field>> FieldsFromJson(const Json& json) {
  std::vector<Field> fields;
  for (const Json& item : json["fields"].Items()) {
    if (item["name"].Str().empty()) return BadSchema(item.Dump());
    QN_GET(Type type, TypeFromJson(item["type"]));
    fields.push_back({item["name"].Str(), std::move(type), item["nullable"].Bool(true),
                      item["metadata"]["comment"].Str()});
  }
  return fields;
}

Result<Type> TypeFromJson(const Json& json) {
  if (json.IsString()) return PrimitiveFromText(json.Str());
  const std::string& kind = json["type"].Str();
  if (kind == "struct") {
    Type type = Type::Of(TypeId::kStruct);
    QN_GET(type.children, FieldsFromJson(json));
    return type;
  }
  if (kind == "array") {
    QN_GET(Type element, TypeFromJson(json["elementType"]));
    Type type = Type::ListOf(std::move(element));
    type.children[0].nullable = json["containsNull"].Bool(true);
    return type;
  }
  if (kind == "map") {
    Type type = Type::Of(TypeId::kMap);
    QN_GET(Type key, TypeFromJson(json["keyType"]));
    QN_GET(Type value, TypeFromJson(json["valueType"]));
    type.children.push_back({"key", std::move(key), false, ""});
    type.children.push_back({"value", std::move(value), json["valueContainsNull"].Bool(true), ""});
    return type;
  }
  return BadSchema(json.Dump());
}

bool UsesNtz(const Type& type) { return type.id == TypeId::kTimestamp || UsesTimestampNtz(type.children); }

std::string LowerName(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

Result<Type> StoredType(const Type& type) {
  switch (type.id) {
    case TypeId::kUTinyInt:
      return Type::Of(TypeId::kSmallInt);
    case TypeId::kUSmallInt:
      return Type::Of(TypeId::kInteger);
    case TypeId::kUInteger:
      return Type::Of(TypeId::kBigInt);
    case TypeId::kUBigInt:
      return Type::Decimal(20, 0);
    case TypeId::kHugeInt:
    case TypeId::kUHugeInt:
      return Type::Decimal(38, 0);
    case TypeId::kUuid:
    case TypeId::kTime:
    case TypeId::kTimeTz:
    case TypeId::kInterval:
    case TypeId::kEnum:
    case TypeId::kBit:
    case TypeId::kJson:
      return Type::Of(TypeId::kVarchar);
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampNs:
      return Type::Of(TypeId::kTimestamp);
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kArray:
    case TypeId::kMap:
      return StoredNested(type);
    case TypeId::kNull:
    case TypeId::kOther:
      return Invalid("QN-3311", "A column of type " + type.ToSql() + " has no place in a Delta table.")
          .With("Cast it in the query, for example to VARCHAR.");
    default:
      return type;
  }
}

Result<Schema> StoredSchema(const Schema& schema) {
  Schema stored;
  std::set<std::string> names;
  for (const Field& field : schema) {
    if (!names.insert(LowerName(field.name)).second) {
      return Invalid("QN-3311", "Two columns are called '" + field.name + "'.")
          .With("Delta does not tell names apart by case. Rename one of them in the query.");
    }
    Result<Type> type = StoredType(field.type);
    if (!type.ok()) return Status(type.status()).With("Column: " + field.name);
    stored.push_back({field.name, std::move(type).value(), field.nullable, field.comment});
  }
  if (stored.empty()) return Invalid("QN-3311", "A table needs at least one column.");
  return stored;
}

std::string SchemaToJson(const Schema& schema) { return StructToJson(schema).Dump(); }

Result<Schema> SchemaFromJson(const std::string& text) {
  const Result<Json> json = Json::Parse(text);
  if (!json.ok() || (*json)["type"].Str() != "struct") return BadSchema(text.substr(0, 200));
  return FieldsFromJson(*json);
}

bool UsesTimestampNtz(const Schema& schema) {
  for (const Field& field : schema) {
    if (UsesNtz(field.type)) return true;
  }
  return false;
}

}  // namespace qn::delta
