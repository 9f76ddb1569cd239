// The law of the circuit: whatever the steps, what it gave so far equals DuckDB's answer over all rows. Runs
// circuits with DuckDB for the fragments and with naive operators: every one keeps all that came in a table
// and answers anew in each step.
#include <random>

#include "plan/circuit.h"
#include "plan/test_world.h"

namespace qn::plan {
namespace {

constexpr int kSteps = 6;

struct LawTable {
  const char* name;
  bool is_stream;
  const char* create;
  int rows;
};

const std::vector<LawTable>& LawTables() {
  static const std::vector<LawTable> tables = {
      {"t", true,
       R"(SELECT i AS id, v(i, 1, r(i, 1, 6)) AS k, v(i, 2, ['a', 'b', 'A', ''][r(i, 2, 4) + 1]) AS g,
          v(i, 3, r(i, 3, 20) - 8) AS x, v(i, 4, (r(i, 4, 900) / 7)::DECIMAL(10,2)) AS d,
          v(i, 5, r(i, 5, 50) / 4.0)::DOUBLE AS f, v(i, 6, TIMESTAMP '2024-01-01' + to_minutes(r(i, 6, 600))) AS ts,
          v(i, 7, [[1, 2], [], [3, NULL], [2]][r(i, 7, 4) + 1]) AS l, v(i, 8, r(i, 8, 2) = 1) AS ok)",
       60},
      {"u", true, R"(SELECT v(i, 21, r(i, 21, 3)) AS k, v(i, 22, ['a', 'b'][r(i, 22, 2) + 1]) AS g)", 30},
      {"s", true,
       R"(SELECT i AS id, v(i, 31, r(i, 31, 7)) AS k, v(i, 32, ['a', 'b', 'c'][r(i, 32, 3) + 1]) AS g,
          v(i, 33, r(i, 33, 12) - 5) AS y, v(i, 34, TIMESTAMP '2024-01-01' + to_minutes(r(i, 34, 600))) AS ts)",
       40},
      {"b", false,
       R"(SELECT v(i, 41, (i % 8)::INTEGER) AS k, ['a', 'b', 'c', NULL][r(i, 42, 4) + 1] AS g, 'n' || i AS name)",
       9}};
  return tables;
}

class LawWorld {
 public:
  LawWorld() : data_database_(OpenDuck()), scratch_database_(OpenDuck()) {
    data = World::Take(data_database_->Connect());
    scratch = World::Take(scratch_database_->Connect());
    Do("SET threads = 1");
    Do(kMacros);
    compiler = World::Take(Compiler::Open(*scratch));
    for (const LawTable& table : LawTables()) {
      const std::string name = table.name;
      const std::string rows =
          std::string(table.create) + " FROM range(" + std::to_string(table.rows) + ") AS r(i)";
      Do("CREATE TABLE " + name + " AS " + rows);
      World::Check(compiler->Declare({name, World::Take(data->Describe("FROM " + name)),
                                      table.is_stream ? Input::Kind::kStream : Input::Kind::kBounded}));
      // Each row comes in one step, some go in a later one, or in the same.
      if (table.is_stream) {
        Do("CREATE TABLE all_" + name + " AS SELECT *, hash(rowid * 77 + 5) % " + std::to_string(kSteps - 1) +
           " AS comes, CASE WHEN hash(rowid * 13 + 1) % 5 < 2 THEN comes + hash(rowid * 3) % 3 ELSE 99 END "
           "AS goes FROM " +
           name);
      }
    }
  }

  void Do(const std::string& sql) {
    const Result<duck::Rows> rows = data->Query(sql);
    if (!rows.ok()) ADD_FAILURE() << sql << "\n" << rows.status().ToString();
    failed = failed || !rows.ok();
  }

  std::string Columns(const std::string& table) { return "SELECT * EXCLUDE (comes, goes) FROM all_" + table; }

