// The tables that core/plan's tests compile against: a database with rows, and a scratch one with stubs.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "plan/compile.h"

namespace qn {
extern const char* const kSourceFolder;  // the checkout; the build makes the file that says it
}

namespace qn::plan {

inline std::unique_ptr<duck::Database> OpenDuck() {
  const char* library = std::getenv("QANAT_DUCKDB");
  auto api = duck::LoadApi(library != nullptr ? library : "");
  QN_CHECK(api.ok());
  duck::Options options;
  options.threads = 2;
  auto database = duck::Database::Open(*api, options);
  QN_CHECK(database.ok());
  return std::move(database).value();
}

struct TestTable {
  const char* name;
  Input::Kind kind;
  const char* create;  // SELECT that gives rows; `i` is the row number
  int rows;
};

// r(k, n): a number below n that depends on the row and k only; about one value in seven is NULL with v().
inline constexpr const char* kMacros = R"(
CREATE OR REPLACE MACRO r(i, k, n) AS (hash(i * 1000003 + k * 7919) % n)::INTEGER;
CREATE OR REPLACE MACRO v(i, k, x) AS CASE WHEN hash(i * 31337 + k * 104729) % 7 = 0 THEN NULL ELSE x END;
)";

inline const std::vector<TestTable>& TestTables() {
  static const std::vector<TestTable> tables = {
      {"events", Input::Kind::kStream, R"(SELECT i AS sid, v(i, 1, r(i, 1, 12))::BIGINT AS user_id,
          v(i, 2, TIMESTAMP '2024-01-01' + to_minutes(r(i, 2, 200000))) AS ts,
          v(i, 3, ['https://shop.org/a/1', 'http://blog.net/x?100%', 'https://de.shop.org/9', '', 'ftp', '42'][r(i, 3, 6) + 1]) AS url,
          v(i, 4, ['de', 'fr', 'DE', 'it', 'e'][r(i, 4, 5) + 1]) AS country,
          v(i, 5, (r(i, 5, 10000) / 100)::DECIMAL(10,2)) AS price, v(i, 6, r(i, 6, 8)) AS qty,
          v(i, 7, CASE r(i, 7, 9) WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN 'infinity'::DOUBLE ELSE r(i, 8, 1000) / 7.0 END) AS score,
          v(i, 9, [['red', 'blue'], [], ['red', NULL, 'green', 'red'], ['x']][r(i, 9, 4) + 1]) AS tags,
          v(i, 10, {'lat': r(i, 10, 3)::DOUBLE, 'lon': r(i, 11, 3)::DOUBLE, 'city': v(i, 12, ['Berlin', 'Paris'][r(i, 12, 2) + 1])}) AS place,
          v(i, 13, MAP {'lang': ['de', 'en'][r(i, 13, 2) + 1], 'os': 'linux'}) AS attrs,
          v(i, 14, ['{"name": "a", "n": 5, "deep": {"x": [1]}}', '{"n": "7", "list": [1, 2]}', '[1]', 'null'][r(i, 14, 4) + 1])::JSON AS payload,
          v(i, 15, (lpad(r(i, 15, 1000)::VARCHAR, 8, '0') || '-e29b-41d4-a716-446655440000')::UUID) AS id,
          v(i, 16, ['\x00\xFF'::BLOB, 'abc'::BLOB, ''::BLOB][r(i, 16, 3) + 1]) AS raw,
          v(i, 17, DATE '2023-12-25' + r(i, 17, 90)) AS day, v(i, 18, r(i, 18, 2) = 1) AS ok,
          v(i, 19, TIMESTAMPTZ '2024-01-31 12:00:00+00' + to_hours(r(i, 19, 100))) AS tz,
          v(i, 20, TIME '00:00:00' + to_minutes(r(i, 20, 1440))) AS tm, v(i, 21, r(i, 21, 120) - 10)::SMALLINT AS small,
          v(i, 22, r(i, 22, 1000))::HUGEINT AS big, v(i, 23, [[1, 2, 3], [NULL, 4], [], [2]][r(i, 23, 4) + 1]) AS nums,
          v(i, 24, r(i, 24, 100) / 3)::FLOAT AS f, v(i, 25, ['a', 'b', 'c'][r(i, 25, 3) + 1])::ENUM('a', 'b', 'c') AS kind,
          v(i, 26, r(i, 26, 100))::UBIGINT AS u)",
       3000},
      {"orders", Input::Kind::kStream, R"(SELECT i AS sid, v(i, 31, r(i, 31, 12))::BIGINT AS user_id,
          v(i, 32, (r(i, 32, 5000) / 10)::DECIMAL(12,2)) AS amount, v(i, 33, TIMESTAMP '2024-02-01' + to_hours(r(i, 33, 99))) AS placed,
          v(i, 34, ['EUR', 'USD'][r(i, 34, 2) + 1]) AS currency, v(i, 35, 'note ' || i) AS note)",
       500},
      {"users", Input::Kind::kBounded,
       R"(SELECT (CASE WHEN i < 9 THEN i WHEN i = 9 THEN 3 END)::BIGINT AS user_id, 'user ' || i AS name,
          v(i, 42, ['de', 'fr', 'it'][r(i, 42, 3) + 1]) AS country, DATE '1990-01-01' + r(i, 43, 9000) AS born,
          v(i, 44, r(i, 44, 5)) AS level)",
       11},
      {"countries", Input::Kind::kBounded,
       R"(SELECT ['de', 'fr', 'it'][i + 1] AS code, ['Germany', 'France', 'Italy'][i + 1] AS title,
          (i * 20)::DOUBLE AS rate)",
       3},
      {"prices", Input::Kind::kBounded,
       R"(SELECT ['de', 'fr'][i % 2 + 1] AS currency, TIMESTAMP '2024-01-05' + to_days((i * 9)::INTEGER) AS since,
          (1 + i / 8)::DECIMAL(10,4) AS rate)",
       12}};
  return tables;
}

