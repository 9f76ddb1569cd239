// Json: text in by simdjson, text out by hand.
#include "data/json.h"

#include <simdjson.h>
#include <charconv>
#include <cmath>

namespace qn {
namespace {

const Json kNull;

Json FromElement(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      Json::Array items;
      for (const auto item : simdjson::dom::array(element)) items.push_back(FromElement(item));
      return items;
    }
    case element_type::OBJECT: {
      Json::Object members;
      for (const auto [key, value] : simdjson::dom::object(element)) {
        members.emplace_back(std::string(key), FromElement(value));
      }
      return members;
    }
    case element_type::INT64:
      return int64_t(element);
    case element_type::UINT64:
      return uint64_t(element);
    case element_type::DOUBLE:
      return double(element);
    case element_type::STRING:
      return std::string_view(element);
    case element_type::BOOL:
      return bool(element);
    case element_type::NULL_VALUE:
      break;
  }
  return {};
}

}  // namespace

Json::Json(uint64_t value) {
  if (value <= static_cast<uint64_t>(INT64_MAX)) {
    value_ = static_cast<int64_t>(value);
  } else {
    value_ = value;
  }
}

Result<Json> Json::Parse(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return Invalid("QN-1901", std::string("This is not JSON: ") + simdjson::error_message(error))
        .With("found: " + std::string(text.substr(0, 80)));
  }
  return FromElement(root);
}

const std::string& Json::Str() const {
  static const std::string kEmpty;
  const auto* text = std::get_if<std::string>(&value_);
  return text != nullptr ? *text : kEmpty;
}

std::string Json::StrOr(std::string_view fallback) const {
  return IsString() ? Str() : std::string(fallback);
}

int64_t Json::Int(int64_t fallback) const {
  if (const auto* value = std::get_if<int64_t>(&value_)) return *value;
  return fallback;
}

uint64_t Json::Uint(uint64_t fallback) const {
  if (const auto* value = std::get_if<uint64_t>(&value_)) return *value;
  const auto* small = std::get_if<int64_t>(&value_);
  return small != nullptr && *small >= 0 ? static_cast<uint64_t>(*small) : fallback;
}

double Json::Number(double fallback) const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return fallback;
}

bool Json::Bool(bool fallback) const {
  const auto* value = std::get_if<bool>(&value_);
  return value != nullptr ? *value : fallback;
}

const Json::Array& Json::Items() const {
  static const Array kEmpty;
  const auto* items = std::get_if<Array>(&value_);
  return items != nullptr ? *items : kEmpty;
}

const Json::Object& Json::Members() const {
  static const Object kEmpty;
  const auto* members = std::get_if<Object>(&value_);
  return members != nullptr ? *members : kEmpty;
}

const Json& Json::operator[](std::string_view name) const {
  for (const Member& member : Members()) {
    if (member.first == name) return member.second;
  }
  return kNull;
}

const Json& Json::At(size_t index) const { return index < Items().size() ? Items()[index] : kNull; }

bool Json::Has(std::string_view name) const {
  for (const Member& member : Members()) {
    if (member.first == name) return true;
  }
  return false;
}

Json& Json::Set(std::string_view name, Json value) {
  if (IsNull()) value_ = Object{};
  auto* members = std::get_if<Object>(&value_);
  QN_CHECK(members != nullptr);
  for (Member& member : *members) {
    if (member.first == name) {
      member.second = std::move(value);
      return *this;
    }
  }
  members->emplace_back(std::string(name), std::move(value));
  return *this;
}

Json& Json::Push(Json value) {
  if (IsNull()) value_ = Array{};
  auto* items = std::get_if<Array>(&value_);
  QN_CHECK(items != nullptr);
  items->push_back(std::move(value));
  return *this;
}

void AppendJsonString(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

namespace {

template <typename T>
void AppendNumber(T value, std::string& out) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void AppendDouble(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  const size_t before = out.size();
  AppendNumber(value, out);
  // Stays a floating-point number when read back.
  if (out.find_first_of(".eE", before) == std::string::npos) out += ".0";
}

}  // namespace

void Json::DumpTo(std::string& out) const {
  struct Printer {
    std::string& out;
    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(int64_t value) const { AppendNumber(value, out); }
    void operator()(uint64_t value) const { AppendNumber(value, out); }
    void operator()(double value) const { AppendDouble(value, out); }
    void operator()(const std::string& value) const { AppendJsonString(value, out); }
    void operator()(const Array& items) const {
      out += '[';
      for (size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        items[i].DumpTo(out);
      }
      out += ']';
    }
    void operator()(const Object& members) const {
      out += '{';
      for (size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        AppendJsonString(members[i].first, out);
        out += ':';
        members[i].second.DumpTo(out);
      }
      out += '}';
    }
  };
  std::visit(Printer{out}, value_);
}

std::string Json::Dump() const {
  std::string out;
  DumpTo(out);
  return out;
}

}  // namespace qn
