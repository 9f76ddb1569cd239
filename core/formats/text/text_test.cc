// Text to values: single cases, and DuckDB's CAST as the judge (QANAT_DUCKDB names the library; make test
// does).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "duck/database.h"
#include "formats/text/json_text.h"
#include "formats/text/lines.h"
#include "formats/text/number.h"
#include "formats/text/put.h"
#include "formats/text/test_chunk.h"
#include "formats/text/time.h"
#include "formats/text/value.h"

namespace qn::text {
namespace {

// The value as TestVector shows it, or why not.
std::string Parsed(const Type& type, std::string_view text) {
  TestVector cell(type);
  switch (PutText(type, text, cell.data.data(), 0)) {
    case Fault::kNone:
      return cell.Cell(0);
    case Fault::kForm:
      return "form";
    case Fault::kRange:
      return "range";
    case Fault::kFraction:
      return "fraction";
  }
  return "?";
}
std::string Parsed(TypeId id, std::string_view text) { return Parsed(Type::Of(id), text); }

TEST(Text, IntegersAtTheirEdges) {
  EXPECT_EQ(Parsed(TypeId::kTinyInt, "-128"), "-128");
  EXPECT_EQ(Parsed(TypeId::kTinyInt, "128"), "range");
  EXPECT_EQ(Parsed(TypeId::kUTinyInt, "-0"), "0");
  EXPECT_EQ(Parsed(TypeId::kUTinyInt, "-1"), "range");
  EXPECT_EQ(Parsed(TypeId::kBigInt, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(Parsed(TypeId::kBigInt, "9223372036854775808"), "range");
  EXPECT_EQ(Parsed(TypeId::kBigInt, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(Parsed(TypeId::kBigInt, "-9223372036854775809"), "range");
  EXPECT_EQ(Parsed(TypeId::kUBigInt, "18446744073709551616"), "range");
  EXPECT_EQ(Parsed(TypeId::kHugeInt, "170141183460469231731687303715884105728"), "range");
  EXPECT_EQ(Parsed(TypeId::kUHugeInt, "340282366920938463463374607431768211455"),
            "340282366920938463463374607431768211455");
  EXPECT_EQ(Parsed(TypeId::kUHugeInt, "340282366920938463463374607431768211456"), "range");
  EXPECT_EQ(Parsed(TypeId::kInteger, "1.0e3"), "1000");
  EXPECT_EQ(Parsed(TypeId::kInteger, "1.5"), "fraction");
  EXPECT_EQ(Parsed(TypeId::kInteger, "1e-1"), "fraction");
  EXPECT_EQ(Parsed(TypeId::kInteger, "0e999999999"), "0");
  EXPECT_EQ(Parsed(TypeId::kInteger, "1e999999999"), "range");
  for (const char* bad : {"", " ", "-", "+", ".", "e", "1e", "1e+", "--1", "1 2", "0x10", "1_000", "one"}) {
    EXPECT_EQ(Parsed(TypeId::kInteger, bad), "form") << bad;
  }
}

TEST(Text, MillionsOfDigitsAreReadOnce) {
  const std::string nines(1'000'000, '9');
  EXPECT_EQ(Parsed(TypeId::kBigInt, nines), "range");
  EXPECT_EQ(Parsed(TypeId::kDouble, nines), "range");
  EXPECT_EQ(Parsed(TypeId::kDouble, "0." + nines), "0x1p+0");
  EXPECT_EQ(Parsed(Type::Decimal(10, 2), "0." + nines), "100");
  EXPECT_EQ(Parsed(Type::Decimal(10, 2), std::string(1'000'000, '0') + "1"), "100");
  EXPECT_EQ(Parsed(TypeId::kBigInt, "1" + std::string(1'000'000, '0') + "e-1000000"), "1");
}

TEST(Text, DecimalsRoundHalfAwayFromZero) {
  const Type price = Type::Decimal(4, 2);
  EXPECT_EQ(Parsed(price, "12.345"), "1235");
  EXPECT_EQ(Parsed(price, "-12.345"), "-1235");
  EXPECT_EQ(Parsed(price, "12.3449999"), "1234");
  EXPECT_EQ(Parsed(price, "99.99"), "9999");
  EXPECT_EQ(Parsed(price, "99.995"), "range");
  EXPECT_EQ(Parsed(price, "100"), "range");
  EXPECT_EQ(Parsed(price, ".5"), "50");
  EXPECT_EQ(Parsed(price, "5e-3"), "1");
  EXPECT_EQ(Parsed(price, "5e-4"), "0");
  EXPECT_EQ(Parsed(Type::Decimal(38, 0), std::string(38, '9')), std::string(38, '9'));
  EXPECT_EQ(Parsed(Type::Decimal(38, 0), "1" + std::string(38, '0')), "range");
  EXPECT_EQ(Parsed(Type::Decimal(38, 38), "0." + std::string(38, '9')), std::string(38, '9'));
  EXPECT_EQ(Parsed(Type::Decimal(38, 38), "0." + std::string(39, '9')), "range");
}

TEST(Text, DoublesAreExact) {
  EXPECT_EQ(Parsed(TypeId::kDouble, "1e400"), "range");
  EXPECT_EQ(Parsed(TypeId::kDouble, "-1e400"), "range");
  EXPECT_EQ(Parsed(TypeId::kDouble, "1e-400"), "0x0p+0");
  EXPECT_EQ(Parsed(TypeId::kDouble, "-1e-400"), "-0x0p+0");
  EXPECT_EQ(Parsed(TypeId::kDouble, "5e-324"), "0x0.0000000000001p-1022");
  EXPECT_EQ(Parsed(TypeId::kDouble, "1.7976931348623157e308"), "0x1.fffffffffffffp+1023");
  EXPECT_EQ(Parsed(TypeId::kDouble, "0.1e1"), "0x1p+0");
  EXPECT_EQ(Parsed(TypeId::kDouble, "nan"), "nan");
  EXPECT_EQ(Parsed(TypeId::kDouble, "-INF"), "-inf");
  EXPECT_EQ(Parsed(TypeId::kFloat, "3.5e38"), "range");
}

// Numbers as JSON spells them take another way; both must agree to the last bit.
TEST(Text, TheShortWayOfNumbersIsTheLongOne) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200'000; ++round) {
    std::string text = random() % 2 == 0 ? "-" : "";
    const auto digits = [&](size_t most) {
      for (size_t n = 1 + random() % most; n > 0; --n) text += static_cast<char>('0' + random() % 10);
    };
    if (random() % 4 == 0)
      text += "0";
    else
      text += static_cast<char>('1' + random() % 9), digits(random() % 3 == 0 ? 25 : 7);
    if (random() % 2 == 0) text += ".", digits(random() % 3 == 0 ? 20 : 5);
    if (random() % 4 == 0) text += "e", text += random() % 2 == 0 ? "-" : "+", digits(2);
    const std::string padded = text + "\"" + std::string(16, 'x');
    const Number number = ScanNumber(padded.data());
    ASSERT_EQ(number.end, padded.data() + text.size()) << text;
    for (const Type& type :
         {Type::Of(TypeId::kBigInt), Type::Of(TypeId::kUTinyInt), Type::Of(TypeId::kInteger),
          Type::Of(TypeId::kDouble), Type::Decimal(18, 3), Type::Decimal(4, 2)}) {
      TestVector cell(type);
      if (!PutNumber(type, number, cell.data.data(), 0)) continue;
      ASSERT_EQ(cell.Cell(0), Parsed(type, text)) << text << " as " << type.ToSql();
    }
  }
  for (const char* bad : {"", "-", "01", "-01", "1.", ".5", "1e", "1e+", "+1", "1.e5", "x"}) {
    const std::string padded = std::string(bad) + "\"" + std::string(16, 'x');
    const Number number = ScanNumber(padded.data());
    EXPECT_NE(number.end, padded.data() + std::string(bad).size()) << bad;
  }
}

TEST(Text, TimesOfEveryPrecisionAndZone) {
  const auto micros = [](std::string_view text) { return Parsed(TypeId::kTimestamp, text); };
  EXPECT_EQ(micros("1970-01-01"), "0");
  EXPECT_EQ(micros("1970-01-01T00:00"), "0");
  EXPECT_EQ(micros("1970-01-01 00:00:01"), "1000000");
  EXPECT_EQ(micros("1970-01-01T00:00:00.123Z"), "123000");
  EXPECT_EQ(micros("1970-01-01T00:00:00.123456789Z"), "123456");
  EXPECT_EQ(micros("1970-01-01T05:30:00+05:30"), "0");
  EXPECT_EQ(micros("1970-01-01T05:30:00+0530"), "0");
  EXPECT_EQ(micros("1969-12-31T22:00:00-02"), "0");
  EXPECT_EQ(micros("1969-12-31T23:59:59.999999"), "-1");
  EXPECT_EQ(micros("0001-01-01"), "-62135596800000000");
  EXPECT_EQ(micros("9999-12-31T23:59:59.999999"), "253402300799999999");
  EXPECT_EQ(micros("2024-02-30"), "range");
  EXPECT_EQ(micros("2023-02-29T00:00:00.000Z"), "range");
  EXPECT_EQ(micros("1970-01-01T24:00:00"), "range");
  EXPECT_EQ(micros("2016-12-31T23:59:60Z"), "range");
  EXPECT_EQ(micros("1970-01-01T00:00:00.0123456789"), "form");
  EXPECT_EQ(micros("1970-01-01T00:00:00.Z"), "form");
  EXPECT_EQ(micros("1970-01-01Z"), "form");
  EXPECT_EQ(micros("1700000000"), "form");
  EXPECT_EQ(Parsed(TypeId::kTimestampS, "1970-01-01 00:00:01.9"), "1");
  EXPECT_EQ(Parsed(TypeId::kTimestampMs, "1970-01-01 00:00:01.9999"), "1999");
  EXPECT_EQ(Parsed(TypeId::kTimestampNs, "2262-04-11 23:47:16.854775807"), "9223372036854775807");
  EXPECT_EQ(Parsed(TypeId::kTimestampNs, "2262-04-11 23:47:16.854775808"), "range");
  EXPECT_EQ(Parsed(TypeId::kDate, "2024-02-29"), "19782");
  EXPECT_EQ(Parsed(TypeId::kDate, "2024-2-9"), "19762");
  EXPECT_EQ(Parsed(TypeId::kDate, "10000-01-01"), "form");
  EXPECT_EQ(Parsed(TypeId::kDate, "0000-01-01"), "range");
  EXPECT_EQ(Parsed(TypeId::kTime, "23:59:59.999999"), "86399999999");
  EXPECT_EQ(Parsed(TypeId::kTime, "7:05"), "25500000000");
}

TEST(Text, BooleansAndUuids) {
  EXPECT_EQ(Parsed(TypeId::kBoolean, "TRUE"), "true");
  EXPECT_EQ(Parsed(TypeId::kBoolean, "0"), "false");
  EXPECT_EQ(Parsed(TypeId::kBoolean, "\x11"), "form");
  EXPECT_EQ(Parsed(TypeId::kBoolean, "2"), "form");
  const std::string uuid = "0f9FaAc3-8233-2430-8000-00000000000f";
  const std::string hex =
      "0f9faac38233243080000000"
      "0000000f";
  EXPECT_EQ(Parsed(TypeId::kUuid, uuid), hex);
  EXPECT_EQ(Parsed(TypeId::kUuid, "{" + uuid + "}"), hex);
  EXPECT_EQ(Parsed(TypeId::kUuid, hex), hex);
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (uuid[i] == '-') continue;
    for (int c = 0; c < 256; ++c) {
      std::string changed = uuid;
      changed[i] = static_cast<char>(c);
      const bool is_hex = c < 128 && std::isxdigit(c) != 0;
      EXPECT_EQ(Parsed(TypeId::kUuid, changed) != "form", is_hex) << c;
    }
  }
}

TEST(Text, JsonTextMayHoldLineBreaksBetweenTokens) {
  EXPECT_TRUE(IsJson("{\n  \"a\": [1,\n2]\n}"));
  EXPECT_FALSE(IsJson("{\"a\": \"x\ny\"}"));
  EXPECT_FALSE(IsJson("{\"a\": \"x\\\ny\"}"));
  EXPECT_FALSE(IsJson(""));
  EXPECT_FALSE(IsJson("1 2"));
  EXPECT_FALSE(IsJson(std::string_view("1\0", 2)));
  EXPECT_EQ(Parsed(TypeId::kJson, "[1, 2]"), "\"[1, 2]\"");
}

TEST(Text, ExcerptsAreShortAndUtf8) {
  EXPECT_EQ(Excerpt("a\tb\x7f"), "a\\x09b\\x7f");
  EXPECT_EQ(Excerpt("\xff"), "\\xff");
  std::string long_text;
  for (int i = 0; i < 40; ++i) long_text += "é";
  EXPECT_EQ(Excerpt("x" + long_text), "x" + long_text.substr(0, 58) + "…");
}

TEST(Text, LineBreaksAreCounted) {
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 9000, 'x');
    uint64_t expected = 0;
    for (char& c : text) {
      if (random() % (1 + static_cast<unsigned>(round) % 40) == 0) c = '\n', ++expected;
    }
    ASSERT_EQ(CountLineBreaks(text.data(), text.data() + text.size()), expected);
    const size_t last = text.rfind('\n');
    const char* found = LastLineBreak(text.data(), text.data() + text.size());
    ASSERT_EQ(found, last == std::string::npos ? nullptr : text.data() + last);
  }
}

// ---- DuckDB as the judge

duck::Connection* DuckDb() {
  static const char* library = std::getenv("QANAT_DUCKDB");
  if (library == nullptr) return nullptr;
  static auto database =
      std::move(duck::Database::Open(std::move(duck::LoadApi(library)).value(), {})).value();
  static auto connection = std::move(database->Connect()).value();
  return connection.get();
}

struct Judged {
  Type type;
  std::string as_text;  // SQL over `v`, the value cast, that prints it as Parsed does
  std::string alphabet;
  std::vector<std::string> texts;
  // What we refuse although CAST takes it, and take although CAST refuses it, as number.h and time.h say.
  bool (*may_refuse)(const std::string& text);
  bool (*may_take)(const std::string& text);
};

bool HasAny(const std::string& text, std::string_view any) {
  return text.find_first_of(any) != std::string::npos;
}

// Answers of CAST, "null" where it fails.
std::vector<std::string> Cast(const Judged& judged, const std::vector<std::string>& texts) {
  std::string sql = "SELECT " + judged.as_text + " FROM (SELECT i, TRY_CAST(t AS " + judged.type.ToSql() +
                    ") AS v FROM (VALUES ";
  for (size_t i = 0; i < texts.size(); ++i) {
    sql += (i == 0 ? "(" : ",(") + std::to_string(i) + "," + QuoteText(texts[i]) + ")";
  }
  const auto rows = DuckDb()->Query(sql + ") AS all_texts(i, t)) ORDER BY i");
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  std::vector<std::string> out;
  if (rows.ok()) {
    for (const auto& row : rows->rows) out.push_back(row[0].StrOr("null"));
  }
  return out;
}

void Judge(const Judged& judged) {
  std::vector<std::string> texts = judged.texts;
  std::mt19937 random(11);
  for (int i = 0; i < 1500; ++i) {
    std::string text = judged.texts[random() % judged.texts.size()];
    for (unsigned edits = random() % 3; edits > 0; --edits) {
      const size_t at = random() % (text.size() + 1);
      const char c = judged.alphabet[random() % judged.alphabet.size()];
      if (random() % 3 == 0 || at == text.size())
        text.insert(at, 1, c);
      else if (random() % 2 == 0)
        text[at] = c;
      else
        text.erase(at, 1);
    }
    texts.push_back(text);
  }
  const std::vector<std::string> answers = Cast(judged, texts);
  ASSERT_EQ(answers.size(), texts.size());
  int good = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string ours = Parsed(judged.type, texts[i]);
    const bool is_refused = ours == "form" || ours == "range" || ours == "fraction";
    good += is_refused ? 0 : 1;
    if (is_refused && judged.may_refuse(texts[i])) continue;
    if (answers[i] == "null" && judged.may_take(texts[i])) continue;
    EXPECT_EQ(is_refused ? "null" : ours, answers[i]) << '"' << texts[i] << "\" as " << judged.type.ToSql();
  }
  EXPECT_GT(good, 150) << judged.type.ToSql();
}

