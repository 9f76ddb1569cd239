// What Compile says about a statement, and how rules, views and recomputed statements come out.
#include "plan/test_world.h"

namespace qn::plan {
namespace {

using Names = std::vector<std::string>;

TEST(Compile, TellsColumnsReadsAndMode) {
  const Query query =
      World::Take(TheWorld().Compile("WITH q AS (SELECT * FROM shouting) SELECT q.sid, name, level::DOUBLE "
                                     "AS l FROM q JOIN Users USING (user_id);"));
  EXPECT_EQ(ColumnNames(query.columns), "sid, name, l");
  EXPECT_EQ(query.columns[2].type, Type::Of(TypeId::kDouble));
  EXPECT_EQ(query.reads, (Names{"shouting", "Users"}));
  EXPECT_EQ(query.inputs, (Names{"events", "users"}));
  EXPECT_EQ(query.streams, Names{"events"});
  EXPECT_EQ(query.mode, Mode::kStream);
  EXPECT_TRUE(query.is_stateless);
}

TEST(Compile, CallsAStatementOverBoundedInputsARecompute) {
  World& world = TheWorld();
  const Query query = World::Take(
      world.Compile("SELECT level, count(*) AS n, now() AS t FROM users GROUP BY ALL ORDER BY n"));
  EXPECT_EQ(query.mode, Mode::kRecompute);
  EXPECT_TRUE(query.streams.empty());
  const std::string fragment = World::Take(WriteFragment(query, {}));
  EXPECT_EQ(world.Number("SELECT sum(n)::BIGINT FROM (" + fragment + ")"), 11);
}

TEST(Compile, TakesStreamsWholeWhenAsked) {
  World& world = TheWorld();
  const Statement statement{
      "sums",
      "f.py:1",
      "SELECT label, count(*) AS n FROM shouting s JOIN levels l ON l.level = 1 GROUP BY ALL",
      {{"some", "n > 1", "f.py:2"}},
      true};
  const Query query = World::Take(world.compiler->Compile(statement));
  EXPECT_EQ(query.mode, Mode::kRecompute);
  EXPECT_FALSE(query.is_stateless);
  EXPECT_EQ(query.inputs, (Names{"events", "users"}));
  // The inputs lie elsewhere: views are looked through.
  world.Do("CREATE OR REPLACE TEMP TABLE elsewhere AS SELECT * FROM events WHERE sid < 100");
  FragmentOptions options;
  options.relation = [](const std::string& input) {
    return input == "events" ? "elsewhere" : QuoteName(input);
  };
  const std::string fragment = World::Take(WriteFragment(query, options));
  EXPECT_EQ(world.Number("SELECT sum(n)::BIGINT FROM (" + fragment + ")"),
            world.Number("SELECT count(*) FROM elsewhere WHERE qty > 0"));
  EXPECT_EQ(ColumnNames(World::Take(world.data->Describe(fragment))), "label, n, __qn_rule0");
  options.rules = false;
  EXPECT_EQ(ColumnNames(World::Take(world.data->Describe(World::Take(WriteFragment(query, options))))),
            "label, n");
}

TEST(Compile, ReadsFilesItselfOnlyWhenRecomputed) {
  World& world = TheWorld();
  const std::string path = FixturePath("statements.sql");
  const Query query = World::Take(
      world.Compile("SELECT size, level FROM read_text('" + path + "'), users", {{"r", "size > 0", ""}}));
  EXPECT_EQ(query.mode, Mode::kRecompute);
  EXPECT_EQ(query.tree, nullptr);
  EXPECT_EQ(query.inputs, Names{"users"});
  EXPECT_EQ(ColumnNames(query.columns), "size, level");
  EXPECT_EQ(
      world.Number("SELECT count(*) FROM (" + World::Take(WriteFragment(query, {})) + ") WHERE __qn_rule0"),
      11);
}

TEST(Compile, GivesOneColumnARule) {
  World& world = TheWorld();
  const std::string sql =
      "SELECT sid, price * 2 AS double_price, u.name FROM events LEFT JOIN users u USING (user_id)";
  const std::vector<Rule> rules = {{"has_price", "double_price IS NOT NULL", "f.py:1"},
                                   {"fair", "double_price < 100 -- not too much", "f.py:2"},
                                   {"known", "name IN (SELECT name FROM users WHERE level > 1)", "f.py:3"},
                                   {"qualified", "result.sid % 2 = 0", "f.py:4"}};
  const Query query = World::Take(world.Compile(sql, rules));
  EXPECT_EQ(ColumnNames(query.columns), "sid, double_price, name");
  EXPECT_EQ(query.rules, (Names{"has_price", "fair", "known", "qualified"}));
  FragmentOptions options;
  options.hidden = true;
  options.relation = [](const std::string& input) {
    return input == "events"
               ? "(SELECT *, NULL::BLOB AS __qn_raw, 1::UINTEGER AS __qn_file, sid AS __qn_line FROM events)"
               : QuoteName(input);
  };
  const std::string fragment = World::Take(WriteFragment(query, options));
  const Schema columns = World::Take(world.data->Describe(fragment));
  EXPECT_EQ(ColumnNames(columns),
            "sid, double_price, name, __qn_rule0, __qn_rule1, __qn_rule2, __qn_rule3, __qn_raw, __qn_file, "
            "__qn_line");
  for (size_t i = 3; i < 7; ++i) EXPECT_EQ(columns[i].type, Type::Of(TypeId::kBoolean));
  const std::string direct =
      "SELECT *, double_price IS NOT NULL AS a, double_price < 100 AS b, name IN (SELECT name FROM users "
      "WHERE level > 1) AS c, sid % 2 = 0 AS d FROM (" +
      sql + ")";
  EXPECT_EQ(world.Number("SELECT count(*) FROM (SELECT * EXCLUDE (__qn_raw, __qn_file, __qn_line) FROM (" +
                         fragment + ") EXCEPT ALL " + direct + ")"),
            0);
  EXPECT_EQ(
      world.Number("SELECT count(*) FROM (" + direct +
                   " EXCEPT ALL SELECT * EXCLUDE (__qn_raw, __qn_file, __qn_line) FROM (" + fragment + "))"),
      0);
  options.rules = false;
  EXPECT_EQ(ColumnNames(World::Take(world.data->Describe(World::Take(WriteFragment(query, options))))),
            "sid, double_price, name, __qn_raw, __qn_file, __qn_line");
}

TEST(Compile, AsksScansOnlyForTheColumnsItNeeds) {
  const Query query = World::Take(
      TheWorld().Compile("SELECT sid FROM (SELECT *, upper(url) AS u FROM events) WHERE qty > 1"));
  const std::string fragment = World::Take(WriteFragment(query, {}));
  EXPECT_EQ(fragment,
            "SELECT t0.\"sid\" AS \"sid\" FROM \"events\" AS t0 WHERE (t0.\"qty\" > CAST(1 AS INTEGER))");
}

TEST(Reads, NeedsNoDeclarations) {
  World& world = TheWorld();
  const Statement statement{
      "x",
      "f.py:1",
      "WITH a AS (SELECT * FROM later) SELECT * FROM a JOIN \"Other Table\" o ON a.x = o.x "
      "WHERE y IN (SELECT y FROM main.third) UNION ALL FROM later",
      {{"r", "z IN (SELECT z FROM fourth)", "f.py:2"}},
      false};
  EXPECT_EQ(World::Take(world.compiler->Reads(statement)),
            (Names{"later", "Other Table", "third", "fourth"}));
  EXPECT_EQ(world.compiler->Reads({"x", "f.py:1", "SELECT FROM", {}, false}).status().code(), "QN-1206");
}

TEST(Declare, ReplacesAndKeepsTypes) {
  World& world = TheWorld();
  auto compiler = World::Take(Compiler::Open(*world.scratch));
  Type place = Type::Of(TypeId::kStruct);
  place.children = {{"a b", Type::ListOf(Type::Of(TypeId::kDate)), true, ""},
                    {"x", Type::Of(TypeId::kJson), true, ""}};
  Input input{"some \"thing\"",
              {{"odd name", Type::Decimal(20, 3), true, ""}, {"place", place, true, ""}},
              Input::Kind::kStream};
  World::Check(compiler->Declare(input));
  const Query query = World::Take(compiler->Compile(
      {"d", "f.py:1", "SELECT place AS p, \"odd name\" AS n FROM \"some \"\"thing\"\"\"", {}, false}));
  EXPECT_EQ(query.columns[0].type, place);
  EXPECT_EQ(query.columns[1].type, Type::Decimal(20, 3));
  input.columns = {{"n", Type::Of(TypeId::kDate), true, ""}};
  World::Check(compiler->Declare(input));
  EXPECT_EQ(World::Take(compiler->Compile({"d", "f.py:1", "SELECT n FROM \"some \"\"thing\"\"\"", {}, false}))
                .columns[0]
                .type,
            Type::Of(TypeId::kDate));
  EXPECT_EQ(compiler->Declare({"empty", {}, Input::Kind::kStream}).code(), "QN-1207");
  World::Take(world.scratch->Query("DROP TABLE \"some \"\"thing\"\"\""));
}

TEST(DeclareView, MayNeedMemoryItself) {
  World world;  // of its own: the view would be in other tests' messages
  const Query view = World::Take(world.compiler->DeclareView(
      {"per_user", "f.py:1", "SELECT user_id, count(*) AS n, now() AS t FROM events GROUP BY 1", {}, false}));
  EXPECT_FALSE(view.is_stateless);
  const Statement statement{"top", "f.py:2", "SELECT * FROM per_user WHERE n > 3", {}, false};
  EXPECT_EQ(world.compiler->Compile(statement).status().code(), "QN-1210");
  Statement whole = statement;
  whole.takes_all = true;
  EXPECT_EQ(World::Take(world.compiler->Compile(whole)).mode, Mode::kRecompute);
  World::Take(world.compiler->DeclareView(
      {"per_user", "f.py:1", "SELECT user_id, ts < now() - INTERVAL 1 DAY AS old FROM events", {}, false}));
  EXPECT_EQ(world.compiler->Compile({"top", "f.py:2", "SELECT * FROM per_user", {}, false}).status().code(),
            "QN-1215");
}

// A statement carries the views that it goes through: those beside it name inputs that it does not have.
TEST(DeclareView, GoesOnlyWithStatementsThatReadIt) {
  World world;
  World::Take(world.compiler->DeclareView({"first", "f.py:1", "SELECT * FROM events", {}, false}));
  World::Take(world.compiler->DeclareView({"beside", "f.py:2", "SELECT * FROM users", {}, false}));
  World::Take(world.compiler->DeclareView({"second", "f.py:3", "SELECT * FROM FIRST", {}, false}));
  Statement statement{"total", "f.py:4", "SELECT count(*) AS n FROM second", {}, true};
  using Views = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(World::Take(world.compiler->Compile(statement)).views,
            (Views{{"first", "SELECT * FROM events"}, {"second", "SELECT * FROM FIRST"}}));
  statement.sql = "SELECT count(*) AS n FROM events";
  EXPECT_EQ(World::Take(world.compiler->Compile(statement)).views, Views{});
}

// Deep and wide statements come through or are refused; they do not end the process.
TEST(Compile, StandsDeepAndWideStatements) {
  World& world = TheWorld();
  std::string sum = "qty";
  std::string nested = "SELECT sid, qty FROM events";
  for (int i = 0; i < 100; ++i) {
    sum = "(" + sum + " + " + std::to_string(i) + ")";
    nested = "SELECT sid, qty + 1 AS qty FROM (" + nested + ")";
  }
  for (const std::string& sql : {"SELECT sid, " + sum + " AS x FROM events", nested}) {
    const Query query = World::Take(world.Compile(sql));
    const std::string fragment = World::Take(WriteFragment(query, {}));
    EXPECT_EQ(world.Number("SELECT count(*) FROM (" + fragment + " EXCEPT ALL " + sql + ")"), 0);
  }
  for (int i = 0; i < 2000; ++i) sum = "(" + sum + " + 1)";
  const Result<Query> deep = world.Compile("SELECT sid, " + sum + " AS x FROM events");
  EXPECT_EQ(deep.status().text(),
            "DuckDB cannot compile dataset 'result': Max expression depth limit of 1000 exceeded. Use "
            "\"SET max_expression_depth TO x\" to increase the maximum expression depth.");
  std::string wide = "SELECT sid";
  for (int i = 0; i < 500; ++i) wide += ", qty + " + std::to_string(i) + " AS c" + std::to_string(i);
  EXPECT_EQ(World::Take(world.Compile(wide + " FROM events")).columns.size(), 501U);
}

}  // namespace
}  // namespace qn::plan