  // What changes in a step, and what there is after it.
  void Enter(int step, bool is_weighted) {
    for (const LawTable& table : LawTables()) {
      if (!table.is_stream) continue;
      const std::string name = table.name;
      const std::string at = std::to_string(step);
      std::string delta = "SELECT * EXCLUDE (comes, goes)" +
                          std::string(is_weighted ? ", 1::BIGINT AS __qn_weight" : "") + " FROM all_" + name +
                          " WHERE comes = " + at;
      std::string whole = "SELECT * EXCLUDE (comes, goes) FROM all_" + name + " WHERE comes <= " + at;
      if (is_weighted) {
        delta += " UNION ALL SELECT * EXCLUDE (comes, goes), -1 FROM all_" + name + " WHERE goes = " + at;
        whole += " AND goes > " + at;
      }
      Do("CREATE OR REPLACE TEMP TABLE delta_" + name + " AS " + delta);
      Do("CREATE OR REPLACE TABLE " + name + " AS " + whole);
    }
  }

  std::unique_ptr<duck::Database> data_database_;
  std::unique_ptr<duck::Database> scratch_database_;
  std::unique_ptr<duck::Connection> data;
  std::unique_ptr<duck::Connection> scratch;
  std::unique_ptr<Compiler> compiler;
  bool failed = false;
};

std::string List(size_t count, const std::string& prefix = "c", size_t from = 0) {
  std::string out;
  for (size_t i = from; i < count; ++i) out += (i == from ? "" : ", ") + prefix + std::to_string(i);
  return out;
}

std::string And(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + ", " + b;
}

// One circuit at work.
class Executor {
 public:
  Executor(LawWorld& world, const Circuit& circuit, bool is_weighted) : world_(world), circuit_(circuit) {
    for (size_t i = 0; i < circuit.ops.size(); ++i) {
      const CircuitOp& op = circuit.ops[i];
      for (size_t j = 0; j < op.inputs.size(); ++j) {
        Create("all_" + Id(i, j), op.inputs[j].columns);
        Create("in_" + Id(i, j), op.inputs[j].columns);
      }
      Schema answer = op.columns;
      if (op.kind == CircuitOp::Kind::kRecompute && !op.inputs.empty()) {
        const Schema& keys = op.inputs[0].columns;
        answer.insert(answer.begin(), keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(op.key_count));
      }
      Create("ans_" + std::to_string(i), answer);
      Create("new_" + std::to_string(i), answer);
      Schema out = op.columns;
      world_.Do("CREATE OR REPLACE TEMP TABLE out_" + std::to_string(i) + " (" + Declare(out, true) +
                ", __qn_weight BIGINT)");
    }
    Create("result", circuit.output.columns);
    (void)is_weighted;
  }

  void Step() {
    for (size_t i = 0; i < circuit_.ops.size() && !world_.failed; ++i) RunOp(i);
    const std::string columns = List(circuit_.output.columns.size());
    const std::string sql = World::Take(circuit_.output.Sql(Relation()));
    world_.Do("INSERT INTO result SELECT " + columns + ", " +
              (circuit_.output.is_weighted ? "__qn_weight" : "1") + " FROM (" + sql + ") AS q");
    is_first_ = false;
  }

 private:
  static std::string Id(size_t op, size_t input) { return std::to_string(op) + "_" + std::to_string(input); }

  static std::string Declare(const Schema& columns, bool by_name) {
    std::string out;
    for (size_t i = 0; i < columns.size(); ++i) {
      out += (i > 0 ? ", " : "") + (by_name ? QuoteName(columns[i].name) : "c" + std::to_string(i)) + " " +
             columns[i].type.ToSql();
    }
    return out;
  }

  void Create(const std::string& table, const Schema& columns) {
    world_.Do("CREATE OR REPLACE TEMP TABLE " + table + " (" + And(Declare(columns, false), "w BIGINT") +
              ")");
  }

  Relations Relation() const {
    return {[this](const std::string& name) -> std::string {
      if (name[0] != '#') {
        for (const CircuitInput& input : circuit_.inputs) {
          if (input.name != name) continue;
          if (!input.is_once) return "delta_" + name;
          return is_first_ ? name : "(SELECT * FROM " + name + " WHERE false)";
        }
        return name;
      }
      std::string table = "out_" + name.substr(1);
      if (circuit_.ops[std::stoul(name.substr(1))].is_weighted) return table;
      return "(SELECT " + table + ".* EXCLUDE (__qn_weight) FROM " + table + ", range(__qn_weight))";
    }};
  }

