// JSON lines: what is read, what is refused and with which words.
#include <gtest/gtest.h>

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

Decoded Read(const Schema& schema, const std::string& text, size_t piece = 0) {
  return TestReader(JsonLines(), schema, AllColumns(schema)).Read(text, piece);
}

// One line, one column "v".
Decoded ReadValue(const Type& type, const std::string& value) {
  return Read({Column("v", type)}, "{\"v\":" + value + "}\n");
}

void ExpectCell(const Type& type, const std::string& value, const std::string& cell) {
  const Decoded out = ReadValue(type, value);
  EXPECT_EQ(out.rows, Lines{cell}) << value << " as " << type.ToSql() << " "
                                   << (out.rejects.empty() ? "" : out.rejects[0]);
}
void ExpectCell(TypeId id, const std::string& value, const std::string& cell) {
  ExpectCell(Type::Of(id), value, cell);
}

void ExpectReject(const Type& type, const std::string& value, const std::string& detail) {
  const Decoded out = ReadValue(type, value);
  EXPECT_EQ(out.rows, Lines{}) << value;
  EXPECT_EQ(out.rejects, Lines{"1: " + detail}) << value;
}
void ExpectReject(TypeId id, const std::string& value, const std::string& detail) {
  ExpectReject(Type::Of(id), value, detail);
}

Type Geo() {
  Type geo = Type::Of(TypeId::kStruct);
  geo.children = {Column("lat", TypeId::kDouble), Column("lon", TypeId::kDouble)};
  return geo;
}

Type MapOf(Type value) {
  Type map = Type::Of(TypeId::kMap);
  map.children = {Column("key", TypeId::kVarchar), Column("value", std::move(value))};
  return map;
}

TEST(JsonDecoder, ReadsEveryScalarType) {
  ExpectCell(TypeId::kBoolean, "true", "true");
  ExpectCell(TypeId::kTinyInt, "-128", "-128");
  ExpectCell(TypeId::kUTinyInt, "255", "255");
  ExpectCell(TypeId::kSmallInt, "-32768", "-32768");
  ExpectCell(TypeId::kUSmallInt, "65535", "65535");
  ExpectCell(TypeId::kInteger, "2147483647", "2147483647");
  ExpectCell(TypeId::kUInteger, "4294967295", "4294967295");
  ExpectCell(TypeId::kBigInt, "-9223372036854775808", "-9223372036854775808");
  ExpectCell(TypeId::kUBigInt, "18446744073709551615", "18446744073709551615");
  ExpectCell(TypeId::kHugeInt, "-170141183460469231731687303715884105728",
             "-170141183460469231731687303715884105728");
  ExpectCell(TypeId::kDouble, "0.1", "0x1.999999999999ap-4");
  ExpectCell(TypeId::kDouble, "\"NaN\"", "nan");
  ExpectCell(TypeId::kDouble, "\"-Infinity\"", "-inf");
  ExpectCell(TypeId::kFloat, "0.1", "0x1.99999ap-4");
  ExpectCell(Type::Decimal(10, 2), "12.345", "1235");
  ExpectCell(Type::Decimal(38, 0), "\"-12345678901234567890123456789012345678\"",
             "-12345678901234567890123456789012345678");
  ExpectCell(TypeId::kDate, "\"1970-01-02\"", "1");
  ExpectCell(TypeId::kTime, "\"00:00:01.5\"", "1500000");
  ExpectCell(TypeId::kTimestamp, "\"1970-01-01T02:00:00.000001+02:00\"", "1");
  ExpectCell(TypeId::kTimestampNs, "\"1970-01-01 00:00:00.000000001\"", "1");
  ExpectCell(TypeId::kUuid, "\"717b35bc-d612-4bce-f7e4-3dd4fa1fbfe0\"", "717b35bcd6124bcef7e43dd4fa1fbfe0");
}

TEST(JsonDecoder, TakesNumbersInStringsAndTextOfScalars) {
  ExpectCell(TypeId::kBigInt, "\"42\"", "42");
  ExpectCell(TypeId::kDouble, "\"1e3\"", "0x1.f4p+9");
  ExpectCell(Type::Decimal(10, 2), "\"89.94\"", "8994");
  ExpectCell(TypeId::kBoolean, "\"false\"", "false");
  ExpectCell(TypeId::kVarchar, "1.50", "\"1.50\"");
  ExpectCell(TypeId::kVarchar, "12345678901234567890123", "\"12345678901234567890123\"");
  ExpectCell(TypeId::kVarchar, "true", "\"true\"");
  ExpectCell(TypeId::kBigInt, "1.0", "1");
  ExpectCell(TypeId::kBigInt, "12e2", "1200");
}

