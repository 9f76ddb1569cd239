// Type: to and from text and the plan's JSON.
#include "data/type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <tuple>

namespace qn {
namespace {

struct Name {
  TypeId id;
  std::string_view sql;
  std::string_view plan;  // LogicalTypeId's name in json_serialize_plan, where it differs
};

constexpr std::array kNames = {
    Name{TypeId::kBoolean, "BOOLEAN", ""},
    Name{TypeId::kTinyInt, "TINYINT", ""},
    Name{TypeId::kSmallInt, "SMALLINT", ""},
    Name{TypeId::kInteger, "INTEGER", ""},
    Name{TypeId::kBigInt, "BIGINT", ""},
    Name{TypeId::kHugeInt, "HUGEINT", ""},
    Name{TypeId::kUTinyInt, "UTINYINT", ""},
    Name{TypeId::kUSmallInt, "USMALLINT", ""},
    Name{TypeId::kUInteger, "UINTEGER", ""},
    Name{TypeId::kUBigInt, "UBIGINT", ""},
    Name{TypeId::kUHugeInt, "UHUGEINT", ""},
    Name{TypeId::kFloat, "FLOAT", ""},
    Name{TypeId::kDouble, "DOUBLE", ""},
    Name{TypeId::kVarchar, "VARCHAR", ""},
    Name{TypeId::kBlob, "BLOB", ""},
    Name{TypeId::kUuid, "UUID", ""},
    Name{TypeId::kJson, "JSON", ""},
    Name{TypeId::kBit, "BIT", ""},
    Name{TypeId::kDate, "DATE", ""},
    Name{TypeId::kTime, "TIME", ""},
    Name{TypeId::kTimeTz, "TIMETZ", "TIME WITH TIME ZONE"},
    Name{TypeId::kTimestamp, "TIMESTAMP", ""},
    Name{TypeId::kTimestampS, "TIMESTAMP_S", ""},
    Name{TypeId::kTimestampMs, "TIMESTAMP_MS", ""},
    Name{TypeId::kTimestampNs, "TIMESTAMP_NS", ""},
    Name{TypeId::kTimestampTz, "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"},
    Name{TypeId::kInterval, "INTERVAL", ""},
    Name{TypeId::kNull, "\"NULL\"", "NULL"},
};

std::string StructSql(const Type& type, std::string_view word) {
  std::string out = std::string(word) + "(";
  for (size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    out += QuoteName(type.children[i].name) + " " + type.children[i].type.ToSql();
  }
  return out + ")";
}

std::string EnumSql(const Type& type) {
  std::string out = "ENUM(";
  for (size_t i = 0; i < type.labels.size(); ++i) {
    if (i > 0) out += ", ";
    out += QuoteText(type.labels[i]);
  }
  return out + ")";
}

Result<Type> NestedFromPlan(TypeId id, const Json& info) {
  Type type = Type::Of(id);
  if (id == TypeId::kStruct) {
    for (const Json& child : info["child_types"].Items()) {
      QN_GET(Type child_type, TypeFromPlanJson(child["second"]));
      type.children.push_back({child["first"].Str(), std::move(child_type), true, ""});
    }
    return type;
  }
  QN_GET(Type child, TypeFromPlanJson(info["child_type"]));
  if (id == TypeId::kMap) {
    type.children = std::move(child.children);  // a list of STRUCT(key, value) in the plan
    return type;
  }
  type.array_size = info["size"].Uint();
  type.children.push_back({"element", std::move(child), true, ""});
  return type;
}

}  // namespace

Type Type::Decimal(uint8_t width, uint8_t scale) {
  Type type = Of(TypeId::kDecimal);
  type.width = width;
  type.scale = scale;
  return type;
}

Type Type::ListOf(Type child) {
  Type type = Of(TypeId::kList);
  type.children.push_back({"element", std::move(child), true, ""});
  return type;
}

bool Type::operator==(const Type& other) const {
  return std::tie(id, width, scale, array_size, children, labels, text) ==
         std::tie(other.id, other.width, other.scale, other.array_size, other.children, other.labels,
                  other.text);
}

Type Type::Of(TypeId id) {
  Type type;
  type.id = id;
  return type;
}

std::string Type::ToSql() const {
  switch (id) {
    case TypeId::kDecimal:
      return "DECIMAL(" + std::to_string(width) + "," + std::to_string(scale) + ")";
    case TypeId::kStruct:
      return StructSql(*this, "STRUCT");
    case TypeId::kList:
      return children[0].type.ToSql() + "[]";
    case TypeId::kArray:
      return children[0].type.ToSql() + "[" + std::to_string(array_size) + "]";
    case TypeId::kMap:
      return "MAP(" + children[0].type.ToSql() + ", " + children[1].type.ToSql() + ")";
    case TypeId::kEnum:
      return EnumSql(*this);
    case TypeId::kOther:
      return text;
    default:
      break;
  }
  for (const Name& name : kNames) {
    if (name.id == id) return std::string(name.sql);
  }
  return "VARCHAR";
}

Result<Type> TypeFromPlanJson(const Json& json) {
  const std::string id = json["id"].StrOr("NULL");
  const Json& info = json["type_info"];
  if (id == "DECIMAL") {
    return Type::Decimal(static_cast<uint8_t>(info["width"].Int(18)),
                         static_cast<uint8_t>(info["scale"].Int()));
  }
  if (id == "STRUCT") return NestedFromPlan(TypeId::kStruct, info);
  if (id == "LIST") return NestedFromPlan(TypeId::kList, info);
  if (id == "ARRAY") return NestedFromPlan(TypeId::kArray, info);
  if (id == "MAP") return NestedFromPlan(TypeId::kMap, info);
  if (id == "VARCHAR" && info["alias"].Str() == "JSON") return Type::Of(TypeId::kJson);
  if (id == "ENUM") {
    Type type = Type::Of(TypeId::kEnum);
    for (const Json& label : info["values"].Items()) type.labels.push_back(label.Str());
    return type;
  }
  for (const Name& name : kNames) {
    if (id == (name.plan.empty() ? name.sql : name.plan)) return Type::Of(name.id);
  }
  Type type = Type::Of(TypeId::kOther);
  type.text = id;
  return type;
}

std::vector<Type> TypesOf(const Schema& columns, size_t from, size_t to) {
  std::vector<Type> types;
  for (size_t i = from; i < std::min(to, columns.size()); ++i) types.push_back(columns[i].type);
  return types;
}

int ColumnIndex(const Schema& schema, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (size_t i = 0; i < schema.size(); ++i) {
    const std::string& column = schema[i].name;
    if (std::equal(column.begin(), column.end(), name.begin(), name.end(), same)) return static_cast<int>(i);
  }
  return -1;
}

std::string ColumnNames(const Schema& schema) {
  std::string out;
  for (const Field& field : schema) out += (out.empty() ? "" : ", ") + field.name;
  return out;
}

std::string QuoteName(std::string_view name) {
  // Always quoted: the list of DuckDB's reserved words is not ours to keep.
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string QuoteText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string QuoteFile(std::string_view path) {
  std::string pattern;
  for (const char c : path) {
    const bool is_special = c == '*' || c == '?' || c == '[';
    pattern += is_special ? std::string("[") + c + "]" : std::string(1, c);
  }
  return QuoteText(pattern);
}

namespace {

// Levenshtein with neighbours swapped counting as one slip; names are short.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
      }
    }
  }
  return table[a.size()][b.size()];
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

std::string NearestName(std::string_view wrong, const std::vector<std::string>& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, wrong.size() / 3) + 1;
  for (const std::string& name : names) {
    if (name.size() > 128) continue;
    const size_t distance = Distance(Lower(wrong), Lower(name));
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace qn
