// Every type, at every depth, goes into bytes and comes back as DuckDB had it; equal keys are what DuckDB
// calls equal. DuckDB itself compares.
#include "duck/row_codec.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>

#include "duck/database.h"
#include "duck/row_sink.h"
#include "duck/scan.h"

namespace qn::duck {
namespace {

std::unique_ptr<Database> OpenOrDie() {
  const char* library = std::getenv("QANAT_DUCKDB");
  auto api = LoadApi(library != nullptr ? library : "");
  QN_CHECK(api.ok());
  Options options;
  options.threads = 2;
  return std::move(Database::Open(*api, options)).value();
}

// Encodes every row it is given.
class Encoder final : public RowSink {
 public:
  explicit Encoder(const RowCodec& codec) : codec_(codec) {}
  Result<std::unique_ptr<RowSinkThread>> OpenThread() override {
    return std::unique_ptr<RowSinkThread>(new Thread(*this));
  }
  std::vector<std::string_view> rows;
  std::vector<bool> has_null;

 private:
  class Thread final : public RowSinkThread {
   public:
    explicit Thread(Encoder& all) : all_(all) {}
    Status Take(std::span<const ColumnIn> columns, size_t count) override {
      const std::lock_guard lock(all_.mutex_);
      for (size_t row = 0; row < count; ++row) {
        bool is_null = false;
        all_.rows.push_back(all_.codec_.Encode(columns, row, all_.arena_, &is_null));
        all_.has_null.push_back(is_null);
      }
      return Ok();
    }

   private:
    Encoder& all_;
  };
  const RowCodec& codec_;
  std::mutex mutex_;
  Arena arena_;
};

// Decodes the rows of a vector, in one thread.
class Decoding final : public Scan {
 public:
  Decoding(Schema columns, const RowCodec& codec, const std::vector<std::string_view>& rows)
      : columns_(std::move(columns)), codec_(codec), rows_(rows) {}
  const Schema& Columns() const override { return columns_; }
  Result<std::unique_ptr<ScanRun>> Begin(std::span<const int> columns) override {
    return std::unique_ptr<ScanRun>(new Run(*this, {columns.begin(), columns.end()}));
  }

 private:
  class Thread final : public ScanThread {
   public:
    Thread(Decoding& all, std::vector<int> columns, std::atomic<size_t>& next)
        : all_(all), columns_(std::move(columns)), next_(next) {}
    Result<size_t> Fill(ChunkOut& out) override {
      const size_t first = next_.fetch_add(kChunkRows);
      if (first >= all_.rows_.size()) return size_t{0};
      const size_t count = std::min(kChunkRows, all_.rows_.size() - first);
      for (size_t c = 0; c < columns_.size(); ++c) {
        for (size_t i = 0; i < count; ++i) {
          all_.codec_.Decode(all_.rows_[first + i], static_cast<size_t>(columns_[c]), out.columns[c], i);
        }
      }
      return count;
    }

   private:
    Decoding& all_;
    std::vector<int> columns_;
    std::atomic<size_t>& next_;
  };
  class Run final : public ScanRun {
   public:
    Run(Decoding& all, std::vector<int> columns) : all_(all), columns_(std::move(columns)) {}
    Result<std::unique_ptr<ScanThread>> OpenThread() override {
      return std::unique_ptr<ScanThread>(new Thread(all_, columns_, next_));
    }
    int ThreadsMax() const override { return 2; }

