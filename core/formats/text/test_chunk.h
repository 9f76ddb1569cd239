// For tests and benchmarks only: a chunk in plain memory behind the C API's vector functions, so that
// decoders can be tried without DuckDB, with every buffer exactly as large as DuckDB promises (sanitizers see
// the edge).
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "data/json.h"
#include "data/type.h"
#include "duck/api.h"
#include "duck/vector.h"
#include "formats/decoder.h"
#include "formats/text/number.h"

namespace qn::text {

struct TestVector {
  Type type;
  size_t rows = duck::kChunkRows;
  std::vector<char> data;
  std::vector<uint64_t> validity;  // empty: all valid
  size_t child_rows = 0;
  std::vector<std::unique_ptr<TestVector>> children;

  explicit TestVector(Type of) : type(std::move(of)) {
    data.assign(rows * Width(), '\x5a');
    if (type.id == TypeId::kMap) {
      Type entries = Type::Of(TypeId::kStruct);
      entries.children = type.children;
      children.push_back(std::make_unique<TestVector>(entries));
      return;
    }
    for (const Field& child : type.children) children.push_back(std::make_unique<TestVector>(child.type));
  }

  size_t Width() const {
    switch (type.id) {
      case TypeId::kBoolean:
      case TypeId::kTinyInt:
      case TypeId::kUTinyInt:
        return 1;
      case TypeId::kSmallInt:
      case TypeId::kUSmallInt:
        return 2;
      case TypeId::kInteger:
      case TypeId::kUInteger:
      case TypeId::kFloat:
      case TypeId::kDate:
        return 4;
      case TypeId::kDecimal:
        return type.width <= 4 ? 2 : type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16;
      case TypeId::kStruct:
        return 0;
      case TypeId::kHugeInt:
      case TypeId::kUHugeInt:
      case TypeId::kUuid:
      case TypeId::kVarchar:
      case TypeId::kBlob:
      case TypeId::kJson:
      case TypeId::kList:
      case TypeId::kMap:
      case TypeId::kInterval:
        return 16;
      case TypeId::kEnum:
        return type.labels.size() <= 0xFF ? 1 : type.labels.size() <= 0xFFFF ? 2 : 4;
      case TypeId::kBigInt:
      case TypeId::kUBigInt:
      case TypeId::kDouble:
      case TypeId::kTime:
      case TypeId::kTimeTz:
      case TypeId::kTimestamp:
      case TypeId::kTimestampS:
      case TypeId::kTimestampMs:
      case TypeId::kTimestampNs:
      case TypeId::kTimestampTz:
        return 8;
      case TypeId::kArray:  // and what no decoder writes
      case TypeId::kBit:
      case TypeId::kNull:
      case TypeId::kOther:
        break;
    }
    QN_CHECK(false);
  }

  // As DuckDB: structs grow their fields, lists only their entries.
  void Grow(size_t to) {
    if (to <= rows) return;
    std::vector<char> moved(to * Width(), '\x5a');
    if (!data.empty()) std::memcpy(moved.data(), data.data(), data.size());
    data = std::move(moved);
    if (!validity.empty()) validity.resize((to + 63) / 64, ~uint64_t{0});
    rows = to;
    if (type.id == TypeId::kStruct) {
      for (auto& child : children) child->Grow(to);
    }
  }

  bool IsNull(size_t row) const {
    return !validity.empty() && (validity.at(row / 64) >> (row % 64) & 1) == 0;
  }

  template <typename T>
  T At(size_t row) const {
    QN_CHECK(row < rows);
    T value;
    std::memcpy(&value, data.data() + row * sizeof(T), sizeof(T));
    return value;
  }

  // The value as text a test can compare: null, numbers unscaled, strings quoted, lists and structs as JSON.
  std::string Cell(size_t row) const {
    if (IsNull(row)) return "null";
    switch (type.id) {
      case TypeId::kBoolean:
        return At<uint8_t>(row) == 1 ? "true" : At<uint8_t>(row) == 0 ? "false" : "?";
      case TypeId::kTinyInt:
        return std::to_string(At<int8_t>(row));
      case TypeId::kUTinyInt:
        return std::to_string(At<uint8_t>(row));
      case TypeId::kSmallInt:
        return std::to_string(At<int16_t>(row));
      case TypeId::kUSmallInt:
        return std::to_string(At<uint16_t>(row));
      case TypeId::kInteger:
      case TypeId::kDate:
        return std::to_string(At<int32_t>(row));
      case TypeId::kUInteger:
        return std::to_string(At<uint32_t>(row));
      case TypeId::kUBigInt:
        return std::to_string(At<uint64_t>(row));
      case TypeId::kFloat:
        return Exact(static_cast<double>(At<float>(row)));
      case TypeId::kDouble:
        return Exact(At<double>(row));
      case TypeId::kHugeInt:
        return Wide(At<Int128>(row));
      case TypeId::kUHugeInt:
        return WideUnsigned(At<UInt128>(row));
      case TypeId::kUuid:
        return Uuid(At<duck::HugeInt>(row));
      case TypeId::kVarchar:
      case TypeId::kBlob:
      case TypeId::kJson:
        return Quoted(row);
      case TypeId::kDecimal:
        return Decimal(row);
      case TypeId::kStruct:
        return Struct(row);
      case TypeId::kList:
      case TypeId::kMap:
        return List(row);
      default:
        return std::to_string(At<int64_t>(row));
    }
  }

