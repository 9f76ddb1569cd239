// A JSON value for control data: specs, plans, log entries, checkpoints. Not for rows (formats/json is).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"

namespace qn {

// Keeps the order of object members. Integers stay integers (int64, or uint64 above its range).
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                                             // null
  Json(std::nullptr_t) {}                                       // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                           // NOLINT(google-explicit-constructor)
  Json(int value) : value_(static_cast<int64_t>(value)) {}      // NOLINT(google-explicit-constructor)
  Json(int64_t value) : value_(value) {}                        // NOLINT(google-explicit-constructor)
  Json(uint64_t value);                                         // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}              // NOLINT(google-explicit-constructor)

  // Parses one document; at most `depth_max` levels. Failure: QN-1901 with the byte position.
  static Result<Json> Parse(std::string_view text);

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  bool IsString() const { return std::holds_alternative<std::string>(value_); }
  bool IsArray() const { return std::holds_alternative<Array>(value_); }
  bool IsObject() const { return std::holds_alternative<Object>(value_); }
  bool IsBool() const { return std::holds_alternative<bool>(value_); }
  bool IsInt() const { return std::holds_alternative<int64_t>(value_); }
  bool IsNumber() const {
    return IsInt() || std::holds_alternative<uint64_t>(value_) || std::holds_alternative<double>(value_);
  }

  // The value, or the fallback when it is of another type: for optional members.
  const std::string& Str() const;  // "" when not a string
  std::string StrOr(std::string_view fallback) const;
  int64_t Int(int64_t fallback = 0) const;
  uint64_t Uint(uint64_t fallback = 0) const;
  double Number(double fallback = 0) const;
  bool Bool(bool fallback = false) const;
  const Array& Items() const;     // empty when not an array
  const Object& Members() const;  // empty when not an object

  // Member of an object; a null value when absent or not an object.
  const Json& operator[](std::string_view name) const;
  const Json& At(size_t index) const;  // item of an array; a null value when beyond it
  bool Has(std::string_view name) const;

  // Adds or replaces a member; a null value becomes an object first.
  Json& Set(std::string_view name, Json value);
  // Adds an item; a null value becomes an array first.
  Json& Push(Json value);

  // One line, no spaces; strings escaped, non-ASCII kept as UTF-8; NaN and infinities as null.
  std::string Dump() const;
  void DumpTo(std::string& out) const;

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
};

// Appends `text` as a quoted JSON string.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace qn