   private:
    Decoding& all_;
    std::vector<int> columns_;
    std::atomic<size_t> next_{0};
  };
  Schema columns_;
  const RowCodec& codec_;
  const std::vector<std::string_view>& rows_;
};

struct Case {
  const char* type;
  const char* values;  // without NULL: that is added
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"BOOLEAN", "true, false"},
      {"TINYINT", "'-128', '0', '127'"},
      {"SMALLINT", "'-32768', '0', '32767'"},
      {"INTEGER", "'-2147483648', '0', '2147483647'"},
      {"BIGINT", "'-9223372036854775808', '0', '1', '9223372036854775807'"},
      {"HUGEINT",
       "'-170141183460469231731687303715884105728', '0', '170141183460469231731687303715884105727'"},
      {"UTINYINT", "'0', '255'"},
      {"USMALLINT", "'0', '65535'"},
      {"UINTEGER", "'0', '4294967295'"},
      {"UBIGINT", "'0', '18446744073709551615'"},
      {"UHUGEINT", "'0', '340282366920938463463374607431768211455'"},
      {"FLOAT",
       "'0.0', '-0.0', 'nan', '-nan', 'infinity', '-infinity', '1.1754944e-38', '3.4028235e38', '0.1'"},
      {"DOUBLE",
       "'0.0', '-0.0', 'nan', '-nan', 'infinity', '-infinity', '5e-324', '1.7976931348623157e308', '0.1'"},
      {"DECIMAL(4,1)", "'-999.9', '0', '999.9'"},
      {"DECIMAL(9,3)", "'-999999.999', '0', '999999.999'"},
      {"DECIMAL(18,0)", "'-999999999999999999', '0', '999999999999999999'"},
      {"DECIMAL(38,10)",
       "'-9999999999999999999999999999.9999999999', '0', '9999999999999999999999999999.9999999999'"},
      {"VARCHAR", "'', 'a', 'exactly 12 b', 'thirteen bytes', 'ü€😀', 'a' || chr(0) || 'b', repeat('x', 300)"},
      {"BLOB", "'', '\\x00', '\\x00\\x00', '\\xFF\\x00and more than twelve bytes'"},
      {"UUID",
       "'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', "
       "'550e8400-e29b-41d4-a716-446655440000'"},
      {"JSON", "'{\"a\": [1, null]}', '{\"a\":[1,null]}', 'null', '\"x\"'"},
      {"BIT", "'0', '1', '00000000', '0000000', '101010101', repeat('10', 100)"},
      {"ENUM('red', 'green', '')", "'red', 'green', ''"},
      {"DATE", "'-infinity', 'infinity', '1970-01-01', '5877642-06-25 (BC)', '5881580-07-10', '2024-02-29'"},
      {"TIME", "'00:00:00', '23:59:59.999999', '24:00:00'"},
      {"TIMETZ",
       "'00:00:00+00', '12:00:00+00', '13:00:00+01', '23:59:59.999999-15:59:59', '24:00:00+15:59:59'"},
      {"TIMESTAMP",
       "'-infinity', 'infinity', '1970-01-01', '290309-12-22 (BC) 00:00:00', "
       "'294247-01-10 04:00:54.775806'"},
      {"TIMESTAMP_S", "'1970-01-01', '2262-04-11 23:47:16', '1677-09-22 00:00:00'"},
      {"TIMESTAMP_MS", "'1970-01-01', '2262-04-11 23:47:16.854', '1677-09-22 00:00:00.001'"},
      {"TIMESTAMP_NS", "'1970-01-01', '2262-04-11 23:47:16.854775806', '1677-09-22 00:00:00.000000001'"},
      {"TIMESTAMPTZ", "'-infinity', 'infinity', '1970-01-01 00:00:00+00', '1970-01-01 01:00:00+01'"},
      {"INTERVAL",
       "'1 month', '30 days', '720 hours', '29 days 24 hours', '1 day', '24 hours', '1 month -30 days', '0 "
       "days', "
       "'-1 month', '-30 days', '-1 microsecond', '-1 day 86399.999999 seconds', '2147483647 months', "
       "'2147483647 months 30 days', '-2147483648 months', '-2147483648 months -1 day', '2147483647 days', "
       "'2147483647 months 2147483647 days', '2147483646 months 2147483647 days 720 hours'"},
  };
  return cases;
}

// Columns in which the values of `type` stand at every depth, with NULLs at every level.
std::string TableSql(const Case& of, int rows) {
  const std::string type = of.type;
  return "CREATE OR REPLACE TABLE t AS WITH v AS (SELECT [" + std::string(of.values) + ", NULL]::" + type +
         "[] AS v), r AS (SELECT i, (i * 7)::INT AS k, len(v)::INT AS n, "
         "v[i * 7 % n + 1] AS a, v[i // n % n + 1] AS b, v[(i + 3) % n + 1] AS c "
         "FROM v, range(" +
         std::to_string(rows) +
         ") AS s(i)) SELECT i, a AS v, "
         "CASE WHEN i % 5 <> 1 THEN {'x': a, 'y': i % 3, 'z': b} END AS s, "
         "CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN [] WHEN 2 THEN [a] ELSE [a, b, c, a, NULL, c, b, a, a] END "
         "AS l, "
         "CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN [NULL, [], [NULL]] ELSE [[a, b], [], NULL, [c]] END AS ll, "
         "CASE WHEN i % 6 <> 2 THEN [{'x': a, 'y': [b]}, NULL, {'x': NULL, 'y': CASE WHEN i % 2 = 0 THEN [c, "
         "a] "
         "END}] END AS ls, "
         "CASE WHEN i % 7 <> 3 THEN {'x': CASE WHEN i % 2 = 0 THEN {'q': a, 'r': [c]} END, 'e': b} END AS "
         "ss, "
         "CASE WHEN i % 3 <> 1 THEN array_value(a, b, c) END AS arr, "
         "CASE WHEN i % 4 <> 3 THEN [array_value(a, b), NULL, array_value(c, NULL)] END AS la, "
         "CASE WHEN i % 5 <> 3 THEN array_value([a, b], [], NULL) END AS al, "
         "CASE WHEN i % 6 <> 3 THEN {'arr': CASE WHEN i % 2 = 0 THEN array_value(array_value(a, b), NULL) "
         "END} END "
         "AS sa, "
         "CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN MAP {} ELSE MAP {'k' || i % 3: a, 'long key of a map': b} "
         "END AS m, "
         "CASE WHEN i % 3 <> 0 THEN [MAP {1: [a]}, MAP {}, NULL, MAP {2: NULL, 3: [b, c]}] END AS lm FROM r";
}