TEST(JsonDecoder, ReadsStringsOfEveryLengthAndEscape) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string text(size, 'x');
    ExpectCell(TypeId::kVarchar, '"' + text + '"', '"' + text + '"');
  }
  ExpectCell(TypeId::kVarchar, R"("\"\\\/\b\f\n\r\t")", R"("\"\\/\u0008\u000c\n\r\t")");
  ExpectCell(TypeId::kVarchar, R"("\u00e9\u20ac\ud83d\ude00 and more text behind")",
             "\"é€😀 and more text behind\"");
  ExpectCell(TypeId::kVarchar, "\"é€😀\"", "\"é€😀\"");
  ExpectCell(TypeId::kVarchar, R"("a\u0000b")", R"("a\u0000b")");
}

TEST(JsonDecoder, ReadsNestedValues) {
  const Schema schema = {Column("geo", Geo()), Column("tags", Type::ListOf(Type::Of(TypeId::kVarchar))),
                         Column("grid", Type::ListOf(Type::ListOf(Type::Of(TypeId::kInteger)))),
                         Column("by", MapOf(Type::Of(TypeId::kBigInt))),
                         Column("spots", Type::ListOf(Geo()))};
  const Decoded out = Read(schema, R"({"geo":{"lat":1,"lon":2},"tags":["a",null,"b"],"grid":[[1],[],[2,3]],)"
                                   R"("by":{"x":1,"y":null},"spots":[{"lon":1},null]})"
                                   "\n"
                                   R"({"geo":null,"tags":[],"grid":null,"by":{},"spots":[]})"
                                   "\n{}\n");
  EXPECT_EQ(out.rejects, Lines{});
  EXPECT_EQ(out.rows, (Lines{"{lat:0x1p+0,lon:0x1p+1}|[\"a\",null,\"b\"]|[[1],[],[2,3]]|"
                             "[{key:\"x\",value:1},{key:\"y\",value:null}]|[{lat:null,lon:0x1p+0},null]",
                             "null|[]|null|[]|[]", "null|null|null|null|null"}));
}

