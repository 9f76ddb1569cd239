// Which operators know a row's window, for statements whose windows can end and for such whose cannot.
#include "plan/windows.h"

#include "plan/test_world.h"

namespace qn::plan {
namespace {

// "op.key op.key | leaf.input.column …"; empty: the windows of column `column` cannot end.
std::string PathOf(const std::string& sql, size_t column = 0) {
  const std::unique_ptr<duck::Database> database = OpenDuck();
  const std::unique_ptr<duck::Connection> connection = World::Take(database->Connect());
  const std::unique_ptr<Compiler> compiler = World::Take(Compiler::Open(*connection));
  World::Check(compiler->Declare(
      {"ev",
       World::Take(connection->Describe("SELECT 1 AS id, 'c' AS c, TIMESTAMP '2024-01-01' AS ts, 2 AS p")),
       Input::Kind::kStream}));
  const Query query = World::Take(compiler->Compile({"v", "flow.py:1", sql, {}, true}));
  CircuitOptions options;
  options.is_stream = [](const std::string&) { return true; };
  options.is_weighted = [](const std::string&) { return false; };
  const Circuit circuit = World::Take(PlanCircuit(*query.tree, options));
  const std::optional<WindowPath> path = WindowPathOf(circuit, column);
  std::string text;
  if (!path.has_value()) return text;
  for (const WindowPath::Key& key : path->keys) {
    text += std::to_string(key.op) + "." + std::to_string(key.column) + " ";
  }
  text += "|";
  for (const WindowPath::Leaf& leaf : path->leaves) {
    text +=
        " " + std::to_string(leaf.op) + "." + std::to_string(leaf.input) + "." + std::to_string(leaf.column);
  }
  return text;
}

constexpr const char* kMinute = "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, ";

TEST(WindowPath, GoesThroughEverythingThatRemembers) {
  const std::string minute = kMinute;
  EXPECT_EQ(PathOf(minute + "count(*) AS n FROM ev GROUP BY minute"), "0.0 | 0.0.0");
  EXPECT_EQ(PathOf("SELECT c, time_bucket(INTERVAL 1 MINUTE, ts) AS m, sum(p) AS s FROM ev GROUP BY ALL", 1),
            "0.1 | 0.0.1");
  EXPECT_EQ(PathOf(minute + "count(*) AS n, count(DISTINCT p) AS k FROM ev GROUP BY minute"),
            "3.0 0.0 2.0 1.0 | 0.0.0 1.0.0");
  EXPECT_EQ(PathOf("SELECT DISTINCT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, c FROM ev"), "0.0 | 0.0.0");
}

TEST(WindowPath, IsNoneWhereSomethingIsRememberedBeyondTheWindow) {
  const std::string minute = kMinute;
  EXPECT_EQ(PathOf("SELECT ts AS minute, p FROM ev"), "");
  EXPECT_EQ(
      PathOf(minute + "count(*) AS n FROM (SELECT c, max(ts) AS ts FROM ev GROUP BY c) GROUP BY minute"), "");
  EXPECT_EQ(PathOf(minute + "median(p) AS m FROM ev GROUP BY minute"), "");
  EXPECT_EQ(PathOf(minute + "count(*) AS n FROM ev GROUP BY minute", 1), "");
}

}  // namespace
}  // namespace qn::plan
