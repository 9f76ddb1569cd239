// The pieces of the format, each against a plain second implementation or bytes known from its description.
#include <gtest/gtest.h>
#include <zlib.h>

#include <limits>
#include <map>
#include <random>

#include "formats/parquet/bounds.h"
#include "formats/parquet/delta.h"
#include "formats/parquet/dictionary.h"
#include "formats/parquet/hybrid.h"
#include "formats/parquet/page.h"
#include "formats/parquet/partition.h"
#include "formats/parquet/thrift.h"

namespace qn::parquet {
namespace {

// ---- Runs

uint64_t ReadVarint(std::string_view bytes, size_t* at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.at((*at)++));
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// As the format's description reads; every byte must be used.
std::vector<uint32_t> DecodeHybrid(std::string_view bytes, size_t wanted, int bits) {
  std::vector<uint32_t> values;
  size_t at = 0;
  while (at < bytes.size()) {
    const uint64_t header = ReadVarint(bytes, &at);
    if ((header & 1) == 0) {
      uint32_t value = 0;
      for (int i = 0; i < (bits + 7) / 8; ++i)
        value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes.at(at++))) << 8 * i;
      values.insert(values.end(), header >> 1, value);
      continue;
    }
    const size_t count = (header >> 1) * 8;
    for (size_t i = 0; i < count; ++i) {
      uint32_t value = 0;
      for (int bit = 0; bit < bits; ++bit) {
        const size_t position = i * static_cast<size_t>(bits) + static_cast<size_t>(bit);
        value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes.at(at + position / 8)) >> position % 8 & 1)
                 << bit;
      }
      values.push_back(value);
    }
    at += count * static_cast<size_t>(bits) / 8;
  }
  EXPECT_GE(values.size(), wanted);
  EXPECT_LT(values.size(), wanted + 8);
  values.resize(wanted);
  return values;
}

template <typename T>
void CheckHybrid(const std::vector<T>& values, int bits) {
  Buffer out;
  AppendHybrid(values.data(), values.size(), bits, out);
  const std::vector<uint32_t> decoded = DecodeHybrid(out.view(0, out.size()), values.size(), bits);
  ASSERT_EQ(decoded, std::vector<uint32_t>(values.begin(), values.end())) << bits << " bits";
}

TEST(Hybrid, EveryWidthAndEveryMixOfRunsComesBack) {
  std::mt19937 random(1);
  for (int bits = 1; bits <= 16; ++bits) {
    for (int round = 0; round < 60; ++round) {
      std::vector<uint16_t> values;
      while (values.size() < random() % 700) {
        const auto value = static_cast<uint16_t>(random() & ((1U << bits) - 1));
        values.insert(values.end(), random() % 3 == 0 ? random() % 100 : 1, value);
      }
      CheckHybrid(values, bits);
      if (bits <= 8) CheckHybrid(std::vector<uint8_t>(values.begin(), values.end()), bits);
    }
  }
}