#define QN_NEED_DUCKDB() \
  if (DuckDb() == nullptr) GTEST_SKIP() << "QANAT_DUCKDB is not set"

bool Any(const std::string&) { return true; }
bool None(const std::string&) { return false; }
bool HasBlank(const std::string& text) { return Trim(text) != text; }
bool HasExponent(const std::string& text) { return HasAny(text, "e"); }
bool OddNumber(const std::string& text) { return HasAny(text, "_xXbB"); }

TEST(TextAgainstDuckDb, Integers) {
  QN_NEED_DUCKDB();
  const std::vector<std::string> texts = {"0",
                                          "1",
                                          "-1",
                                          "127",
                                          "128",
                                          "-128",
                                          "-129",
                                          "255",
                                          "256",
                                          "32767",
                                          "-32768",
                                          "65535",
                                          "65536",
                                          "2147483647",
                                          "2147483648",
                                          "-2147483648",
                                          "4294967295",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "-9223372036854775808",
                                          "18446744073709551615",
                                          "007",
                                          "+5",
                                          " 5 ",
                                          "1e2",
                                          "1.0",
                                          "12.00"};
  for (const TypeId id :
       {TypeId::kTinyInt, TypeId::kSmallInt, TypeId::kInteger, TypeId::kBigInt, TypeId::kUTinyInt,
        TypeId::kUSmallInt, TypeId::kUInteger, TypeId::kUBigInt, TypeId::kHugeInt, TypeId::kUHugeInt}) {
    Judge({Type::Of(id), "v::VARCHAR", "0123456789-+. eE_", texts,
           [](const std::string& text) { return OddNumber(text) || HasAny(text, ".eE"); },
           [](const std::string& text) { return text[0] == '-' && HasAny(text, "."); }});
  }
}

