// Thrift's compact protocol, writing only: as much of it as Parquet's page headers and footers need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qn::parquet {

// Appends to `out`. Fields of a struct are written in ascending order of their ids.
class ThriftWriter {
 public:
  enum class Kind : uint8_t { kI32 = 5, kBinary = 8, kStruct = 12 };  // of the items of a list

  explicit ThriftWriter(std::string& out) : out_(out) {}

  // The outermost struct, an item of a list, or with an id a field.
  void BeginStruct() { last_ids_.push_back(0); }
  void BeginStruct(int16_t id);
  void EndStruct();

  void Bool(int16_t id, bool value);
  void I8(int16_t id, int8_t value);
  void I32(int16_t id, int32_t value);
  void I64(int16_t id, int64_t value);
  void Binary(int16_t id, std::string_view value);
  void EmptyStruct(int16_t id);

  // Then exactly `size` items follow.
  void BeginList(int16_t id, Kind items, size_t size);
  void Item(int32_t value);
  void Item(std::string_view value);

 private:
  void Header(int16_t id, uint8_t kind);
  void Varint(uint64_t value);
  void Zigzag(int64_t value) {
    Varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }

  std::string& out_;
  std::vector<int16_t> last_ids_;
};

}  // namespace qn::parquet
