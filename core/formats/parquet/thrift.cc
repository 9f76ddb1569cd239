// The protocol is described in thrift's doc/specs/thrift-compact-protocol.md.
#include "formats/parquet/thrift.h"

#include "base/check.h"

namespace qn::parquet {
namespace {

constexpr uint8_t kTrue = 1;
constexpr uint8_t kFalse = 2;
constexpr uint8_t kByte = 3;
constexpr uint8_t kI32 = 5;
constexpr uint8_t kI64 = 6;
constexpr uint8_t kBinary = 8;
constexpr uint8_t kList = 9;
constexpr uint8_t kStruct = 12;

}  // namespace

void ThriftWriter::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
  out_ += static_cast<char>(value);
}

void ThriftWriter::Header(int16_t id, uint8_t kind) {
  const int delta = id - last_ids_.back();
  QN_CHECK(delta > 0 && delta <= 15);  // no struct of Parquet has a wider gap between fields we write
  out_ += static_cast<char>(delta << 4 | kind);
  last_ids_.back() = id;
}

void ThriftWriter::BeginStruct(int16_t id) {
  Header(id, kStruct);
  last_ids_.push_back(0);
}

void ThriftWriter::EndStruct() {
  out_ += '\0';
  last_ids_.pop_back();
}

void ThriftWriter::EmptyStruct(int16_t id) {
  BeginStruct(id);
  EndStruct();
}

void ThriftWriter::Bool(int16_t id, bool value) { Header(id, value ? kTrue : kFalse); }

void ThriftWriter::I8(int16_t id, int8_t value) {
  Header(id, kByte);
  out_ += static_cast<char>(value);
}

void ThriftWriter::I32(int16_t id, int32_t value) {
  Header(id, kI32);
  Zigzag(value);
}

void ThriftWriter::I64(int16_t id, int64_t value) {
  Header(id, kI64);
  Zigzag(value);
}

void ThriftWriter::Binary(int16_t id, std::string_view value) {
  Header(id, kBinary);
  Item(value);
}

void ThriftWriter::BeginList(int16_t id, Kind items, size_t size) {
  Header(id, kList);
  const auto kind = static_cast<uint8_t>(items);
  if (size < 15) {
    out_ += static_cast<char>(size << 4 | kind);
  } else {
    out_ += static_cast<char>(0xF0 | kind);
    Varint(size);
  }
}

void ThriftWriter::Item(int32_t value) { Zigzag(value); }

void ThriftWriter::Item(std::string_view value) {
  Varint(value.size());
  out_ += value;
}

}  // namespace qn::parquet
