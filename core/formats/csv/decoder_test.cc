// CSV: what is read, what is refused, and that no cut of the file changes the rows.
#include <gtest/gtest.h>

#include <random>

#include "formats/csv/format.h"
#include "formats/text/test_decode.h"

namespace qn::csv {
namespace {

using text::AllColumns;
using text::Column;
using text::Decoded;
using text::TestReader;
using Lines = std::vector<std::string>;

std::unique_ptr<Format> Csv(Json::Object options = {}) {
  auto format = NewFormat(Json(std::move(options)));
  EXPECT_TRUE(format.ok()) << format.status().ToString();
  return std::move(format).value();
}

Decoded Read(const Schema& schema, const std::string& text, Json::Object options = {}, size_t piece = 0) {
  const auto format = Csv(std::move(options));
  return TestReader(*format, schema, AllColumns(schema)).Read(text, piece);
}

const Schema kAB = {Column("a", TypeId::kBigInt), Column("b", TypeId::kVarchar)};

TEST(CsvDecoder, ReadsTypedColumnsByName) {
  const Schema schema = {Column("id", TypeId::kBigInt),         Column("name", TypeId::kVarchar),
                         Column("price", Type::Decimal(10, 2)), Column("ok", TypeId::kBoolean),
                         Column("day", TypeId::kDate),          Column("x", TypeId::kDouble)};
  const Decoded out = Read(schema,
                           "day,extra,NAME,price, id ,ok,x\r\n"
                           "1970-01-02,-,\"Ann, the \"\"first\"\"\",12.5,1,true,0.5\r\n"
                           ",,,,2,,\n"
                           "1970-01-03,-,\"two\nlines\",-1,3,0,1e1");
  EXPECT_EQ(out.rejects, Lines{});
  EXPECT_EQ(out.rows, (Lines{R"(1|"Ann, the \"first\""|1250|true|1|0x1p-1)", "2|null|null|null|null|null",
                             R"(3|"two\nlines"|-100|false|2|0x1.4p+3)"}));
}

TEST(CsvDecoder, TellsWhatIsWrong) {
  const Decoded out = Read(kAB,
                           "a,b\n"
                           "x,ok\n"        // 2
                           "1\n"           // 3
                           "1,2,3\n"       // 4
                           "1,\"x\"y\n"    // 5
                           "1,\"\xff\"\n"  // 6
                           "1,two\"quotes\"\n"
                           "99999999999999999999,\n"  // 8
                           "1,\"multi\nline\"x\n"     // 9, 10
                           "1,\"open\n1,2\n");        // 11
  EXPECT_EQ(out.rows, Lines{R"(1|"two\"quotes\"")"});
  EXPECT_EQ(out.rejects,
            (Lines{"2: column 'a': expected BIGINT, found \"x\"", "3: expected 2 fields, found 1",
                   "4: expected 2 fields, found 3", "5: not CSV: text after a closing quote",
                   "6: not CSV: text that is not UTF-8",
                   "8: column 'a': expected BIGINT, found \"99999999999999999999\" (out of range)",
                   "9: not CSV: text after a closing quote", "11: not CSV: a quote that is never closed"}));
  EXPECT_EQ(out.raws[0], "x,ok");
  EXPECT_EQ(out.raws[6], "1,\"multi\nline\"x");
  EXPECT_EQ(out.raws[7], "1,\"open\n1,2");
}

TEST(CsvDecoder, NullsAndEmptyStrings) {
  EXPECT_EQ(Read(kAB, "a,b\n,\n\"\",\"\"\n").rows, (Lines{"null|null", "null|\"\""}));
  EXPECT_EQ(Read(kAB, "a,b\nNULL,NULL\n1,\"NULL\"\n2,\n", {{"null", "NULL"}}).rows,
            (Lines{"null|null", "1|\"NULL\"", "2|\"\""}));
  const Schema required = {Column("a", Type::Of(TypeId::kBigInt), false), Column("b", TypeId::kVarchar)};
  const Decoded out = Read(required, "a,b\n,x\n2,y\n");
  EXPECT_EQ(out.rows, Lines{"2|\"y\""});
  EXPECT_EQ(out.rejects, Lines{"2: column 'a': NOT NULL, but found NULL"});
}

TEST(CsvDecoder, BlankLinesAreSkippedUnlessThereIsOneField) {
  EXPECT_EQ(Read(kAB, "a,b\n\n1,x\r\n\r\n2,y\n\n").rows, (Lines{"1|\"x\"", "2|\"y\""}));
  EXPECT_EQ(Read({Column("a", TypeId::kVarchar)}, "a\n\nx\n").rows, (Lines{"null", "\"x\""}));
}

TEST(CsvDecoder, AHeaderThatDoesNotFitMakesEveryRowADeadLetter) {
  const std::string text = "a,c\n1,2\n3,4\n";
  for (const size_t piece : {size_t{0}, size_t{5}}) {
    const Decoded out = Read(kAB, text, {}, piece);
    EXPECT_EQ(out.rows, Lines{});
    EXPECT_EQ(out.rejects, (Lines{"1: the file's header lacks the column 'b'; it has: a, c",
                                  "2: not read: the file's header lacks the column 'b'; it has: a, c",
                                  "3: not read: the file's header lacks the column 'b'; it has: a, c"}));
    EXPECT_EQ(out.raws, (Lines{"a,c", "1,2", "3,4"}));
  }
  EXPECT_EQ(Read(kAB, "a,B,b\n1,2,3\n").rows, Lines{"1|\"3\""});
  EXPECT_EQ(Read(kAB, "a,B,B\n1,2,3\n").rejects[0],
            "1: the file's header has twice the column 'b'; it has: a, B, B");
  EXPECT_EQ(Read(kAB, "a,\"b\n1,2\n").rejects[0], "1: the file's header has a quote that is never closed");
}

TEST(CsvDecoder, ReadsByPositionWithoutAHeader) {
  const Decoded out = Read(kAB, "1,x\n2,y\n", {{"header", false}}, 4);
  EXPECT_EQ(out.rows, (Lines{"1|\"x\"", "2|\"y\""}));
  EXPECT_EQ(Read(kAB, "\xef\xbb\xbf\"1\",x\n", {{"header", false}}).rows, Lines{"1|\"x\""});
}

TEST(CsvDecoder, SkipsLinesAndByteOrderMark) {
  const Decoded out = Read(kAB, "\xef\xbb\xbf# made by hand\n#\nb,a\nx,1\nbad\n", {{"skip_lines", 2}});
  EXPECT_EQ(out.rows, Lines{"1|\"x\""});
  EXPECT_EQ(out.rejects, Lines{"5: expected 2 fields, found 1"});
  EXPECT_EQ(Read(kAB, "\xef\xbb\xbf\"a\",b\n1,x\n").rows, Lines{"1|\"x\""});
}

TEST(CsvDecoder, OtherDialects) {
  EXPECT_EQ(Read(kAB, "a;b\n1;'x;''y'\n", {{"delimiter", ";"}, {"quote", "'"}}).rows, Lines{"1|\"x;'y\""});
  EXPECT_EQ(Read(kAB, "a\tb\n1\t\"x\"\n", {{"delimiter", "\t"}, {"quote", ""}}).rows, Lines{R"(1|"\"x\"")"});
  const Decoded out = Read(kAB, "a,b\n1,\"x\\\"y\\\\\"\n2,\"\\n\"\n", {{"escape", "\\"}});
  EXPECT_EQ(out.rows, Lines{R"(1|"x\"y\\")"});
  EXPECT_EQ(out.rejects, Lines{"3: column 'b': an escape character before something that needs none"});
}

TEST(CsvDecoder, ARejectLeavesNothingBehind) {
  const Schema schema = {Column("b", TypeId::kVarchar), Column("a", TypeId::kBigInt)};
  EXPECT_EQ(Read(schema, "b,a\n,x\ny,1\n,\n").rows, (Lines{"\"y\"|1", "null|null"}));
}

TEST(CsvDecoder, HiddenColumnsTellWhereARowStood) {
  const auto format = Csv();
  TestReader reader(*format, kAB, {2, 3, 4, 0});
  const Decoded out = reader.Read("a,b\r\n1,\"x\ny\"\r\n2,\r\n");
  EXPECT_EQ(out.rows, (Lines{R"("1,\"x\ny\""|0|2|1)", R"("2,"|0|4|2)"}));
}

TEST(CsvDecoder, NamesAndFieldsAtTheEdge) {
  std::string header = "a";
  std::string row = "1";
  for (int i = 0; i < 30'000; ++i) {
    header += ",c" + std::to_string(i);
    row += ",";
  }
  // Longer than a file's head may be: loud, not wrong.
  const Decoded out = Read({Column("a", TypeId::kBigInt)}, header + "\n" + row + "\n");
  EXPECT_EQ(out.rejects, (Lines{"1: not read: the file's header is longer than 64 KiB",
                                "2: not read: the file's header is longer than 64 KiB"}));
  EXPECT_EQ(out.raws, (Lines{header, row}));
  EXPECT_EQ(Read({Column("a", TypeId::kBigInt)}, "a,b\n" + row + "\n").rejects,
            Lines{"2: expected 2 fields, found 30001"});
}

// Random texts out of what matters in CSV; every way of cutting must give the same rows and rejects.
TEST(CsvDecoder, NoCutChangesTheRows) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text = "a,b\n";
    const size_t size = random() % 120;
    for (size_t i = 0; i < size; ++i) text += "12,,\"\"\n\n\rx "[random() % 12];
    const Json::Object options = round % 3 == 0 ? Json::Object{{"escape", "\\"}} : Json::Object{};
    const Decoded whole = Read(kAB, text, options);
    for (const size_t piece : {1, 2, 3, 5, 11, 50}) {
      EXPECT_EQ(Read(kAB, text, options, piece), whole) << Json(text).Dump() << " in pieces of " << piece;
    }
  }
}

// What RecordEnd calls a record's end, piece by piece, is what Whole calls one.
TEST(CsvSplitter, RecordEndAgreesWithWhole) {
  std::mt19937 random(8);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) text += "a,,\"\"\"\n\\"[random() % 8];
    text += "\n";
    const auto format = Csv(round % 3 == 0 ? Json::Object{{"escape", "\\"}} : Json::Object{});
    const RecordSplitter& splitter = format->Splitter();
    // The first record's end by Whole: the shortest prefix that holds one.
    size_t expected = 0;
    uint64_t expected_lines = 0;
    for (size_t n = 1; n <= text.size() && expected == 0; ++n) {
      expected = splitter.Whole(text.data(), n, &expected_lines);
    }
    for (const size_t piece : {1, 3, 100}) {
      uint64_t state = 0;
      uint64_t lines = 0;
      size_t found = 0;
      for (size_t at = 0; at < text.size() && found == 0; at += piece) {
        const size_t end =
            splitter.RecordEnd(text.data() + at, std::min(piece, text.size() - at), &state, &lines);
        if (end != 0) found = at + end;
      }
      EXPECT_EQ(found, expected) << Json(text).Dump();
      if (found != 0) {
        EXPECT_EQ(lines, expected_lines) << Json(text).Dump();
      }
    }
  }
}

TEST(CsvFormat, ChecksItsOptions) {
  const auto text = [](Json::Object options) {
    return NewFormat(Json(std::move(options))).status().ToString();
  };
  EXPECT_EQ(text({{"kind", "csv"}, {"delimeter", ";"}}),
            "QN-2011  Format csv has no option 'delimeter'.\n"
            "  Its options: header, delimiter, quote, escape, null, skip_lines\n  Did you mean 'delimiter'?");
  EXPECT_EQ(text({{"delimiter", "||"}}),
            "QN-2012  Option 'delimiter' of format csv must be one ASCII character that is no letter, digit, "
            "'+', '-' or "
            "'.'.\n  found: \"||\"");
  EXPECT_EQ(text({{"header", "yes"}}),
            "QN-2012  Option 'header' of format csv must be true or false.\n  found: \"yes\"");
  EXPECT_EQ(text({{"skip_lines", -1}}),
            "QN-2012  Option 'skip_lines' of format csv must be a number from 0 to 10000.\n  found: -1");
  for (const char* bad : {"", "e", "1", ".", "-", "\n", "é"})
    EXPECT_EQ(text({{"delimiter", bad}}).substr(0, 7), "QN-2012");
  EXPECT_EQ(text({{"quote", ","}}).substr(0, 7), "QN-2012");
  EXPECT_EQ(text({{"delimiter", "|"}, {"quote", ""}, {"null", "\\N"}, {"skip_lines", 3}, {"header", false}}),
            "");
}

TEST(CsvFormat, RefusesTypesThatTextCannotGive) {
  EXPECT_EQ(
      Csv()->Check({Column("t", Type::ListOf(Type::Of(TypeId::kBigInt)))}).ToString(),
      "QN-2020  Column 't' of type BIGINT[] cannot be read from CSV.\n"
      "  Declare it VARCHAR and convert it in the dataset's SQL, for example: CAST(\"t\" AS BIGINT[]).");
}

}  // namespace
}  // namespace qn::csv
