// A pattern gives what DuckDB's RE2 gives, or refuses.
#include "ops/pattern.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "duck/database.h"

namespace qn::ops {
namespace {

const std::vector<std::string>& Taken() {
  static const std::vector<std::string> kTaken = {
      "^https?://([^/]+)",
      "^https?://[^/]+([^?#]*)",
      "https?://[A-Za-z0-9.-]+/\\S*",
      "a",
      "^a",
      "a$",
      "^a$",
      "a+b",
      "[a-c]+d?",
      "(\\d+)-(\\d+)",
      "^\\s*(\\w+)",
      "[^a]",
      ".",
      "^.$",
      "x*",
      "",
      "é",
      "\\.com",
      "^(?:a)(b+)",
      "[]a]+",
      "[a-]+",
      "/+$",
      "^[^@]+@([^@]+)$",
      "a?b?c?",
      "[^\\d]x",
  };
  return kTaken;
}

TEST(Pattern, RefusesWhatItCannotMatchInOnePass) {
  for (const char* expression :
       {"a|b", "(a)*", "a*?", "a{2}", "a*a", ".*x", "[[:alpha:]]", "\\bx", "(?i)a", "a++", "(",
        ")",   "[a",   "\\",  "é*",   "[é]", "a?a", "\\pL",        "^*",   "a**",   "x$y", "()a"}) {
    EXPECT_FALSE(Pattern::Compile(expression, Pattern::Where::kAnywhere, 0).has_value()) << expression;
  }
  EXPECT_FALSE(Pattern::Compile("a", Pattern::Where::kAnywhere, 1).has_value());
  EXPECT_FALSE(Pattern::Compile("^[^/]+([^?#]*)$", Pattern::Where::kAnywhere, 1).has_value());
}

std::vector<std::string> Texts() {
  std::vector<std::string> texts = {"",
                                    "a",
                                    "b",
                                    "aab",
                                    "http://x/y?z#w",
                                    "https://shop.example.com/a/b?c=d",
                                    "ftp://x",
                                    "https://",
                                    "http:///p",
                                    "12-345",
                                    " é x",
                                    "日本/é",
                                    "a\nb",
                                    "x\n",
                                    "me@example.org",
                                    "a@b@c",
                                    "//",
                                    "aé",
                                    "éa",
                                    "\xF0\x9F\x98\x80x"};
  std::mt19937 random(7);
  const std::string alphabet = "abcdx/:.?#@- \n10s";
  for (int i = 0; i < 3000; ++i) {
    std::string text = i % 3 == 0 ? "http" : "";
    const size_t size = random() % 12;
    for (size_t c = 0; c < size; ++c) {
      if (random() % 15 == 0) {
        text += "é";
      } else {
        text += alphabet[random() % alphabet.size()];
      }
    }
    texts.push_back(text);
  }
  return texts;
}

TEST(Pattern, GivesWhatDuckDbGives) {
  const char* library = std::getenv("QANAT_DUCKDB");
  auto api = duck::LoadApi(library != nullptr ? library : "");
  ASSERT_TRUE(api.ok()) << api.status().ToString();
  auto database = std::move(duck::Database::Open(*api, {})).value();
  auto connection = std::move(database->Connect()).value();
  const std::vector<std::string> texts = Texts();
  std::string values;
  for (size_t i = 0; i < texts.size(); ++i) {
    values += (i > 0 ? ", (" : "(") + std::to_string(i) + ", " + QuoteText(texts[i]) + ")";
  }
  ASSERT_TRUE(connection->Query("CREATE TABLE t AS SELECT * FROM (VALUES " + values + ") v(i, s)").ok());
  for (const std::string& expression : Taken()) {
    const int groups = static_cast<int>(std::count(expression.begin(), expression.end(), '(')) -
                       (expression.find("(?:") != std::string::npos ? 1 : 0);
    for (int group = 0; group <= groups; ++group) {
      const auto extract = Pattern::Compile(expression, Pattern::Where::kAnywhere, group);
      ASSERT_TRUE(extract.has_value()) << expression << " group " << group;
      const auto whole = Pattern::Compile(expression, Pattern::Where::kWhole, 0);
      const std::string p = QuoteText(expression);
      auto rows = connection->Query("SELECT regexp_matches(s, " + p + "), regexp_full_match(s, " + p +
                                    "), regexp_extract(s, " + p + ", " + std::to_string(group) +
                                    ") FROM t ORDER BY i");
      ASSERT_TRUE(rows.ok()) << rows.status().ToString();
      for (size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(extract->Matches(texts[i]), rows->rows[i][0].Bool()) << expression << " in " << texts[i];
        if (whole.has_value()) {
          EXPECT_EQ(whole->Matches(texts[i]), rows->rows[i][1].Bool()) << expression << " is " << texts[i];
        }
        EXPECT_EQ(extract->Extract(texts[i]), rows->rows[i][2].Str()) << expression << " from " << texts[i];
      }
    }
  }
}

}  // namespace
}  // namespace qn::ops