std::string List(const Schema& schema, const std::string& before, const std::string& after) {
  std::string out;
  for (const Field& field : schema) {
    out += (out.empty() ? "" : ", ") + before + QuoteName(field.name) + after;
  }
  return out;
}

class RowCodecOf : public ::testing::TestWithParam<Case> {
 protected:
  Rows Ask(const std::string& sql) {
    auto rows = connection_->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString() << "\n" << sql;
    return rows.ok() ? std::move(rows).value() : Rows{};
  }
  int64_t Number(const std::string& sql) {
    const Rows rows = Ask(sql);
    return rows.rows.empty() ? -1 : rows.rows[0][0].Int(-1);
  }

  std::unique_ptr<Database> database_ = OpenOrDie();
  std::unique_ptr<Connection> connection_ = std::move(database_->Connect()).value();
};

TEST_P(RowCodecOf, RowsComeBackExactly) {
  Ask(TableSql(GetParam(), 2500));
  const Schema schema = *connection_->Describe("SELECT * FROM t");
  ASSERT_TRUE(RowCodec::Check(schema).ok()) << RowCodec::Check(schema).ToString();
  const RowCodec codec(TypesOf(schema), Encoding::kRow);
  Encoder encoder(codec);
  ASSERT_TRUE(RegisterRowSink(*connection_, "encode_row", TypesOf(schema), encoder).ok());
  Ask("SELECT count(*) FROM t WHERE encode_row(" + List(schema, "", "") + ")");
  ASSERT_EQ(encoder.rows.size(), 2500u);
  for (const std::string_view row : encoder.rows) ASSERT_TRUE(codec.IsSound(row));

  Decoding decoding(schema, codec, encoder.rows);
  ASSERT_TRUE(RegisterScan(*connection_, "decoded", decoding).ok());
  Ask("CREATE TABLE d AS SELECT * FROM decoded()");
  EXPECT_EQ(Number("SELECT count(*) FROM d"), 2500);
  for (const auto& [from, without] : {std::pair{"t", "d"}, std::pair{"d", "t"}}) {
    const std::string both[] = {"*", List(schema, "", "::VARCHAR")};  // text: -0.0, intervals
    for (const std::string& columns : both) {
      const std::string sql =
          "(SELECT " + columns + " FROM " + from + " EXCEPT ALL SELECT " + columns + " FROM " + without + ")";
      EXPECT_EQ(Number("SELECT count(*) FROM " + sql), 0)
          << sql << Json(Ask("SELECT * FROM " + sql + " ORDER BY 1 LIMIT 1").rows[0]).Dump();
    }
  }
  // Straight from the scan, with few columns.
  EXPECT_EQ(Number("SELECT count(*) FROM (SELECT lm, s FROM t EXCEPT ALL SELECT lm, s FROM decoded())"), 0);
}

TEST_P(RowCodecOf, CellsMakeTheSameRow) {
  Ask(TableSql(GetParam(), 200));
  const Schema schema = *connection_->Describe("SELECT * FROM t");
  const RowCodec codec(TypesOf(schema), Encoding::kRow);
  Encoder encoder(codec);
  ASSERT_TRUE(RegisterRowSink(*connection_, "encode_row", TypesOf(schema), encoder).ok());
  Ask("SELECT count(*) FROM t WHERE encode_row(" + List(schema, "", "") + ")");
  Arena arena;
  std::vector<std::string_view> cells(codec.columns());
  for (const std::string_view row : encoder.rows) {
    for (size_t i = 0; i < cells.size(); ++i) cells[i] = codec.Cell(row, i);
    EXPECT_EQ(codec.FromCells(cells, arena), row);
  }
}

