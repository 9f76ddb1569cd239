// A schema out of sample records: each value has a shape, shapes of the same place are merged.
#include "formats/json/infer.h"

#include <simdjson.h>

#include <algorithm>

#include "formats/text/time.h"
#include "formats/text/value.h"

namespace qn::json {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// What was seen at one place. Several of them may be true.
struct Shape {
  bool is_scalar = false;
  bool is_object = false;
  bool is_list = false;

  TypeId scalar = TypeId::kNull;
  struct Named;
  std::vector<Named> fields;
  std::vector<Shape> item;  // none or one
};
struct Shape::Named {
  std::string name;
  Shape shape;
};

TypeId KindOfString(std::string_view text) {
  int32_t days = 0;
  int64_t micros = 0;
  duck::HugeInt uuid{};
  if (text.size() == 36 && text::ParseUuid36(text.data(), &uuid)) return TypeId::kUuid;
  if (text.size() == 10 && text::ParseDate(text, &days) == text::Fault::kNone) return TypeId::kDate;
  if (text.size() >= 16 &&
      text::ParseTimestamp(text, text::TimeUnit::kMicro, &micros) == text::Fault::kNone) {
    return TypeId::kTimestamp;
  }
  return TypeId::kVarchar;
}

TypeId KindOf(const element& value) {
  switch (value.type()) {
    case element_type::INT64:
      return TypeId::kBigInt;
    case element_type::UINT64:
      return TypeId::kHugeInt;
    case element_type::DOUBLE:
      return TypeId::kDouble;
    case element_type::BOOL:
      return TypeId::kBoolean;
    default:
      return KindOfString(std::string_view(value));
  }
}

bool IsNumber(TypeId id) { return id == TypeId::kBigInt || id == TypeId::kHugeInt || id == TypeId::kDouble; }

// The one kind that holds both; kNull when there is none but text.
TypeId Common(TypeId a, TypeId b) {
  if (a == b || b == TypeId::kNull) return a;
  if (a == TypeId::kNull) return b;
  if (IsNumber(a) && IsNumber(b)) return std::max(a, b);
  const auto is_time = [](TypeId id) { return id == TypeId::kDate || id == TypeId::kTimestamp; };
  if (is_time(a) && is_time(b)) return TypeId::kTimestamp;
  return TypeId::kVarchar;
}
static_assert(TypeId::kBigInt < TypeId::kHugeInt && TypeId::kHugeInt < TypeId::kDouble);

void Add(const element& value, Shape* shape);

void AddObject(const simdjson::dom::object& object, Shape* shape) {
  shape->is_object = true;
  for (const auto [key, value] : object) {
    const auto same = [name = key](const auto& field) {
      return ColumnIndex({{field.name, Type::Of(TypeId::kNull), true, ""}}, name) == 0;
    };
    auto it = std::find_if(shape->fields.begin(), shape->fields.end(), same);
    if (it == shape->fields.end()) {
      if (shape->fields.size() > kInferFieldsMax) return;
      it = shape->fields.insert(it, Shape::Named{std::string(key), Shape()});
    }
    Add(value, &it->shape);
  }
}

void Add(const element& value, Shape* shape) {
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return;
    case element_type::OBJECT:
      return AddObject(simdjson::dom::object(value), shape);
    case element_type::ARRAY:
      shape->is_list = true;
      if (shape->item.empty()) shape->item.emplace_back();
      for (const element item : simdjson::dom::array(value)) Add(item, &shape->item[0]);
      return;
    default:
      shape->is_scalar = true;
      shape->scalar = Common(shape->scalar, KindOf(value));
  }
}

Type TypeOf(const Shape& shape) {
  if (shape.is_scalar + shape.is_object + shape.is_list != 1) return Type::Of(TypeId::kJson);
  if (shape.is_scalar) return Type::Of(shape.scalar);
  if (shape.is_list) {
    const Type item = TypeOf(shape.item[0]);
    // A list of who knows what says less than the text itself.
    return item.id == TypeId::kJson ? item : Type::ListOf(item);
  }
  if (shape.fields.empty() || shape.fields.size() > kInferFieldsMax) return Type::Of(TypeId::kJson);
  Type type = Type::Of(TypeId::kStruct);
  for (const auto& [name, field] : shape.fields) type.children.push_back({name, TypeOf(field), true, ""});
  return type;
}

}  // namespace

Result<Schema> InferJsonSchema(std::string_view sample) {
  if (sample.starts_with("\xef\xbb\xbf")) sample.remove_prefix(3);
  const std::string_view first_line = sample.substr(0, sample.find('\n'));
  simdjson::dom::parser parser;
  Shape record;
  while (!sample.empty()) {
    const size_t end = sample.find('\n');
    // Without its line break it counts only if it is all there is.
    if (end == std::string_view::npos && record.is_object) break;
    const std::string_view line = sample.substr(0, end);
    sample.remove_prefix(end == std::string_view::npos ? sample.size() : end + 1);
    element value;
    if (parser.parse(line.data(), line.size()).get(value) != simdjson::SUCCESS) continue;
    if (value.type() == element_type::OBJECT) AddObject(simdjson::dom::object(value), &record);
  }
  if (!record.is_object || record.fields.empty()) {
    return Invalid("QN-2030", "No schema can be found: the sample has no JSON object on a line of its own.")
        .With("The first line is: " + text::Excerpt(first_line));
  }
  if (record.fields.size() > kInferFieldsMax) {
    return Invalid("QN-2030", "No schema can be found: the records have more than 500 different keys.")
        .With("Declare the columns that you need; other keys are left out.");
  }
  Schema schema;
  for (const auto& [name, field] : record.fields) schema.push_back({name, TypeOf(field), true, ""});
  return schema;
}

}  // namespace qn::json