  void RunOp(size_t i) {
    const CircuitOp& op = circuit_.ops[i];
    for (size_t j = 0; j < op.inputs.size(); ++j) {
      const Fragment& input = op.inputs[j];
      const std::string sql = World::Take(input.Sql(Relation()));
      world_.Do("DELETE FROM in_" + Id(i, j));
      world_.Do("INSERT INTO in_" + Id(i, j) + " SELECT " +
                And(List(input.columns.size()), input.is_weighted ? "__qn_weight" : "1") + " FROM (" + sql +
                ") AS q");
      world_.Do("INSERT INTO all_" + Id(i, j) + " FROM in_" + Id(i, j));
    }
    const std::string id = std::to_string(i);
    world_.Do("DELETE FROM new_" + id);
    const size_t keys = op.kind == CircuitOp::Kind::kRecompute ? op.key_count : 0;
    const size_t width = keys + op.columns.size();
    world_.Do("INSERT INTO new_" + id + " " + Answer(op, i));
    // What differs from the last answer; of a recompute only under the keys that changed.
    world_.Do("DELETE FROM out_" + id);
    std::string old = "SELECT * FROM ans_" + id;
    if (op.kind == CircuitOp::Kind::kRecompute) old += " AS a WHERE " + Changed(op, i, "a");
    world_.Do("CREATE OR REPLACE TEMP TABLE diff AS SELECT " + List(width) +
              ", CAST(sum(w) AS BIGINT) AS w FROM (SELECT * FROM new_" + id + " UNION ALL SELECT " +
              List(width) + ", -w FROM (" + old + ")) GROUP BY ALL HAVING sum(w) <> 0");
    world_.Do("INSERT INTO out_" + id + " SELECT " + List(width, "c", keys) + ", w FROM diff");
    world_.Do("CREATE OR REPLACE TEMP TABLE ans_" + id + " AS SELECT " + List(width) +
              ", CAST(sum(w) AS BIGINT) AS w FROM (FROM ans_" + id +
              " UNION ALL FROM diff) GROUP BY ALL HAVING sum(w) <> 0");
    if (!op.is_weighted &&
        World::Take(world_.data->Query("SELECT count(*) FROM diff WHERE w < 0")).rows[0][0].Int() > 0) {
      ADD_FAILURE() << "#" << i << " takes rows back although it is not weighted";
      world_.failed = true;
    }
  }

  // A row's key stands under those that changed.
  static std::string Changed(const CircuitOp& op, size_t i, const std::string& alias) {
    if (op.key_count == 0 || op.inputs.empty()) return "true";
    std::string out;
    for (size_t j = 0; j < op.inputs.size(); ++j) {
      std::string same;
      for (size_t k = 0; k < op.key_count; ++k) {
        const std::string c = ".c" + std::to_string(k);
        same += (k > 0 ? " AND " : "") + ("d" + c) + " IS NOT DISTINCT FROM " + alias + c;
      }
      out += (j > 0 ? " OR " : "") + std::string("EXISTS (SELECT 1 FROM in_") + Id(i, j) + " AS d WHERE " +
             same + ")";
    }
    return "(" + out + ")";
  }

  // All rows of an input, with the sum of their weights.
  static std::string Rows(const CircuitOp& op, size_t i, size_t j) {
    const std::string columns = List(op.inputs[j].columns.size());
    return "(SELECT " + And(columns, "CAST(sum(w) AS BIGINT) AS w") + " FROM all_" + Id(i, j) +
           (columns.empty() ? "" : " GROUP BY ALL") + " HAVING sum(w) <> 0)";
  }

  std::string Answer(const CircuitOp& op, size_t i) {
    switch (op.kind) {
      case CircuitOp::Kind::kAggregate:
        return Aggregate(op, i);
      case CircuitOp::Kind::kJoin:
        return Join(op, i);
      case CircuitOp::Kind::kDistinct:
        return "SELECT " + List(op.columns.size()) + ", 1 FROM " + Rows(op, i, 0) + " WHERE w > 0";
      case CircuitOp::Kind::kBag:
        return Bag(op, i);
      case CircuitOp::Kind::kRecompute:
        break;
    }
    return Recompute(op, i);
  }