TEST_P(RowCodecOf, KeysAreEqualWhereDuckDbSaysSo) {
  Ask(TableSql(GetParam(), 90));
  const Schema schema = *connection_->Describe("SELECT * FROM t");
  for (size_t c = 1; c < schema.size(); ++c) {
    const std::vector<Type> types = {schema[0].type, schema[c].type};
    const RowCodec ids({types[0]}, Encoding::kRow);
    const RowCodec keys({types[1]}, Encoding::kKey);
    class Keys final : public RowSink {
     public:
      explicit Keys(const RowCodec& codec) : codec_(codec) {}
      Result<std::unique_ptr<RowSinkThread>> OpenThread() override {
        return std::unique_ptr<RowSinkThread>(new Thread(*this));
      }
      std::map<int64_t, std::string> keys;

     private:
      class Thread final : public RowSinkThread {
       public:
        explicit Thread(Keys& all) : all_(all) {}
        Status Take(std::span<const ColumnIn> columns, size_t rows) override {
          Arena arena;
          for (size_t row = 0; row < rows; ++row) {
            bool has_null = false;
            all_.keys[columns[0].as<int64_t>()[row]] =
                all_.codec_.Encode(columns.subspan(1), row, arena, &has_null);
            EXPECT_EQ(has_null, columns[1].IsNull(row));
          }
          return Ok();
        }
        Keys& all_;
      };
      const RowCodec& codec_;
    } sink(keys);
    const std::string name = "key_" + std::to_string(c);
    ASSERT_TRUE(RegisterRowSink(*connection_, name, types, sink).ok());
    const std::string column = QuoteName(schema[c].name);
    Ask("SELECT count(*) FROM t WHERE " + name + "(i, " + column + ")");
    ASSERT_EQ(sink.keys.size(), 90u);
    const Rows pairs = Ask("SELECT a.i, b.i, a." + column + " IS NOT DISTINCT FROM b." + column + ", a." +
                           column + "::VARCHAR, b." + column + "::VARCHAR FROM t a, t b WHERE a.i <= b.i");
    for (const auto& pair : pairs.rows) {
      EXPECT_EQ(sink.keys[pair[0].Int()] == sink.keys[pair[1].Int()], pair[2].Bool())
          << schema[c].type.ToSql() << ": " << pair[3].Str() << " and " << pair[4].Str();
    }
  }
}

std::string CaseName(const ::testing::TestParamInfo<Case>& info) {
  std::string name;
  for (const char c : std::string(info.param.type)) name += std::isalnum(c) != 0 ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Types, RowCodecOf, ::testing::ValuesIn(Cases()), CaseName);

TEST(RowCodec, AnEnumOfAnySizeHasItsWidth) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  for (const int labels : {255, 256, 65535, 65536}) {
    ASSERT_TRUE(connection
                    ->Query("CREATE OR REPLACE TYPE e AS ENUM (SELECT 'l' || i FROM range(" +
                            std::to_string(labels) +
                            ") t(i)); CREATE OR REPLACE TABLE t AS SELECT ('l' || i)::e AS v "
                            "FROM range(" +
                            std::to_string(labels) + ") t(i)")
                    .ok());
    const Schema schema = *connection->Describe("SELECT * FROM t");
    const RowCodec codec(TypesOf(schema), Encoding::kRow);
    Encoder encoder(codec);
    const std::string name = "encode_" + std::to_string(labels);
    ASSERT_TRUE(RegisterRowSink(*connection, name, TypesOf(schema), encoder).ok());
    ASSERT_TRUE(connection->Query("SELECT count(*) FROM t WHERE " + name + "(v)").ok());
    Decoding decoding(schema, codec, encoder.rows);
    ASSERT_TRUE(RegisterScan(*connection, "decoded_" + std::to_string(labels), decoding).ok());
    const auto rows =
        connection->Query("SELECT count(*) FROM (SELECT * FROM t EXCEPT ALL SELECT * FROM decoded_" +
                          std::to_string(labels) + "())");
    ASSERT_TRUE(rows.ok()) << rows.status().ToString();
    EXPECT_EQ(rows->rows[0][0].Int(-1), 0) << labels;
    std::string beyond(encoder.rows[0]);
    std::fill(beyond.begin() + 1, beyond.end(), '\xFF');
    EXPECT_EQ(codec.IsSound(beyond), false) << labels;
  }
}

TEST(RowCodec, RowsWithoutColumnsAreEmptyAndNotNull) {
  const RowCodec codec({}, Encoding::kRow);
  Arena arena;
  const std::string_view row = codec.Encode({}, 0, arena, nullptr);
  EXPECT_EQ(row.size(), 0u);
  EXPECT_NE(row.data(), nullptr);
  EXPECT_NE(codec.FromCells({}, arena).data(), nullptr);
  EXPECT_TRUE(codec.IsSound(row));
  EXPECT_FALSE(codec.IsSound("x"));
}

