// The table of type numbers is duckdb.h's DUCKDB_TYPE.
#include "duck/types.h"

#include <array>

namespace qn::duck {
namespace {

struct Number {
  TypeId id;
  int duck;
};

constexpr int kDecimal = 19, kEnum = 23, kList = 24, kStruct = 25, kMap = 26, kVarchar = 17, kArray = 33;

constexpr std::array kNumbers = {
    Number{TypeId::kBoolean, 1},      Number{TypeId::kTinyInt, 2},      Number{TypeId::kSmallInt, 3},
    Number{TypeId::kInteger, 4},      Number{TypeId::kBigInt, 5},       Number{TypeId::kUTinyInt, 6},
    Number{TypeId::kUSmallInt, 7},    Number{TypeId::kUInteger, 8},     Number{TypeId::kUBigInt, 9},
    Number{TypeId::kFloat, 10},       Number{TypeId::kDouble, 11},      Number{TypeId::kTimestamp, 12},
    Number{TypeId::kDate, 13},        Number{TypeId::kTime, 14},        Number{TypeId::kInterval, 15},
    Number{TypeId::kHugeInt, 16},     Number{TypeId::kVarchar, 17},     Number{TypeId::kBlob, 18},
    Number{TypeId::kTimestampS, 20},  Number{TypeId::kTimestampMs, 21}, Number{TypeId::kTimestampNs, 22},
    Number{TypeId::kUuid, 27},        Number{TypeId::kBit, 29},         Number{TypeId::kTimeTz, 30},
    Number{TypeId::kTimestampTz, 31}, Number{TypeId::kUHugeInt, 32},    Number{TypeId::kNull, 36},
};

LogicalType StructToDuck(const Api& api, const Type& type) {
  std::vector<LogicalType> children;
  std::vector<Handle> handles;
  std::vector<const char*> names;
  children.reserve(type.children.size());
  for (const Field& field : type.children) {
    children.push_back(ToDuck(api, field.type));
    handles.push_back(children.back().get());
    names.push_back(field.name.c_str());
  }
  return {api, api.create_struct_type(handles.data(), names.data(), handles.size())};
}

LogicalType EnumToDuck(const Api& api, const Type& type) {
  std::vector<const char*> labels;
  for (const std::string& label : type.labels) labels.push_back(label.c_str());
  return {api, api.create_enum_type(labels.data(), labels.size())};
}

std::string Taken(const Api& api, char* text) {
  if (text == nullptr) return "";
  std::string copy(text);
  api.free(text);
  return copy;
}

Type ChildFromDuck(const Api& api, Handle child) {
  const LogicalType owned(api, child);
  return FromDuck(api, owned.get());
}

Type NestedFromDuck(const Api& api, Handle handle, int duck) {
  if (duck == kList) return Type::ListOf(ChildFromDuck(api, api.list_type_child_type(handle)));
  Type type;
  if (duck == kArray) {
    type = Type::ListOf(ChildFromDuck(api, api.array_type_child_type(handle)));
    type.id = TypeId::kArray;
    type.array_size = api.array_type_array_size(handle);
  } else if (duck == kMap) {
    type.id = TypeId::kMap;
    type.children.push_back({"key", ChildFromDuck(api, api.map_type_key_type(handle)), true, ""});
    type.children.push_back({"value", ChildFromDuck(api, api.map_type_value_type(handle)), true, ""});
  } else {
    type.id = TypeId::kStruct;
    for (uint64_t i = 0; i < api.struct_type_child_count(handle); ++i) {
      type.children.push_back({Taken(api, api.struct_type_child_name(handle, i)),
                               ChildFromDuck(api, api.struct_type_child_type(handle, i)), true, ""});
    }
  }
  return type;
}

Type EnumFromDuck(const Api& api, Handle handle) {
  Type type = Type::Of(TypeId::kEnum);
  for (uint32_t i = 0; i < api.enum_dictionary_size(handle); ++i) {
    type.labels.push_back(Taken(api, api.enum_dictionary_value(handle, i)));
  }
  return type;
}

}  // namespace

LogicalType ToDuck(const Api& api, const Type& type) {
  switch (type.id) {
    case TypeId::kDecimal:
      return {api, api.create_decimal_type(type.width, type.scale)};
    case TypeId::kStruct:
      return StructToDuck(api, type);
    case TypeId::kEnum:
      return EnumToDuck(api, type);
    case TypeId::kList:
      return {api, api.create_list_type(ToDuck(api, type.children[0].type).get())};
    case TypeId::kArray:
      return {api, api.create_array_type(ToDuck(api, type.children[0].type).get(), type.array_size)};
    case TypeId::kMap: {
      const LogicalType key = ToDuck(api, type.children[0].type);
      const LogicalType value = ToDuck(api, type.children[1].type);
      return {api, api.create_map_type(key.get(), value.get())};
    }
    case TypeId::kJson: {
      LogicalType json(api, api.create_logical_type(kVarchar));
      api.logical_type_set_alias(json.get(), "JSON");
      return json;
    }
    default:
      break;
  }
  for (const Number& number : kNumbers) {
    if (number.id == type.id) return {api, api.create_logical_type(number.duck)};
  }
  return {api, api.create_logical_type(kVarchar)};
}

Type FromDuck(const Api& api, Handle handle) {
  const int duck = api.get_type_id(handle);
  if (duck == kDecimal) return Type::Decimal(api.decimal_width(handle), api.decimal_scale(handle));
  if (duck == kList || duck == kArray || duck == kMap || duck == kStruct)
    return NestedFromDuck(api, handle, duck);
  if (duck == kEnum) return EnumFromDuck(api, handle);
  if (duck == kVarchar && Taken(api, api.logical_type_get_alias(handle)) == "JSON")
    return Type::Of(TypeId::kJson);
  for (const Number& number : kNumbers) {
    if (number.duck == duck) return Type::Of(number.id);
  }
  Type type = Type::Of(TypeId::kOther);
  type.text = "type number " + std::to_string(duck);
  return type;
}

}  // namespace qn::duck