TEST(Hybrid, ALongRunIsShort) {
  Buffer out;
  const std::vector<uint8_t> values(100'000, 1);
  AppendHybrid(values.data(), values.size(), 1, out);
  EXPECT_EQ(out.size(), 4u);
  out.Clear();
  AppendRun(1, 100'000, 1, out);
  EXPECT_EQ(DecodeHybrid(out.view(0, out.size()), 100'000, 1), std::vector<uint32_t>(100'000, 1));
}

TEST(Hybrid, BitsForTheLargestValue) {
  EXPECT_EQ(BitsFor(0), 0);
  EXPECT_EQ(BitsFor(1), 1);
  EXPECT_EQ(BitsFor(2), 2);
  EXPECT_EQ(BitsFor(255), 8);
  EXPECT_EQ(BitsFor(256), 9);
}

// ---- Distances

// As the format's description reads; every byte must be used.
template <typename T>
std::vector<T> DecodeDeltas(std::string_view bytes) {
  using Bits = std::make_unsigned_t<T>;
  size_t at = 0;
  const auto signed_varint = [&] {
    const uint64_t value = ReadVarint(bytes, &at);
    return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
  };
  const uint64_t block = ReadVarint(bytes, &at);
  const uint64_t runs = ReadVarint(bytes, &at);
  EXPECT_EQ(block % 128, 0u);
  EXPECT_EQ(block / runs % 32, 0u);
  const uint64_t size = ReadVarint(bytes, &at);
  std::vector<T> values = {static_cast<T>(signed_varint())};
  while (values.size() < size) {
    const auto least = static_cast<Bits>(signed_varint());
    const std::string_view widths = bytes.substr(at, runs);
    at += runs;
    for (size_t run = 0; run < runs && values.size() < size; ++run) {
      const auto width = static_cast<size_t>(static_cast<uint8_t>(widths[run]));
      EXPECT_LE(width, sizeof(T) * 8);
      for (size_t i = 0; i < block / runs; ++i) {
        Bits far = 0;
        for (size_t bit = 0; bit < width; ++bit) {
          const size_t position = i * width + bit;
          const auto byte = static_cast<uint8_t>(bytes.at(at + position / 8));
          far = static_cast<Bits>(far | static_cast<Bits>(byte >> position % 8 & 1) << bit);
        }
        if (values.size() == size) continue;
        values.push_back(static_cast<T>(static_cast<Bits>(values.back()) + least + far));
      }
      at += block / runs * width / 8;
    }
  }
  EXPECT_EQ(at, bytes.size());
  values.resize(size);
  return values;
}

template <typename T>
void CheckDeltas(const std::vector<T>& values) {
  Buffer out;
  AppendDeltas(values.data(), values.size(), out);
  ASSERT_EQ(DecodeDeltas<T>(out.view(0, out.size())), values) << values.size();
}

template <typename T>
void CheckDeltasOfEveryWidth() {
  std::mt19937_64 random(4);
  for (size_t bits = 0; bits <= sizeof(T) * 8; ++bits) {
    for (const size_t size : {0, 1, 2, 32, 33, 34, 128, 129, 130, 160, 161, 1000}) {
      std::vector<T> values(size);
      for (T& value : values) value = static_cast<T>(bits == 0 ? 0 : random() >> (64 - bits));
      CheckDeltas(values);
    }
  }
}

TEST(Deltas, EveryWidthAndEverySizeComesBack) {
  CheckDeltasOfEveryWidth<int32_t>();
  CheckDeltasOfEveryWidth<int64_t>();
}

TEST(Deltas, DistancesWrapAround) {
  using Int32 = std::numeric_limits<int32_t>;
  using Int64 = std::numeric_limits<int64_t>;
  CheckDeltas<int32_t>({Int32::min(), Int32::max(), Int32::min(), 0, -1, Int32::max(), Int32::max()});
  CheckDeltas<int64_t>({Int64::max(), Int64::min(), Int64::max(), 0, -1, Int64::min(), Int64::min()});
}

TEST(Deltas, AreTheBytesThatTheFormatDescribes) {
  Buffer out;
  const int32_t values[] = {7, 5, 3, 1, 2, 3, 4, 5};  // the format's own example
  AppendDeltas(values, 8, out);
  // 128 a block, 4 runs, 8 values, the first is 7; the least distance is -2, two bits hold the others.
  EXPECT_EQ(std::string(out.view(0, out.size())),
            std::string("\x80\x01\x04\x08\x0E\x03\x02\x00\x00\x00\xC0\x3F\x00\x00\x00\x00\x00\x00", 18));
}

// ---- Checksums

TEST(PageChecksum, IsZlibsAtEveryLengthAndPlace) {
  std::mt19937 random(2);
  std::string bytes(5000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (size_t size = 0; size < 600; ++size) {
    for (const size_t at : {size_t{0}, size_t{1}, size_t{13}}) {
      const std::string_view part = std::string_view(bytes).substr(at, size);
      EXPECT_EQ(Crc32(part), ::crc32(0, reinterpret_cast<const Bytef*>(part.data()), static_cast<uInt>(size)))
          << size;
    }
  }
  EXPECT_EQ(Crc32(bytes), ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), 5000));
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926U);
}

// ---- Thrift

TEST(Thrift, WritesTheCompactProtocol) {
  std::string out;
  ThriftWriter writer(out);
  writer.BeginStruct();
  writer.I32(1, -1);
  writer.I64(3, 300);
  writer.Bool(4, true);
  writer.Bool(5, false);
  writer.Binary(6, "ab");
  writer.BeginList(7, ThriftWriter::Kind::kI32, 2);
  writer.Item(1);
  writer.Item(-2);
  writer.EmptyStruct(8);
  writer.I8(9, -3);
  writer.EndStruct();
  EXPECT_EQ(out, std::string("\x15\x01\x26\xD8\x04\x11\x12\x18\x02"
                             "ab\x19\x25\x02\x03\x1C\x00\x13\xFD\x00",
                             20));
}

TEST(Thrift, LongListsHaveALongHeader) {
  std::string out;
  ThriftWriter writer(out);
  writer.BeginStruct();
  writer.BeginList(1, ThriftWriter::Kind::kBinary, 200);
  EXPECT_EQ(out, std::string("\x19\xF8\xC8\x01", 4));
}

// ---- Dictionaries