  static std::string Aggregate(const CircuitOp& op, size_t i) {
    constexpr std::array kWords = {"sum",     "min",    "max",     "bool_and", "bool_or",
                                   "bit_and", "bit_or", "bit_xor", "any_value"};
    const Fragment& input = op.inputs[0];
    const std::string count = "coalesce(sum(c" + std::to_string(input.key_count) + "), 0)";
    std::string items = List(input.key_count);
    for (size_t s = 0; s < op.merges.size(); ++s) {
      const std::string column = "c" + std::to_string(input.key_count + s);
      std::string value = std::string(kWords.at(static_cast<size_t>(op.merges[s]))) + "(" + column + ")";
      if (s == 0) value = count;
      if (s > 0 && !op.has_groups) value = "CASE WHEN " + count + " > 0 THEN " + value + " END";
      items = And(items, "CAST(" + value + " AS " + op.columns[input.key_count + s].type.ToSql() + ")");
    }
    std::string sql = "SELECT " + items + ", 1 FROM all_" + Id(i, 0);
    if (op.has_groups) sql += " GROUP BY " + List(input.key_count) + " HAVING " + count + " > 0";
    return sql;
  }

  static std::string Join(const CircuitOp& op, size_t i) {
    const Fragment& left = op.inputs[0];
    const Fragment& right = op.inputs[1];
    std::string on = "true";
    for (size_t k = 0; k < left.key_count; ++k) {
      const std::string c = ".c" + std::to_string(k);
      on += " AND l" + c + (k < left.strict_keys ? " = r" : " IS NOT DISTINCT FROM r") + c;
    }
    const auto side = [](const Fragment& f, const std::string& alias) {
      return List(f.columns.size(), alias + ".c", f.key_count);
    };
    const auto nulls = [](const Fragment& f) {
      std::string out;
      for (size_t c = f.key_count; c < f.columns.size(); ++c) out = And(out, "NULL");
      return out;
    };
    const bool has_right = op.emits_pairs || op.emits_right_unmatched;
    const std::string no_right = has_right ? nulls(right) : "";
    const std::string l = Rows(op, i, 0) + " AS l";
    const std::string r = Rows(op, i, 1) + " AS r";
    std::vector<std::string> parts;
    if (op.emits_pairs)
      parts.push_back("SELECT " + And(And(side(left, "l"), side(right, "r")), "l.w * r.w AS w") + " FROM " +
                      l + " JOIN " + r + " ON " + on);
    if (op.emits_left_unmatched)
      parts.push_back("SELECT " + And(And(side(left, "l"), no_right), "l.w AS w") + " FROM " + l +
                      " WHERE NOT EXISTS (SELECT 1 FROM " + r + " WHERE " + on + ")");
    if (op.emits_left_matched)
      parts.push_back("SELECT " + And(And(side(left, "l"), no_right), "l.w AS w") + " FROM " + l +
                      " WHERE EXISTS (SELECT 1 FROM " + r + " WHERE " + on + ")");
    if (op.emits_right_unmatched)
      parts.push_back("SELECT " + And(And(nulls(left), side(right, "r")), "r.w AS w") + " FROM " + r +
                      " WHERE NOT EXISTS (SELECT 1 FROM " + l + " WHERE " + on + ")");
    std::string sql;
    for (const std::string& part : parts) sql += (sql.empty() ? "" : " UNION ALL ") + part;
    return sql;
  }

  static std::string Bag(const CircuitOp& op, size_t i) {
    std::string on;
    std::string items;
    for (size_t k = 0; k < op.columns.size(); ++k) {
      const std::string c = ".c" + std::to_string(k);
      on += (k > 0 ? " AND l" : "l") + c + " IS NOT DISTINCT FROM r" + c;
    }
    const std::string w =
        op.is_except ? "greatest(l.w, 0) - greatest(coalesce(r.w, 0), 0)" : "least(l.w, coalesce(r.w, 0))";
    return "SELECT * FROM (SELECT " + List(op.columns.size(), "l.c") + ", " + w + " AS w FROM " +
           Rows(op, i, 0) + " AS l LEFT JOIN " + Rows(op, i, 1) + " AS r ON " + on + ") WHERE w > 0";
  }