  std::string_view Text(size_t row) const {
    QN_CHECK(row < rows);
    return reinterpret_cast<const duck::String*>(data.data())[row].view();
  }

 private:
  static std::string Exact(double value) {
    char text[64];
    std::snprintf(text, sizeof(text), "%a", value);
    return text;
  }
  static std::string WideUnsigned(UInt128 value) {
    std::string out;
    do out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    while ((value /= 10) != 0);
    return out;
  }
  static std::string Wide(Int128 value) {
    const auto bits = static_cast<UInt128>(value);
    return value < 0 ? "-" + WideUnsigned(~bits + 1) : WideUnsigned(bits);
  }
  static std::string Uuid(const duck::HugeInt& value) {
    char text[40];
    std::snprintf(text, sizeof(text), "%016lx%016lx",
                  static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63), value.lower);
    return text;
  }
  std::string Quoted(size_t row) const {
    std::string out;
    AppendJsonString(Text(row), out);
    return out;
  }
  std::string Decimal(size_t row) const {
    switch (Width()) {
      case 2:
        return std::to_string(At<int16_t>(row));
      case 4:
        return std::to_string(At<int32_t>(row));
      case 8:
        return std::to_string(At<int64_t>(row));
      default:
        return Wide(At<Int128>(row));
    }
  }
  std::string Struct(size_t row) const {
    std::string out = "{";
    for (size_t i = 0; i < children.size(); ++i) {
      out += (i == 0 ? "" : ",") + type.children[i].name + ":" + children[i]->Cell(row);
    }
    return out + "}";
  }
  std::string List(size_t row) const {
    const auto entry = At<duck::ListEntry>(row);
    QN_CHECK(entry.offset + entry.length <= child_rows);
    std::string out = "[";
    for (size_t i = 0; i < entry.length; ++i)
      out += (i == 0 ? "" : ",") + children[0]->Cell(entry.offset + i);
    return out + "]";
  }
};

inline const duck::Api& TestApi() {
  static const duck::Api api = [] {
    const auto vector = [](duck::Handle handle) { return static_cast<TestVector*>(handle); };
    (void)vector;
    duck::Api out;
    out.vector_get_data = [](duck::Handle h) -> void* { return static_cast<TestVector*>(h)->data.data(); };
    out.vector_get_validity = [](duck::Handle h) -> uint64_t* {
      auto& validity = static_cast<TestVector*>(h)->validity;
      return validity.empty() ? nullptr : validity.data();
    };
    out.vector_ensure_validity_writable = [](duck::Handle h) {
      auto& of = *static_cast<TestVector*>(h);
      if (of.validity.empty()) of.validity.assign((of.rows + 63) / 64, ~uint64_t{0});
    };
    out.list_vector_get_child = [](duck::Handle h) -> duck::Handle {
      return static_cast<TestVector*>(h)->children[0].get();
    };
    out.struct_vector_get_child = [](duck::Handle h, uint64_t i) -> duck::Handle {
      return static_cast<TestVector*>(h)->children[i].get();
    };
    out.list_vector_reserve = [](duck::Handle h, uint64_t rows) -> duck::State {
      static_cast<TestVector*>(h)->children[0]->Grow(rows);
      return 0;
    };
    out.list_vector_set_size = [](duck::Handle h, uint64_t rows) -> duck::State {
      auto& of = *static_cast<TestVector*>(h);
      QN_CHECK(rows <= of.children[0]->rows);
      of.child_rows = rows;
      return 0;
    };
    return out;
  }();
  return api;
}

// A chunk of `types`, new for each Decode as DuckDB's is.
class TestChunk {
 public:
  explicit TestChunk(const std::vector<Type>& types) {
    for (const Type& type : types) vectors_.push_back(std::make_unique<TestVector>(type));
    for (auto& vector : vectors_) out_.columns.emplace_back(TestApi(), vector->type, vector.get());
  }
  duck::ChunkOut& out() { return out_; }
  const TestVector& operator[](size_t column) const { return *vectors_[column]; }

 private:
  std::vector<std::unique_ptr<TestVector>> vectors_;
  duck::ChunkOut out_;
};

// A copy of `bytes` as a block, the padding filled with what would hurt most if it were read as data.
inline Block TestBlock(std::string_view bytes, uint64_t offset = 0) {
  auto owner = std::shared_ptr<char[]>(new char[bytes.size() + kBlockPadding]);
  std::memcpy(owner.get(), bytes.data(), bytes.size());
  for (size_t i = 0; i < kBlockPadding; ++i) owner[bytes.size() + i] = "\"}]1,:{\n"[i % 8];
  Block block;
  block.data = owner.get();
  block.size = bytes.size();
  block.owner = std::move(owner);
  block.offset = offset;
  return block;
}

}  // namespace qn::text
