// The end of a statement and the line around a position.
#include "plan/sql_text.h"

#include <gtest/gtest.h>

namespace qn::plan {
namespace {

TEST(TrimSql, LeavesOutWhatSaysNothingAtTheEnd) {
  EXPECT_EQ(TrimSql("SELECT 1"), "SELECT 1");
  EXPECT_EQ(TrimSql("SELECT 1 ; \n;"), "SELECT 1");
  EXPECT_EQ(TrimSql("SELECT 1 -- all; of it\n"), "SELECT 1");
  EXPECT_EQ(TrimSql("SELECT 1 /* a /* b */ c */ ;"), "SELECT 1");
  EXPECT_EQ(TrimSql("SELECT 1 /* open"), "SELECT 1");
  EXPECT_EQ(TrimSql("-- nothing\n;"), "");
  EXPECT_EQ(TrimSql(""), "");
}

TEST(TrimSql, LooksThroughQuotes) {
  EXPECT_EQ(TrimSql("SELECT '; -- x'"), "SELECT '; -- x'");
  EXPECT_EQ(TrimSql("SELECT 'it''s; ' ;"), "SELECT 'it''s; '");
  EXPECT_EQ(TrimSql("SELECT \"a;--\" ;"), "SELECT \"a;--\"");
  EXPECT_EQ(TrimSql("SELECT $$;--$$ ;"), "SELECT $$;--$$");
  EXPECT_EQ(TrimSql("SELECT $t$ $$; $t$;"), "SELECT $t$ $$; $t$");
  EXPECT_EQ(TrimSql("SELECT E'\\'; ';"), "SELECT E'\\'; '");
  EXPECT_EQ(TrimSql("SELECT $1;"), "SELECT $1");
  EXPECT_EQ(TrimSql("SELECT 'open;"), "SELECT 'open;");
}

TEST(LineAt, FindsTheLine) {
  const SqlLine line = LineAt("SELECT a\n  FRM b\nWHERE c", 11);
  EXPECT_EQ(line.number, 2U);
  EXPECT_EQ(line.count, 3U);
  EXPECT_EQ(line.text, "FRM b");
  EXPECT_EQ(line.column, 0U);
}

TEST(LineAt, StandsAtTheEnds) {
  EXPECT_EQ(LineAt("", 0).text, "");
  EXPECT_EQ(LineAt("SELECT", 99).column, 6U);
  EXPECT_EQ(LineAt("a\n", 2).number, 2U);
}

TEST(LineAt, CutsLongLinesAroundThePosition) {
  const std::string sql = "SELECT " + std::string(500, 'x') + " FRM " + std::string(500, 'y');
  const SqlLine line = LineAt(sql, 508);
  EXPECT_LE(line.text.size(), 100U);
  EXPECT_EQ(line.text.substr(line.column, 3), "FRM");
}

TEST(LineAt, CountsCharactersNotBytes) {
  const std::string sql = "SELECT 'üü' FRM";
  const SqlLine line = LineAt(sql, sql.find("FRM"));
  EXPECT_EQ(line.column, 12U);
}

}  // namespace
}  // namespace qn::plan