  std::string Recompute(const CircuitOp& op, size_t i) {
    for (size_t j = 0; j < op.inputs.size(); ++j) {
      const Fragment& input = op.inputs[j];
      std::string items;
      for (size_t c = input.key_count; c < input.columns.size(); ++c) {
        items = And(items, "a.c" + std::to_string(c) + " AS c" + std::to_string(c - input.key_count));
      }
      const std::string rows = op.keeps_answer_only
                                   ? "(FROM ans_" + std::to_string(i) + " UNION ALL FROM in_" + Id(i, j) + ")"
                                   : Rows(op, i, j);
      world_.Do("CREATE OR REPLACE TEMP TABLE gather_" + Id(i, j) + " AS SELECT " + items + " FROM " + rows +
                " AS a, range(a.w) WHERE " + Changed(op, i, "a"));
    }
    const std::string sql = World::Take(op.RecomputeSql({[&](const std::string& name) {
      EXPECT_EQ(name[0], '@');
      return "gather_" + Id(i, std::stoul(name.substr(1)));
    }}));
    return "SELECT " + List(op.key_count + op.columns.size()) + ", 1 FROM (" + sql + ") AS q";
  }

  LawWorld& world_;
  const Circuit& circuit_;
  bool is_first_ = true;
};

// Columns for comparing: a sum of doubles depends on the order of its rows.
std::string Comparable(const Schema& columns) {
  std::string out;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string c = "c" + std::to_string(i);
    const bool is_float = columns[i].type.id == TypeId::kDouble || columns[i].type.id == TypeId::kFloat;
    out += (i > 0 ? ", " : "") + (is_float ? "round(" + c + ", 6)" : c) + " AS " + c;
  }
  return out;
}

int64_t Differences(LawWorld& world, const std::string& sql, const Schema& columns) {
  std::string names;
  for (size_t i = 0; i < columns.size(); ++i) names = And(names, "c" + std::to_string(i));
  world.Do("CREATE OR REPLACE TEMP TABLE expected AS SELECT " + Comparable(columns) + " FROM (" + sql +
           "\n) AS q(" + names + ")");
  world.Do("CREATE OR REPLACE TEMP TABLE found AS SELECT " + names + " FROM (SELECT " + names +
           ", sum(w) AS n FROM (SELECT " + Comparable(columns) +
           ", w FROM result) GROUP BY ALL) AS f, range(n::BIGINT)");
  if (world.failed) return 1;
  return World::Take(world.data->Query("SELECT (SELECT count(*) FROM (SELECT " + names +
                                       ", sum(w) AS n FROM result GROUP BY ALL) WHERE n < 0) + "
                                       "(SELECT count(*) FROM (FROM expected EXCEPT ALL FROM found)) + "
                                       "(SELECT count(*) FROM (FROM found EXCEPT ALL FROM expected))"))
      .rows[0][0]
      .Int(-1);
}

void ExpectLaw(LawWorld& world, const std::string& sql, bool is_weighted) {
  SCOPED_TRACE(std::string(is_weighted ? "weighted: " : "insert-only: ") + sql);
  world.failed = false;
  const Result<Query> query = world.compiler->Compile({"result", "flows/shop.py:31", sql, {}, true});
  ASSERT_TRUE(query.ok()) << query.status().ToString();
  CircuitOptions options;
  options.is_stream = [](const std::string& name) { return name != "b"; };
  options.is_weighted = [is_weighted](const std::string&) { return is_weighted; };
  const Result<Circuit> circuit = PlanCircuit(*query->tree, options);
  ASSERT_TRUE(circuit.ok()) << circuit.status().ToString();
  SCOPED_TRACE(circuit->Print());
  EXPECT_EQ(circuit->output.columns.size(), query->columns.size());
  Executor executor(world, *circuit, is_weighted);
  for (int step = 0; step < kSteps && !world.failed; ++step) {
    world.Enter(step, is_weighted);
    executor.Step();
    const int64_t differences = Differences(world, query->sql, query->columns);
    EXPECT_EQ(differences, 0) << "after step " << step;
    if (differences != 0) return;
  }
  EXPECT_FALSE(world.failed);
}

// Under a sanitizer, which makes DuckDB ten times slower, every fourth statement: that run looks for bad
// memory.
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kEvery = 4;
#else
constexpr size_t kEvery = 1;
#endif

TEST(CircuitLaw, EveryStatementIsKeptUpToDate) {
  LawWorld world;
  const char* only = std::getenv("QANAT_LAW_STATEMENT");
  size_t number = 0;
  for (const std::string& sql : Statements("circuit_law.sql")) {
    if (only == nullptr && number++ % kEvery != 0) continue;
    if (only != nullptr && sql.find(only) == std::string::npos) continue;
    ExpectLaw(world, sql, false);
    ExpectLaw(world, sql, true);
    if (only != nullptr) return;
  }
}

}  // namespace
}  // namespace qn::plan