TEST(JsonDecoder, KeepsTheTextOfJsonColumns) {
  ExpectCell(TypeId::kJson, R"({"a": [1, "\u00e9"] })", R"("{\"a\": [1, \"\\u00e9\"] }")");
  ExpectCell(TypeId::kJson, "12", "\"12\"");
  ExpectCell(TypeId::kJson, "\"s\"", R"("\"s\"")");
  ExpectCell(TypeId::kJson, "null", "null");
  ExpectReject(TypeId::kJson, "[1,]", "not JSON at byte 9: expected a value, found ']'");
}

TEST(JsonDecoder, TellsWhatItExpectedAndFound) {
  const Schema schema = {Column("user_id", TypeId::kBigInt)};
  EXPECT_EQ(Read(schema, "{\"user_id\":\"abc\"}\n").rejects,
            Lines{"1: column 'user_id': expected BIGINT, found string \"abc\""});
  ExpectReject(TypeId::kInteger, "2147483648",
               "column 'v': expected INTEGER, found number 2147483648 (out of range)");
  ExpectReject(TypeId::kUTinyInt, "-1", "column 'v': expected UTINYINT, found number -1 (out of range)");
  ExpectReject(TypeId::kBigInt, "1.5",
               "column 'v': expected BIGINT, found number 1.5 (its fraction would be lost)");
  ExpectReject(TypeId::kBigInt, "true", "column 'v': expected BIGINT, found true");
  ExpectReject(TypeId::kBigInt, "{}", "column 'v': expected BIGINT, found object");
  ExpectReject(TypeId::kVarchar, "[1]",
               "column 'v': expected VARCHAR, found array (declare JSON to keep its text)");
  ExpectReject(TypeId::kTimestamp, "1700000000", "column 'v': expected TIMESTAMP, found number 1700000000");
  ExpectReject(TypeId::kDouble, "1e400", "column 'v': expected DOUBLE, found number 1e400 (out of range)");
  ExpectReject(TypeId::kDate, "\"2023-02-29\"",
               "column 'v': expected DATE, found string \"2023-02-29\" (out of range)");
  ExpectReject(Geo(), "[]", "column 'v': expected STRUCT(\"lat\" DOUBLE, \"lon\" DOUBLE), found array");
  ExpectReject(Geo(), "{\"lat\":\"x\"}", "column 'v.lat': expected DOUBLE, found string \"x\"");
  ExpectReject(Type::ListOf(Geo()), "[{\"lat\":[]}]", "column 'v[].lat': expected DOUBLE, found array");
  ExpectReject(MapOf(Type::Of(TypeId::kDate)), "{\"k\":\"x\"}",
               "column 'v[]': expected DATE, found string \"x\"");
}

TEST(JsonDecoder, TellsWhatIsNotJson) {
  const Schema schema = {Column("v", TypeId::kBigInt)};
  const auto detail = [&](const std::string& line) {
    const Decoded out = Read(schema, line + "\n");
    EXPECT_EQ(out.rows, Lines{}) << line;
    return out.rejects.size() == 1 ? out.rejects[0].substr(3) : "none or many";
  };
  EXPECT_EQ(detail("[1]"), "expected one JSON object a line, found array");
  EXPECT_EQ(detail("12"), "expected one JSON object a line, found number");
  EXPECT_EQ(detail("null"), "expected one JSON object a line, found null");
  EXPECT_EQ(detail(" \"a\" \r"), "expected one JSON object a line, found string");
  EXPECT_EQ(detail("false"), "expected one JSON object a line, found false");
  EXPECT_EQ(detail("nothing"), "not JSON at byte 1: expected an object, found 'n'");
  EXPECT_EQ(detail("  nullify"), "not JSON at byte 3: expected an object, found 'n'");
  EXPECT_EQ(detail("12 apples"), "not JSON at byte 1: expected an object, found '1'");
  EXPECT_EQ(detail("2024-05-01,7"), "not JSON at byte 1: expected an object, found '2'");
  EXPECT_EQ(detail("[1, 2"), "not JSON at byte 1: expected an object, found '['");
  EXPECT_EQ(detail("null null"), "not JSON at byte 1: expected an object, found 'n'");
  EXPECT_EQ(detail("hello"), "not JSON at byte 1: expected an object, found 'h'");
  EXPECT_EQ(detail("é"), "not JSON at byte 1: expected an object, found 'é'");
  EXPECT_EQ(detail("{\"v\":1"), "not JSON at byte 7: expected ',' or '}', found the end of the line");
  EXPECT_EQ(detail("{\"v\" 1}"), "not JSON at byte 6: expected ':' after a key, found '1'");
  EXPECT_EQ(detail("{v:1}"), "not JSON at byte 2: expected a key in double quotes, found 'v'");
  EXPECT_EQ(detail("{\"v\":1,}"), "not JSON at byte 8: expected a key in double quotes, found '}'");
  EXPECT_EQ(detail("{\"v\":01}"), "not JSON at byte 6: expected a value, found '0'");
  EXPECT_EQ(detail("{\"v\":1}{\"v\":2}"),
            "not JSON at byte 8: expected the end of the line after its object, found '{'");
  EXPECT_EQ(detail("{\"x\":\"a\tb\"}"),
            "not JSON at byte 8: a control character inside a string, found '\\x09'");
  EXPECT_EQ(detail("{\"x\":\"\\q\"}"), "not JSON at byte 7: an unknown escape in a string, found '\\'");
  EXPECT_EQ(detail("{\"x\":\"\\ud800\"}"), "not JSON at byte 7: half of a surrogate pair, found '\\'");
  EXPECT_EQ(detail("{\"x\":\"abc"),
            "not JSON at byte 10: a string without its closing quote, found the end of the line");
  EXPECT_EQ(detail("{\"x\":\"ab\xc0\xaf\"}"),
            "not JSON at byte 9: a string that is not UTF-8, found '\\xc0'");
}

TEST(JsonDecoder, ChecksColumnsThatNobodyAsksFor) {
  const Schema schema = {Column("a", TypeId::kBigInt), Column("b", Type::ListOf(Geo())),
                         Column("c", TypeId::kUuid)};
  TestReader reader(JsonLines(), schema, {0});
  const Decoded out =
      reader.Read("{\"a\":1,\"b\":[{\"lat\":\"x\"}]}\n{\"a\":2,\"c\":\"no\"}\n{\"a\":3,\"b\":[{}]}\n");
  EXPECT_EQ(out.rows, Lines{"3"});
  EXPECT_EQ(out.rejects, (Lines{"1: column 'b[].lat': expected DOUBLE, found string \"x\"",
                                "2: column 'c': expected UUID, found string \"no\""}));
}

TEST(JsonDecoder, RefusesNullWhereItMayNotBe) {
  const Schema schema = {Column("id", Type::Of(TypeId::kBigInt), false), Column("n", TypeId::kBigInt)};
  const Decoded out =
      Read(schema, "{\"n\":1}\n{\"id\":null}\n{\"id\":1,\"id\":null}\n{\"id\":null,\"id\":2}\n{\"id\":3}\n");
  EXPECT_EQ(out.rows, (Lines{"2|null", "3|null"}));
  EXPECT_EQ(out.rejects,
            (Lines{"1: column 'id': NOT NULL, but the key is missing",
                   "2: column 'id': NOT NULL, but found null", "3: column 'id': NOT NULL, but found null"}));
}

TEST(JsonDecoder, TheLastOfEqualKeysCounts) {
  const Schema schema = {Column("a", TypeId::kVarchar), Column("g", Geo()),
                         Column("l", Type::ListOf(Type::Of(TypeId::kInteger))),
                         Column("m", MapOf(Type::Of(TypeId::kInteger)))};
  EXPECT_EQ(Read(schema, R"({"a":null,"a":"x","g":null,"g":{"lat":1},"l":[1,2],"l":[3],"m":{"k":1,"k":2}})"
                         "\n")
                .rows,
            Lines{R"("x"|{lat:0x1p+0,lon:null}|[3]|[{key:"k",value:2}])"});
  EXPECT_EQ(Read(schema, R"({"g":{"lat":1,"lon":2},"g":{"lat":null},"m":{"k":1,"k":null},"l":[1],"l":null})"
                         "\n")
                .rows,
            Lines{"null|{lat:null,lon:null}|null|[{key:\"k\",value:null}]"});
}

TEST(JsonDecoder, MatchesNamesExactlyThenButForCase) {
  const Schema schema = {Column("userId", TypeId::kBigInt)};
  EXPECT_EQ(Read(schema,
                 "{\"userid\":1}\n{\"USERID\":2,\"userId\":3}\n{\"userId\":4,\"USERID\":5}\n"
                 "{\"user\\u0049d\":6}\n{\"userI\":7}\n")
                .rows,
            (Lines{"1", "3", "4", "6", "null"}));
}

TEST(JsonDecoder, FollowsRecordsThatChangeTheirShape) {
  Schema schema;
  for (int i = 0; i < 30; ++i)
    schema.push_back(Column("column_with_a_long_name_" + std::to_string(i), TypeId::kBigInt));
  std::string text;
  Lines expected;
  for (int line = 0; line < 500; ++line) {
    std::vector<std::string> cells(30, "null");
    text += "{";
    const int keys = line % 13;
    for (int k = 0; k < keys; ++k) {
      const int column = (line * 7 + k * (1 + line % 11)) % 30;
      text += std::string(k == 0 ? "" : ",") + (k % 3 == 0 ? " " : "") + "\"column_with_a_long_name_" +
              std::to_string(column) + "\":" + std::to_string(k) + ",\"new" + std::to_string(line * 40 + k) +
              "\": {}";
      cells[static_cast<size_t>(column)] = std::to_string(k);
    }
    text += "}\n";
    std::string row;
    for (size_t i = 0; i < cells.size(); ++i) row += (i == 0 ? "" : "|") + cells[i];
    expected.push_back(row);
  }
  const Decoded out = Read(schema, text);
  EXPECT_EQ(out.rejects, Lines{});
  EXPECT_EQ(out.rows, expected);
}

TEST(JsonDecoder, ARejectLeavesNothingBehind) {
  const Schema schema = {Column("a", TypeId::kBigInt), Column("g", Geo()),
                         Column("l", Type::ListOf(Type::ListOf(Type::Of(TypeId::kInteger)))),
                         Column("z", TypeId::kBigInt)};
  const std::string bad = R"({"a":null,"g":null,"l":[null,[1,null],[2]],"z":"bad"})"
                          "\n";
  const std::string good = R"({"a":1,"g":{"lat":1,"lon":1},"l":[[5],[6,7]],"z":2})"
                           "\n";
  const Decoded out = Read(schema, bad + good + bad + bad + good);
  EXPECT_EQ(out.rows, Lines(2, "1|{lat:0x1p+0,lon:0x1p+0}|[[5],[6,7]]|2"));
  EXPECT_EQ(out.rejects.size(), 3U);
}

TEST(JsonDecoder, HiddenColumnsTellWhereARowStood) {
  const Schema schema = {Column("a", TypeId::kBigInt)};
  TestReader reader(JsonLines(), schema, {3, 1, 2, 0});
  Decoded out;
  Block block = text::TestBlock(" {\"a\":1} \r\n\r\n  \n{\"a\":2}");
  block.file = 7;
  block.first_line = 100;
  reader.Take(block, &out);
  EXPECT_EQ(out.rows, (Lines{"100|\" {\\\"a\\\":1} \"|7|1", "103|\"{\\\"a\\\":2}\"|7|2"}));
}

TEST(JsonDecoder, ByteOrderMarkOnlyAtTheBeginning) {
  const Schema schema = {Column("a", TypeId::kBigInt)};
  const Decoded out = Read(schema, "\xef\xbb\xbf{\"a\":1}\n\xef\xbb\xbf{\"a\":2}\n");
  EXPECT_EQ(out.rows, Lines{"1"});
  EXPECT_EQ(out.rejects, Lines{"2: not JSON at byte 1: expected an object, found '\xef\xbb\xbf'"});
  EXPECT_EQ(Read(schema, "\xef\xbb\xbf").rejects, Lines{});
}

TEST(JsonDecoder, OversizeRecordsAreDeadLetters) {
  TestReader reader(JsonLines(), {Column("a", TypeId::kBigInt)}, {0});
  Block block = text::TestBlock("{\"a\":1}");
  block.oversize_bytes = 5'000'000'000;
  Decoded out;
  reader.Take(block, &out);
  EXPECT_EQ(out.rows, Lines{});
  EXPECT_EQ(out.rejects,
            Lines{"1: a record of 5000000000 bytes is larger than the source's limit; only its beginning "
                  "is kept here"});
}

TEST(JsonDecoder, FillsManyChunksAndGrowsLists) {
  const Schema schema = {Column("l", Type::ListOf(Geo())), Column("m", MapOf(Type::Of(TypeId::kVarchar)))};
  std::string text;
  Lines expected;
  for (int line = 0; line < 5000; ++line) {
    std::string list;
    std::string cell;
    for (int i = 0; i < line % 17; ++i) {
      list += std::string(i == 0 ? "" : ",") + "{\"lat\":" + std::to_string(i) + "}";
      char hex[32];
      std::snprintf(hex, sizeof(hex), "%a", static_cast<double>(i));
      cell += std::string(i == 0 ? "" : ",") + "{lat:" + hex + ",lon:null}";
    }
    text += "{\"l\":[" + list + "],\"m\":{\"line\":\"number of this line: " + std::to_string(line) + "\"}}\n";
    expected.push_back("[" + cell + "]|[{key:\"line\",value:\"number of this line: " + std::to_string(line) +
                       "\"}]");
  }
  EXPECT_EQ(Read(schema, text).rows, expected);
  EXPECT_EQ(Read(schema, text, 3000).rows, expected);
}

TEST(JsonFormat, RefusesUnknownOptionsAndTypesThatTextCannotGive) {
  const auto wrong = NewFormat(Json(Json::Object{{"kind", "json"}, {"header", true}}));
  EXPECT_EQ(wrong.status().ToString(),
            "QN-2011  Format json has no option 'header'.\n  It takes no options.");
  EXPECT_EQ(
      JsonLines().Check({Column("b", TypeId::kInterval)}).ToString(),
      "QN-2020  Column 'b' of type INTERVAL cannot be read from JSON.\n"
      "  Declare it VARCHAR and convert it in the dataset's SQL, for example: CAST(\"b\" AS INTERVAL).");
  Type map = MapOf(Type::Of(TypeId::kDate));
  map.children[0].type = Type::Of(TypeId::kBigInt);
  EXPECT_EQ(JsonLines().Check({Column("m", Type::ListOf(map))}).code(), "QN-2020");
  EXPECT_TRUE(JsonLines().Check({Column("m", MapOf(Geo())), Column("j", TypeId::kJson)}).ok());
}

TEST(JsonFormat, SplitsAtLineBreaks) {
  uint64_t lines = 9;
  const auto whole = [&](std::string_view text) {
    return JsonLines().Splitter().Whole(text.data(), text.size(), &lines);
  };
  EXPECT_EQ(whole("{}\n{}\n{"), 6U);
  EXPECT_EQ(lines, 2U);
  EXPECT_EQ(whole("{"), 0U);
  EXPECT_EQ(lines, 0U);
  EXPECT_EQ(whole(""), 0U);
  std::string many;
  for (int i = 0; i < 10000; ++i) many += i % 3 == 0 ? "\n" : "{\"a\":\"0123456789\"}\n";
  EXPECT_EQ(whole(many + "x"), many.size());
  EXPECT_EQ(lines, 10000U);
}

}  // namespace
}  // namespace qn::json