TEST(Dictionary, NumbersKeepTheirIndex) {
  NumberDictionary dictionary;
  std::map<uint64_t, uint16_t> model;
  std::mt19937_64 random(3);
  for (int i = 0; i < 60'000; ++i) {
    const uint64_t bits = random() % 20'000 << (i % 2 == 0 ? 0 : 40);
    const uint16_t index = dictionary.Index(bits);
    const auto [at, is_new] = model.emplace(bits, index);
    ASSERT_EQ(at->second, index);
    ASSERT_EQ(dictionary.values()[index], bits);
  }
  EXPECT_EQ(dictionary.values().size(), model.size());
  dictionary.Clear();
  EXPECT_EQ(dictionary.Index(7), 0);
}

TEST(Dictionary, TextsOfEveryLengthKeepTheirIndex) {
  std::vector<std::string> texts;
  for (size_t size = 0; size < 200; ++size) {
    for (const char c : {'a', 'b', '\0'})
      texts.push_back(std::string(size, 'x') + std::string(size == 0 ? 0 : 1, c));
    texts.push_back("y" + std::string(size, 'x') + "z");
  }
  for (int i = 1000; i < 1100; ++i)
    texts.push_back("the same head, " + std::to_string(i) + ", the same tail");
  TextDictionary dictionary;
  std::map<std::string, uint16_t> model;
  for (int round = 0; round < 2; ++round) {
    for (const std::string& text : texts) {
      duck::String string{};
      string.size = static_cast<uint32_t>(text.size());
      if (text.size() <= 12) {
        std::memcpy(reinterpret_cast<char*>(&string) + 4, text.data(), text.size());
      } else {
        std::memcpy(string.prefix, text.data(), 4);
        string.pointer = text.data();
      }
      bool is_new;
      const uint16_t index = dictionary.Index(string, &is_new);
      EXPECT_EQ(is_new, model.emplace(text, index).second);
      ASSERT_EQ(model[text], index);
      EXPECT_EQ(dictionary.Plain(index).substr(4), text);
    }
  }
}

TEST(Dictionary, GivesUpWhereItDoesNotPay) {
  EXPECT_TRUE(DictionaryPays(1000, 1000, 8000));
  EXPECT_FALSE(DictionaryPays(2048, 2000, 16'000));
  EXPECT_TRUE(DictionaryPays(2048, 1000, 8000));
  EXPECT_FALSE(DictionaryPays(20'000, 6000, 48'000));
  EXPECT_TRUE(DictionaryPays(120'000, 16'384, 131'072));
  EXPECT_FALSE(DictionaryPays(1'000'000, 16'385, 131'080));
  EXPECT_FALSE(DictionaryPays(1'000'000, 100, kDictionaryBytesMax + 1));
}

// ---- Bounds and folders

TEST(Bounds, BigEndianNumbers) {
  char out[16];
  PutBigEndian(-2, 3, out);
  EXPECT_EQ(std::string(out, 3), "\xFF\xFF\xFE");
  PutBigEndian(static_cast<Int128>(1) << 120, 16, out);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[15], 0);
}

TEST(Bounds, TextsBelowAndAboveAreKeptLongOnesLost) {
  Bounds bounds;
  for (const char* text : {"m", "b", "z\xFF", "bb", ""}) bounds.AddText(text);
  EXPECT_EQ(bounds.low_text, "");
  EXPECT_EQ(bounds.high_text, "z\xFF");
  bounds.AddText("c" + std::string(kBoundBytesMax, 'c'));  // neither least nor greatest: no matter
  EXPECT_TRUE(bounds.IsKnown());
  bounds.AddText("zz" + std::string(kBoundBytesMax, 'c'));
  EXPECT_TRUE(bounds.IsKnown());  // below z\xFF
  bounds.AddText("\xFF" + std::string(kBoundBytesMax, 'c'));
  EXPECT_FALSE(bounds.IsKnown());
  Bounds other;
  other.AddText("x");
  other.Add(bounds, Type::Of(TypeId::kVarchar));
  EXPECT_FALSE(other.IsKnown());
}

TEST(Partition, ANullsFolderIsItsOwn) {
  KeyValue value;
  const Type varchar = Type::Of(TypeId::kVarchar);
  value.text = "__hive_DEFAULT_partition__";
  EXPECT_EQ(PartitionFolder("a b", value, varchar), "a%20b=%5F_hive_DEFAULT_partition__");
  value.is_null = true;
  EXPECT_EQ(PartitionFolder("a", value, varchar), "a=__HIVE_DEFAULT_PARTITION__");
}

TEST(Partition, InexactAndNestedTypesAreNoKeys) {
  for (const TypeId id :
       {TypeId::kFloat, TypeId::kDouble, TypeId::kBlob, TypeId::kList, TypeId::kStruct, TypeId::kMap}) {
    EXPECT_FALSE(CanPartition(Type::Of(id)));
  }
}

}  // namespace
}  // namespace qn::parquet