inline constexpr const char* kShouting =
    "SELECT sid, user_id, upper(country) AS label FROM events WHERE qty > 0";
inline constexpr const char* kLevels = "SELECT DISTINCT level, 'L' || level AS level_name FROM users";

// Both databases, with the same tables and views.
class World {
 public:
  World() : data_database_(OpenDuck()), scratch_database_(OpenDuck()) {
    data = Take(data_database_->Connect());
    scratch = Take(scratch_database_->Connect());
    Do("SET TimeZone = 'UTC'");
    Do(kMacros);
    compiler = Take(Compiler::Open(*scratch));
    for (const TestTable& table : TestTables()) {
      Do("CREATE TABLE " + std::string(table.name) + " AS " + table.create + " FROM range(" +
         std::to_string(table.rows) + ") AS t(i)");
      Input input{table.name, Take(data->Describe("SELECT * FROM " + std::string(table.name))), table.kind};
      Check(compiler->Declare(input));
    }
    for (const auto& [name, sql] : {std::pair{"shouting", kShouting}, std::pair{"levels", kLevels}}) {
      Do("CREATE VIEW " + std::string(name) + " AS " + sql);
      Take(compiler->DeclareView({name, "flows/shop.py:3", sql, {}, false}));
    }
  }

  Result<Query> Compile(const std::string& sql, std::vector<Rule> rules = {}) {
    return compiler->Compile({"result", "flows/shop.py:31", sql, std::move(rules), false});
  }

  void Do(const std::string& sql) { Take(data->Query(sql)); }
  int64_t Number(const std::string& sql) { return Take(data->Query(sql)).rows[0][0].Int(-1); }

  template <typename T>
  static T Take(Result<T> result) {
    if (!result.ok()) ADD_FAILURE() << result.status().ToString();
    QN_CHECK(result.ok());
    return std::move(result).value();
  }
  static void Check(const Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

 private:
  std::unique_ptr<duck::Database> data_database_;
  std::unique_ptr<duck::Database> scratch_database_;

 public:
  std::unique_ptr<duck::Connection> data;
  std::unique_ptr<duck::Connection> scratch;
  std::unique_ptr<Compiler> compiler;
};

// One world for all tests of the program: opening it takes a while.
inline World& TheWorld() {
  static auto* world = new World();
  return *world;
}

inline std::string FixturePath(const std::string& name) {
  return std::string(kSourceFolder) + "/tests/fixtures/plans/" + name;
}

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Statements of a file, divided by empty lines; comments in the first line of the file's first one are
// dropped.
inline std::vector<std::string> Statements(const std::string& file) {
  std::vector<std::string> out;
  std::istringstream lines(ReadFile(FixturePath(file)));
  std::string statement;
  std::string line;
  const auto end = [&] {
    if (!statement.empty()) out.push_back(statement);
    statement.clear();
  };
  while (std::getline(lines, line)) {
    if (line.empty()) {
      end();
    } else if (!statement.empty() || line.rfind("--", 0) != 0) {
      statement += line + "\n";
    }
  }
  end();
  return out;
}

}  // namespace qn::plan