TEST(TextAgainstDuckDb, Decimals) {
  QN_NEED_DUCKDB();
  const std::vector<std::string> texts = {
      "0",          "1",   "-1",     "12.34",          "-0.05", ".5",   "5.",    "99.995",
      "123456.785", "1e2", "1.5e-1", "12345678.12345", " 7.1 ", "+3.3", "0.005", "-0.005"};
  for (const Type& type :
       {Type::Decimal(4, 2), Type::Decimal(9, 3), Type::Decimal(18, 2), Type::Decimal(38, 10)}) {
    Judge({type,
           "CASE WHEN v = 0 THEN '0' ELSE (CASE WHEN v < 0 THEN '-' ELSE '' END) || "
           "ltrim(replace(replace(v::VARCHAR, "
           "'-', ''), '.', ''), '0') END",
           "0123456789-+. e", texts, HasExponent, HasExponent});
  }
}

TEST(TextAgainstDuckDb, Booleans) {
  QN_NEED_DUCKDB();
  Judge({Type::Of(TypeId::kBoolean),
         "v::VARCHAR",
         "truefalsyno01 TFYN",
         {"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "on", "off", "TRUE", "False", " true"},
         None,
         HasBlank});
}

TEST(TextAgainstDuckDb, Uuids) {
  QN_NEED_DUCKDB();
  Judge({Type::Of(TypeId::kUuid),
         "replace(v::VARCHAR, '-', '')",
         "0123456789abcdefABCDEF-{} g",
         {"717b35bc-d612-4bce-f7e4-3dd4fa1fbfe0", "717B35BCD6124BCEF7E43DD4FA1FBFE0",
          "{717b35bc-d612-4bce-f7e4-3dd4fa1fbfe0}"},
         Any,
         HasBlank});
}

TEST(TextAgainstDuckDb, DatesAndTimes) {
  QN_NEED_DUCKDB();
  Judge({Type::Of(TypeId::kDate),
         "(v - DATE '1970-01-01')::VARCHAR",
         "0123456789-/ ",
         {"1970-01-01", "2024-02-29", "2024-2-9", "2024/02/29", "0001-01-01", "9999-12-31", " 2024-01-01 "},
         Any,
         HasBlank});
  Judge({Type::Of(TypeId::kTime),
         "epoch_us(v)::VARCHAR",
         "0123456789:. ",
         {"00:00:00", "23:59:59.999999", "7:05", "12:34:56.123456789", "12:34:56.1"},
         Any,
         HasBlank});
  const std::vector<std::string> texts = {"1970-01-01T00:00:00.000Z",   "2024-02-29 23:59:59",
                                          "2024-02-29T23:59:59.123456", "2024-02-29 23:59:59.1234567+02:00",
                                          "1969-12-31T22:00:00-02",     "2024-02-29",
                                          "2024-02-29 12:30",           "1582-10-10 00:00:00+0530",
                                          "0001-01-01 00:00:00Z"};
  const std::string alphabet = "0123456789-/:.T Z+";
  Judge({Type::Of(TypeId::kTimestampTz), "epoch_us(v)::VARCHAR", alphabet, texts, Any, HasBlank});
  // Without offsets, which CAST drops here.
  const std::vector<std::string> local = {texts[0], texts[1], texts[2], texts[5], texts[6], texts[8]};
  Judge({Type::Of(TypeId::kTimestamp), "epoch_us(v)::VARCHAR", "0123456789/:.T Z", local, Any, HasBlank});
  Judge({Type::Of(TypeId::kTimestampNs), "epoch_ns(v)::VARCHAR", "0123456789/:.T Z", local, Any, HasBlank});
}

TEST(TextAgainstDuckDb, Doubles) {
  QN_NEED_DUCKDB();
  const std::vector<std::string> given = {
      "0",      "-0",     "1.5", "1e308", "1e309", "-1e309",
      "1e-400", "5e-324", "0.1", "nan",   "inf",   "-Infinity",
      ".5",     "5.",     "+1",  " 2 ",   "1e",    "123456789012345678901234567890"};
  std::vector<std::string> texts = given;
  std::mt19937_64 random(6);
  for (int i = 0; i < 3000; ++i) {
    char text[64];
    const double mantissa = static_cast<double>(random()) / 1e19;
    std::snprintf(text, sizeof(text), "%.*ge%d", static_cast<int>(random() % 20), mantissa,
                  static_cast<int>(random() % 700) - 350);
    texts.push_back(std::string(text).find('e') == std::string(text).rfind('e') ? text : "1");
  }
  // Bits, since text could hide the last one.
  const Judged judged{Type::Of(TypeId::kDouble), "v::VARCHAR", "", given, None, None};
  const std::vector<std::string> answers = Cast(judged, texts);
  ASSERT_EQ(answers.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    double ours = 0;
    if (ParseDouble(texts[i], &ours) != Fault::kNone) {
      EXPECT_TRUE(answers[i] == "null" || answers[i].ends_with("inf")) << texts[i] << " is " << answers[i];
      continue;
    }
    const double theirs = answers[i] == "null" ? 12345.678 : std::strtod(answers[i].c_str(), nullptr);
    if (std::isnan(ours) && std::isnan(theirs)) continue;
    EXPECT_EQ(ours, theirs) << texts[i] << " is " << answers[i];
  }
}

}  // namespace
}  // namespace qn::text
