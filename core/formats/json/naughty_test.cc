// Input that breaks parsers: depth, size, numbers beyond every type, bytes that are no text. And the JSON
// Parsing Test Suite, when QANAT_JSON_SUITE names its folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "formats/json/format.h"
#include "formats/text/test_decode.h"

namespace qn::json {
namespace {

using text::AllColumns;
using text::Column;
using text::Decoded;
using text::TestReader;
using Lines = std::vector<std::string>;

const Format& JsonLines() {
  static const auto format = std::move(NewFormat(Json(Json::Object{{"kind", "json"}})).value());
  return *format;
}

Decoded Read(const Schema& schema, const std::string& text) {
  return TestReader(JsonLines(), schema, AllColumns(schema)).Read(text);
}

std::string Repeated(std::string_view text, size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(JsonNaughty, DepthHasALimitAndNoStack) {
  const Schema schema = {Column("v", TypeId::kJson)};
  const auto nested = [](size_t depth) {
    return "{\"v\":" + Repeated("[", depth) + Repeated("]", depth) + "}\n";
  };
  EXPECT_EQ(Read(schema, nested(1023)).rows.size(), 1U);  // the record itself is one level
  EXPECT_EQ(Read(schema, nested(1024)).rejects,
            Lines{"1: not JSON at byte 1029: nested deeper than 1024 levels, found '['"});
  for (const size_t depth : {20'000, 100'000}) {
    for (const std::string& open : {std::string("["), std::string("{\"a\":"), std::string("[{\"a\":")}) {
      const std::string bomb = Repeated(open, depth);
      for (const std::string& line : {"{\"v\":" + bomb, "{\"skipped\":" + bomb, bomb, "{\"v\":1}" + bomb}) {
        const Decoded out = Read(schema, line + "\n{\"v\":1}\n");
        EXPECT_EQ(out.rows, Lines{"\"1\""});
        EXPECT_EQ(out.rejects.size(), 1U);
      }
    }
  }
}

TEST(JsonNaughty, NumbersBeyondTheTypes) {
  const auto one = [](TypeId id, const std::string& number) {
    const Decoded out = Read({Column("v", id)}, "{\"v\":" + number + ",\"skipped\":" + number + "}\n");
    return out.rows.empty() ? "refused" : out.rows[0];
  };
  EXPECT_EQ(one(TypeId::kBigInt, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(one(TypeId::kBigInt, "9223372036854775808"), "refused");
  EXPECT_EQ(one(TypeId::kBigInt, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(one(TypeId::kBigInt, "-9223372036854775809"), "refused");
  EXPECT_EQ(one(TypeId::kBigInt, "18446744073709551616"), "refused");
  EXPECT_EQ(one(TypeId::kUBigInt, "18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(one(TypeId::kUBigInt, "18446744073709551616"), "refused");
  EXPECT_EQ(one(TypeId::kDouble, "18446744073709551616"), "0x1p+64");
  EXPECT_EQ(one(TypeId::kDouble, "1e400"), "refused");
  EXPECT_EQ(one(TypeId::kVarchar, "1e400"), "\"1e400\"");
  EXPECT_EQ(one(TypeId::kJson, "1e400"), "\"1e400\"");
  EXPECT_EQ(one(TypeId::kDouble, "1e-400"), "0x0p+0");
  EXPECT_EQ(one(TypeId::kDouble, "-0"), "-0x0p+0");
  EXPECT_EQ(one(TypeId::kBigInt, "-0"), "0");
  for (const char* bad :
       {"NaN", "Infinity", "-Infinity", "+1", "01", "1.", ".1", "0x1", "1e", "--1", "1_000", "1,000"}) {
    EXPECT_EQ(one(TypeId::kDouble, bad), "refused") << bad;
  }
  const std::string million(1'000'000, '7');
  EXPECT_EQ(one(TypeId::kBigInt, million), "refused");
  EXPECT_EQ(one(TypeId::kVarchar, million), "\"" + million + "\"");
  EXPECT_EQ(one(TypeId::kDouble, "0." + million), "0x1.8e38e38e38e39p-1");
}

TEST(JsonNaughty, BytesThatAreNoText) {
  const Lines bad = {"\xc0\xaf",       "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
                     "\xed\xa0\x80",   "\xed\xbf\xbf", "\xf4\x90\x80\x80",
                     "\xff",           "\xfe",         "\x80",
                     "\xc3",           "\xe2\x82",     std::string(1, 0),
                     "\x1f",           "\\ud800",      "\\udc00",
                     "\\ud800\\ud800", "\\ud800x",     "\\u12g4",
                     "\\u123",         "\\x41",        "\\",
                     "\\ud83d\\u",     "\\ud83d\\ude0"};
  const Schema schema = {Column("v", TypeId::kVarchar), Column("j", TypeId::kJson)};
  for (const std::string& each : bad) {
    for (const size_t before : {0, 5, 15, 16, 40}) {
      const std::string text = std::string(before, 'x') + each;
      for (const std::string& line :
           {"{\"v\":\"" + text + "\"}", "{\"" + text + "\":1}", "{\"skipped\":[\"" + text + "\"]}",
            "{\"j\":{\"a\":\"" + text + "\"}}", "{\"v\":" + each + "}"}) {
        const Decoded out = Read(schema, line + "\n{\"v\":\"fine\"}\n");
        EXPECT_EQ(out.rows, Lines{"\"fine\"|null"}) << Json(line).Dump();
        EXPECT_EQ(out.rejects.size(), 1U) << Json(line).Dump();
        EXPECT_EQ(out.raws, Lines{line});
      }
    }
  }
  // UTF-16 and UTF-32 are refused line by line.
  constexpr std::string_view kUtf16("\xff\xfe{\0\"\0v\0\"\0:\0001\0}\0\n\0", 18);
  EXPECT_EQ(Read(schema, std::string(kUtf16)).rows, Lines{});
}

TEST(JsonNaughty, AMillionKeys) {
  Type map = Type::Of(TypeId::kMap);
  map.children = {Column("key", TypeId::kVarchar), Column("value", TypeId::kBigInt)};
  std::string keys;
  for (int i = 0; i < 1'000'000; ++i)
    keys += (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 900'000) + "\":" + std::to_string(i);
  const Decoded flat = Read({Column("k5", TypeId::kBigInt)}, "{" + keys + "}\n{\"k5\":1}\n");
  EXPECT_EQ(flat.rows, (Lines{"900005", "1"}));
  const Decoded mapped = Read({Column("v", map)}, "{\"v\":{" + keys + "}}\n");
  ASSERT_EQ(mapped.rows.size(), 1U);
  EXPECT_EQ(std::count(mapped.rows[0].begin(), mapped.rows[0].end(), '{'), 900'000);
  EXPECT_NE(mapped.rows[0].find("{key:\"k99999\",value:999999}"), std::string::npos);
}

TEST(JsonNaughty, A64MegabyteString) {
  const std::string plain(64 << 20, 'x');
  const Schema schema = {Column("v", TypeId::kVarchar)};
  const auto block = [&](const std::string& text) {
    TestReader reader(JsonLines(), schema, {0});
    return reader.Read(text);
  };
  EXPECT_EQ(block("{\"v\":\"" + plain + "\"}\n").rows, Lines{'"' + plain + '"'});
  EXPECT_EQ(block("{\"v\":\"\\u0078" + plain + "\"}").rows, Lines{"\"x" + plain + '"'});
  EXPECT_EQ(block("{\"v\":\"" + plain + "\xff\"}\n").rejects.size(), 1U);
  EXPECT_EQ(
      block("{\"v\":\"" + plain).rejects,
      Lines{"1: not JSON at byte 67108871: a string without its closing quote, found the end of the line"});
}

TEST(JsonNaughty, ManyElementsInOneRow) {
  const Schema schema = {Column("v", Type::ListOf(Type::ListOf(Type::Of(TypeId::kBigInt))))};
  std::string list;
  for (int i = 0; i < 300'000; ++i) list += i == 0 ? "[1]" : i % 3 == 0 ? ",null" : ",[2,3]";
  const Decoded out = Read(schema, "{\"v\":[" + list + "}\n{\"v\":[" + list + "]}\n");
  EXPECT_EQ(out.rows, Lines{"[" + list + "]"});
  EXPECT_EQ(out.rejects.size(), 1U);
}

// ---- JSON Parsing Test Suite

std::string FileBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(JsonSuite, ValidIsAcceptedAndInvalidRefused) {
  const char* folder = std::getenv("QANAT_JSON_SUITE");
  if (folder == nullptr)
    GTEST_SKIP()
        << "QANAT_JSON_SUITE is not set (make test does; tests/fixtures/json_suite.py FOLDER makes it)";
  const Schema schema = {Column("v", TypeId::kJson)};
  int accepted = 0;
  int refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    std::string text = FileBytes(entry.path());
    if (name[0] == 'y') std::replace(text.begin(), text.end(), '\n', ' ');
    const Decoded wrapped = Read(schema, "{\"v\":" + text + "}\n");
    const Decoded bare = Read({Column("never", TypeId::kBigInt)}, text + "\n");
    if (name[0] == 'y') {
      EXPECT_EQ(wrapped.rows.size(), 1U)
          << name << " " << (wrapped.rejects.empty() ? "" : wrapped.rejects[0]);
      const bool is_object = text.find_first_not_of(" \t\r") == text.find('{');
      EXPECT_EQ(bare.rows.size(), is_object && text.find('{') != std::string::npos ? 1U : 0U) << name;
      ++accepted;
    } else if (name[0] == 'n') {
      EXPECT_EQ(wrapped.rows.size(), 0U) << name;
      EXPECT_GE(wrapped.rejects.size(), 1U) << name;
      EXPECT_EQ(bare.rows.size(), 0U) << name;
      ++refused;
    } else {
      EXPECT_GE(wrapped.rows.size() + wrapped.rejects.size(), 1U) << name;
    }
  }
  EXPECT_EQ(accepted, 95);
  EXPECT_EQ(refused, 188);
}

}  // namespace
}  // namespace qn::json