TEST(RowCodec, NullPointerIsAllNull) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  const Schema schema = *connection->Describe(
      "SELECT 1 AS i, 'x' AS t, {'a': [1], 'b': array_value(1, 2)} AS s, [1] AS l, MAP {1: 2} AS m, "
      "array_value([1], [2]) AS a");
  const RowCodec codec(TypesOf(schema), Encoding::kRow);
  const std::vector<std::string_view> rows(3000);
  Decoding decoding(schema, codec, rows);
  ASSERT_TRUE(RegisterScan(*connection, "nothing", decoding).ok());
  const auto counts = connection->Query(
      "SELECT count(*), count(i), count(t), count(s), count(s.a), count(l), count(m), count(a) FROM "
      "nothing()");
  ASSERT_TRUE(counts.ok()) << counts.status().ToString();
  EXPECT_EQ(Json(counts->rows[0]).Dump(), "[3000,0,0,0,0,0,0,0]");
}

TEST(RowCodec, TypesThatCannotBeRememberedAreNamed) {
  Type other = Type::Of(TypeId::kOther);
  other.text = "GEOMETRY";
  const Status direct =
      RowCodec::Check({{"id", Type::Of(TypeId::kBigInt), true, ""}, {"shape", other, true, ""}});
  EXPECT_EQ(direct.ToString(),
            "QN-1810  Column 'shape' cannot be remembered across steps.\n"
            "  its type: GEOMETRY\n"
            "  Cast it to a type that Qanat knows, VARCHAR for one.");
  const Status nested = RowCodec::Check({{"shapes", Type::ListOf(other), true, ""}});
  EXPECT_NE(nested.ToString().find("in which GEOMETRY is unknown to us"), std::string::npos)
      << nested.ToString();
  EXPECT_FALSE(RowCodec::Check({{"n", Type::Of(TypeId::kNull), true, ""}}).ok());
}

// What comes from a damaged disk is refused or harmless: a row that passes can be decoded.
TEST(RowCodec, DamagedRowsNeverReachBeyondTheirBytes) {
  auto database = OpenOrDie();
  auto connection = std::move(database->Connect()).value();
  const std::string select =
      "SELECT i, 'a text of some length ' || i AS t, i % 2 = 0 AS b, {'a': [i, NULL], 'b': 'x'} AS s, "
      "[['y', NULL], [], NULL] AS l, MAP {'k': i} AS m, array_value('p', NULL, 'q') AS a, '101'::BIT AS bits "
      "FROM range(4) r(i)";
  const Schema schema = *connection->Describe(select);
  const RowCodec codec(TypesOf(schema), Encoding::kRow);
  Encoder encoder(codec);
  ASSERT_TRUE(RegisterRowSink(*connection, "encode_row", TypesOf(schema), encoder).ok());
  ASSERT_TRUE(
      connection
          ->Query("SELECT count(*) FROM (" + select + ") WHERE encode_row(" + List(schema, "", "") + ")")
          .ok());
  std::mt19937 random(7);
  std::vector<std::unique_ptr<std::string>> passed;  // each in its own memory: a sanitizer sees reads beyond
  for (int round = 0; round < 50'000; ++round) {
    std::string row(encoder.rows[random() % encoder.rows.size()]);
    for (uint32_t n = random() % 3; n > 0; --n)
      row[random() % row.size()] ^= static_cast<char>(1 << random() % 8);
    if (random() % 4 == 0) row.resize(random() % (row.size() + 1));
    if (codec.IsSound(row)) passed.push_back(std::make_unique<std::string>(row));
  }
  for (size_t size = 0; size < encoder.rows[0].size(); ++size) {
    EXPECT_FALSE(codec.IsSound(encoder.rows[0].substr(0, size)));
  }
  std::vector<std::string_view> rows;
  for (const auto& row : passed) rows.emplace_back(*row);
  Decoding decoding(schema, codec, rows);
  ASSERT_TRUE(RegisterScan(*connection, "decoded", decoding).ok());
  const auto count = connection->Query(
      "SELECT count(*), sum(hash(t)), sum(len(s.a)), sum(len(l)), sum(bit_length(bits)), "
      "sum(cardinality(m)), count(a[3]), count(b) FROM decoded()");
  EXPECT_TRUE(count.ok()) << count.status().ToString();
}

}  // namespace
}  // namespace qn::duck
