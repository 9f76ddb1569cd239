// Merged states are what DuckDB's aggregates say over all rows, type by type; groups come and go.
#include "ops/aggregate.h"

#include <cmath>
#include <limits>

#include "ops/delta_scan.h"
#include "ops/test_duck.h"
#include "ops/test_rows.h"

namespace qn::ops {
namespace {

using duck::Encoding;
using duck::RowCodec;
using plan::Merge;

constexpr uint64_t kPlenty = uint64_t{1} << 30;

template <typename T>
std::string Raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

// States of count, sum, least text and greatest double.
const std::vector<Merge> kMerges = {Merge::kAdd, Merge::kAdd, Merge::kMin, Merge::kMax};
std::vector<Type> Types() {
  return {Type::Of(TypeId::kBigInt), Type::Of(TypeId::kHugeInt), Type::Of(TypeId::kVarchar),
          Type::Of(TypeId::kDouble)};
}

struct State {
  int64_t count = 0;
  std::optional<int64_t> sum;
  std::optional<std::string> least;
  std::optional<double> greatest;

  void Add(const State& other) {
    count += other.count;
    if (other.sum) sum = sum.value_or(0) + *other.sum;
    if (other.least && (!least || *other.least < *least)) least = other.least;
    if (other.greatest && (!greatest || *other.greatest > *greatest)) greatest = other.greatest;
  }
  std::string Encode() const {
    const std::string number = Raw(count);
    __extension__ using Int128 = __int128;
    const std::string total = Raw(static_cast<Int128>(sum.value_or(0)));
    const std::string top = Raw(greatest.value_or(0));
    std::vector<std::string_view> cells(4);
    cells[0] = number;
    if (sum) cells[1] = total;
    if (least) cells[2] = *least;
    if (greatest) cells[3] = top;
    Arena arena;
    return std::string(RowCodec(Types(), Encoding::kRow).FromCells(cells, arena));
  }
};

Sum SumOf(const std::map<std::string, State>& groups) {
  Sum sum;
  for (const auto& [key, state] : groups) {
    if (state.count > 0) sum[key + "/" + state.Encode()] = 1;
  }
  return sum;
}

std::unique_ptr<Operator> Make(bool has_groups, trace::Budget& budget) {
  return std::make_unique<Aggregate>(kMerges, Types(), has_groups, budget);
}

TEST(Aggregate, IsTheSumOfThePartials) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    trace::Budget budget(kPlenty);
    Stepper aggregate(Make(true, budget), true);
    std::map<std::string, State> groups;
    for (int step = 0; step < 40; ++step) {
      Change change;
      for (size_t i = random() % 12; i > 0; --i) {  // one key may have several
        const std::string key = "k" + std::to_string(random() % 7);
        State partial;
        partial.count = 1 + static_cast<int64_t>(random() % 3);
        if (random() % 3 != 0) partial.sum = static_cast<int64_t>(random() % 100) - 50;
        if (random() % 3 != 0)
          partial.least = std::string(random() % 20, 'x') + std::to_string(random() % 50);
        if (random() % 3 != 0) partial.greatest = static_cast<double>(random() % 100) / 4;
        groups[key].Add(partial);
        change.Add(key, partial.Encode(), 1);
      }
      aggregate.Step(Inputs(change));
      ASSERT_EQ(aggregate.sum(), SumOf(groups)) << "seed " << seed << ", step " << step;
      aggregate.KeepChanges();
      if (step == 12) aggregate.MoveByChanges(Make(true, budget));
      if (step == 25) aggregate.MoveByDump(Make(true, budget));
    }
  }
}

// Counts and sums of rows that are taken back, at times before they come.
TEST(Aggregate, GroupsGoWithTheirLastRow) {
  for (unsigned seed = 0; seed < 80; ++seed) {
    std::mt19937 random(seed);
    const bool has_groups = seed % 3 != 0;
    const auto make = [has_groups](trace::Budget& budget) {
      return std::make_unique<Aggregate>(
          std::vector<Merge>{Merge::kAdd, Merge::kAdd},
          std::vector<Type>{Type::Of(TypeId::kBigInt), Type::Of(TypeId::kBigInt)}, has_groups, budget);
    };
    const RowCodec codec({Type::Of(TypeId::kBigInt), Type::Of(TypeId::kBigInt)}, Encoding::kRow);
    const auto encode = [&codec](int64_t count, std::optional<int64_t> sum) {
      Arena arena;
      const std::string number = Raw(count);
      const std::string total = Raw(sum.value_or(0));
      std::vector<std::string_view> cells(2);
      cells[0] = number;
      if (sum) cells[1] = total;
      return std::string(codec.FromCells(cells, arena));
    };
    trace::Budget budget(kPlenty);
    Stepper aggregate(make(budget), true);
    EXPECT_EQ(aggregate.op().IsDue(), !has_groups);
    std::map<std::string, std::map<int64_t, int64_t>> rows;  // key → value → weight
    if (!has_groups) rows[""] = {};
    for (int step = 0; step < 60; ++step) {
      Change change;
      for (size_t i = step == 0 ? 0 : random() % 6; i > 0; --i) {
        const std::string key = has_groups ? "k" + std::to_string(random() % 3) : "";
        const auto value = static_cast<int64_t>(random() % 4);
        int64_t weight = random() % 2 == 0 ? 1 : -1;
        if (rows[key][value] <= 0 && random() % 4 != 0) weight = 1;
        rows[key][value] += weight;
        change.Add(key, encode(weight, value * weight), 1);
      }
      aggregate.Step(Inputs(change));
      EXPECT_FALSE(aggregate.op().IsDue());
      Sum want;
      size_t kept = 0;
      for (const auto& [key, values] : rows) {
        int64_t count = 0;
        int64_t sum = 0;
        for (const auto& [value, weight] : values) {
          count += weight;
          sum += value * weight;
        }
        kept += count != 0 || sum != 0 || !has_groups ? 1 : 0;
        if (count > 0) want[key + "/" + encode(count, sum)] = 1;
        if (count <= 0 && !has_groups) want["/" + encode(0, std::nullopt)] = 1;
      }
      ASSERT_EQ(aggregate.sum(), want) << "seed " << seed << ", step " << step;
      ASSERT_EQ(static_cast<trace::StateTrace*>(aggregate.op().Traces()[0])->keys(), kept);
      aggregate.KeepChanges();
      if (step == 20) aggregate.MoveByChanges(make(budget));
      if (step == 40) aggregate.MoveByDump(make(budget));
    }
  }
}

TEST(Aggregate, AStateThatStaysIsNoNews) {
  trace::Budget budget(kPlenty);
  Stepper aggregate(Make(true, budget), true);
  State state;
  state.count = 1;
  state.sum = 5;
  Change first;
  first.Add("k", state.Encode(), 1);
  EXPECT_EQ(aggregate.Step(Inputs(first)), 1u);
  EXPECT_GT(aggregate.KeepChanges(), 0u);
  State nothing;
  nothing.sum = 0;
  Change same;
  same.Add("k", nothing.Encode(), 1).Add("new", State().Encode(), 1);
  EXPECT_EQ(aggregate.Step(Inputs(same)), 0u);
  EXPECT_EQ(aggregate.KeepChanges(), 0u);
  Change more;
  more.Add("k", state.Encode(), 1);
  EXPECT_EQ(aggregate.Step(Inputs(more)), 2u);
}

TEST(Aggregate, TheOrderIsThatOfTheRows) {
  trace::Budget budget(kPlenty);
  const std::unique_ptr<Operator> aggregate = Make(true, budget);
  State one;
  one.count = 1;
  Change change;
  for (int i = 999; i >= 0; --i) change.Add(std::to_string(i), one.Encode(), 1);
  std::vector<KeyedDelta> inputs = Inputs(change);
  Delta out;
  ASSERT_TRUE(aggregate->Step(inputs, out).ok());
  ASSERT_EQ(out.rows.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(out.rows[static_cast<size_t>(i)].row, std::to_string(999 - i));
}

// One aggregate of DuckDB against ours: each value is a partial state of its own, in an order of its own.
void ExpectAsDuckDb(Duck& duck, const std::string& type, const std::string& values,
                    const std::string& function, Merge merge) {
  const std::string rows =
      "(SELECT v::" + type + " AS v, row_number() OVER () AS n FROM (VALUES " + values + ") AS t(v))";
  const std::string sql = "SELECT n % 3 AS c0, 1::BIGINT AS c1, v AS c2 FROM " + rows;
  const Schema columns = duck.Describe(sql);
  ASSERT_EQ(columns.size(), 3u);
  ASSERT_TRUE(StateMerge::CanMerge(merge, columns[2].type)) << type << " " << function;
  const std::vector<Type> states = {columns[1].type, columns[2].type};
  trace::Budget budget(kPlenty);
  DeltaSink sink({columns[0].type}, states, 0, false, budget);
  static int number = 0;
  const std::string name = std::to_string(++number);
  ASSERT_TRUE(RegisterRowSink(*duck.connection, "take_in" + name, sink.Arguments(), sink).ok());
  KeyedDelta all = duck.Encode(sink, "take_in" + name, sql);
  Aggregate aggregate({Merge::kAdd, merge}, states, true, budget);
  Delta out;
  const size_t half = all.rows.size() / 2;
  std::vector<KeyedDelta> first(1);
  first[0].rows.assign(all.rows.begin(), all.rows.begin() + static_cast<ptrdiff_t>(half));
  std::vector<KeyedDelta> second(1);
  second[0].rows.assign(all.rows.begin() + static_cast<ptrdiff_t>(half), all.rows.end());
  ASSERT_TRUE(aggregate.Step(first, out).ok());
  ASSERT_TRUE(aggregate.Step(second, out).ok());
  DeltaScan scan(columns, RowCodec({columns[0].type}, Encoding::kKey), RowCodec(states, Encoding::kRow),
                 true);
  ASSERT_TRUE(RegisterScan(*duck.connection, "shown" + name, scan).ok());
  scan.Set(&out);
  // The sum of the changes, one row a group; compared by the order that DuckDB itself sorts by.
  const std::string ours =
      "(SELECT c0, c1, c2 FROM shown" + name + "() GROUP BY ALL HAVING sum(__qn_weight) > 0 ORDER BY ALL)";
  const std::string theirs =
      "(SELECT c0, count(*), " + function + "(c2) FROM (" + sql + ") GROUP BY ALL ORDER BY ALL)";
  EXPECT_EQ(duck.Ask("SELECT list((c0, c1, c2))::VARCHAR FROM " + ours + " AS t(c0, c1, c2)"),
            duck.Ask("SELECT list((c0, c1, c2))::VARCHAR FROM " + theirs + " AS t(c0, c1, c2)"))
      << type << " " << function;
}

struct Sample {
  const char* type;
  const char* values;  // some more than three, so that groups have several
};

const std::vector<Sample>& Samples() {
  static const std::vector<Sample> kSamples = {
      {"BOOLEAN", "(true), (false), (NULL), (true), (false), (true), (true), (NULL)"},
      {"TINYINT", "(-128), (127), (0), (5), (-1), (NULL), (3)"},
      {"SMALLINT", "(-32768), (32767), (0), (5), (-1), (NULL), (3)"},
      {"INTEGER", "(-2147483648), (2147483647), (0), (5), (-1), (NULL), (3)"},
      {"BIGINT", "(-9223372036854775808), (9223372036854775807), (0), (5), (-1), (NULL), (3)"},
      {"HUGEINT",
       "('-170141183460469231731687303715884105728'), ('170141183460469231731687303715884105727'), "
       "('18446744073709551616'), ('-18446744073709551617'), ('1'), (NULL), ('-1')"},
      {"UTINYINT", "(255), (0), (128), (127), (NULL), (5)"},
      {"USMALLINT", "(65535), (0), (32768), (32767), (NULL), (5)"},
      {"UINTEGER", "(4294967295), (0), (2147483648), (7), (NULL), (5)"},
      {"UBIGINT", "(18446744073709551615), (0), (9223372036854775808), (7), (NULL), (5)"},
      {"UHUGEINT",
       "('340282366920938463463374607431768211455'), ('0'), ('18446744073709551616'), ('7'), (NULL), "
       "('170141183460469231731687303715884105728')"},
      {"FLOAT", "('nan'), ('-inf'), ('inf'), ('1.5'), ('-0.0'), ('0.0'), (NULL), ('nan'), ('-3')"},
      {"DOUBLE", "('nan'), ('1.5'), ('-3'), ('inf'), ('2'), (NULL), ('-inf'), ('0.25'), ('nan')"},
      {"DECIMAL(4,1)", "(999.9), (-999.9), (0), (1.5), (NULL), (-0.1)"},
      {"DECIMAL(9,2)", "(9999999.99), (-9999999.99), (0), (1.5), (NULL), (-0.1)"},
      {"DECIMAL(18,3)",
       "('999999999999999.999'), ('-999999999999999.999'), ('0'), ('1.5'), (NULL), ('-0.1')"},
      {"DECIMAL(38,4)",
       "('9999999999999999999999999999999999.9999'), ('-5'), ('0'), ('1.5'), (NULL), "
       "('-9999999999999999999999999999999999.9999')"},
      {"VARCHAR",
       "('b'), ('a'), (''), ('ab'), ('é'), ('z'), (NULL), ('a rather long text that is not inside'), "
       "('a rather long text that is not inside!'), ('Z'), ('a' || chr(0) || 'b')"},
      {"BLOB", "('\\x00'), ('\\xFF'), (''), ('\\x00\\x01'), (NULL), ('abc')"},
      {"BIT", "('101'), ('0101'), ('1'), ('11111111'), (NULL), ('000000001'), ('100000000'), ('0')"},
      {"UUID",
       "('00000000-0000-0000-0000-000000000000'), ('ffffffff-ffff-ffff-ffff-ffffffffffff'), "
       "('80000000-0000-0000-0000-000000000000'), ('7fffffff-ffff-ffff-ffff-ffffffffffff'), (NULL), "
       "('00000000-0000-0001-ffff-ffffffffffff')"},
      {"ENUM('z', 'a', 'm')", "('z'), ('a'), ('m'), (NULL), ('a'), ('z')"},
      {"DATE", "('1969-12-31'), ('2024-02-29'), ('-infinity'), ('infinity'), (NULL), ('0001-01-01')"},
      {"TIME", "('00:00:00'), ('23:59:59.999999'), ('12:00:00'), (NULL), ('12:00:00.000001')"},
      {"TIMETZ",
       "('12:00:00+02'), ('11:00:00+00'), ('12:00:00-15:59'), ('00:00:00+15:59'), (NULL), ('12:00:00+00'), "
       "('13:00:00+02'), ('10:00:00+00'), ('09:00:00-01'), ('11:00:00+01')"},
      {"TIMESTAMP",
       "('1969-12-31 23:59:59'), ('2024-02-29 12:00:00.000001'), ('infinity'), ('-infinity'), (NULL)"},
      {"TIMESTAMP_S", "('1969-12-31 23:59:59'), ('2024-02-29 12:00:00'), (NULL), ('1970-01-01')"},
      {"TIMESTAMP_MS", "('1969-12-31 23:59:59.999'), ('2024-02-29 12:00:00'), (NULL), ('1970-01-01')"},
      {"TIMESTAMP_NS", "('1969-12-31 23:59:59.999999999'), ('2024-02-29 12:00:00'), (NULL), ('1970-01-01')"},
      {"TIMESTAMPTZ",
       "('1969-12-31 23:59:59+00'), ('2024-02-29 12:00:00+01'), (NULL), ('1970-01-01 00:00:00+00')"},
      {"INTERVAL",
       "(INTERVAL 1 MONTH), (INTERVAL 29 DAY), (INTERVAL 31 DAY), (INTERVAL 23 HOUR), (NULL), "
       "(INTERVAL '-1' MONTH), (INTERVAL 721 HOUR), (INTERVAL '1 month -4 days')"},
  };
  return kSamples;
}

TEST(StateMerge, LeastAndGreatestAreDuckDbs) {
  Duck duck(1);
  for (const Sample& sample : Samples()) {
    ExpectAsDuckDb(duck, sample.type, sample.values, "min", Merge::kMin);
    ExpectAsDuckDb(duck, sample.type, sample.values, "max", Merge::kMax);
  }
}

TEST(StateMerge, SumsAreDuckDbs) {
  Duck duck(1);
  for (const char* type :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UBIGINT", "DECIMAL(4,1)",
        "DECIMAL(9,2)", "DECIMAL(18,3)", "DECIMAL(38,4)", "FLOAT", "DOUBLE"}) {
    const bool is_unsigned = type[0] == 'U';
    const std::string values = is_unsigned ? "(1), (2), (NULL), (40), (0), (7), (NULL)"
                                           : "(1), (-2), (NULL), (40), (0), (7), (NULL)";
    ExpectAsDuckDb(duck, type, values, "sum", Merge::kAdd);
  }
}

TEST(StateMerge, BitsAndTruthAreDuckDbs) {
  Duck duck(1);
  const std::string truths = "(true), (true), (NULL), (false), (true), (NULL), (NULL), (true)";
  ExpectAsDuckDb(duck, "BOOLEAN", truths, "bool_and", Merge::kAnd);
  ExpectAsDuckDb(duck, "BOOLEAN", truths, "bool_or", Merge::kOr);
  for (const char* type : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
                           "UINTEGER", "UBIGINT", "UHUGEINT"}) {
    const std::string values = "(1), (3), (NULL), (5), (127), (96), (33), (64)";
    ExpectAsDuckDb(duck, type, values, "bit_and", Merge::kBitAnd);
    ExpectAsDuckDb(duck, type, values, "bit_or", Merge::kBitOr);
    ExpectAsDuckDb(duck, type, values, "bit_xor", Merge::kBitXor);
  }
  for (const char* values : {"('10110'), ('01110'), (NULL), ('11111'), ('00100'), ('00001'), ('10000')",
                             "('10110011'), ('01110000'), (NULL), ('11111111'), ('00100100')",
                             "('101100111'), ('011100000'), (NULL), ('111111110'), ('001001001')"}) {
    ExpectAsDuckDb(duck, "BIT", values, "bit_and", Merge::kBitAnd);
    ExpectAsDuckDb(duck, "BIT", values, "bit_or", Merge::kBitOr);
    ExpectAsDuckDb(duck, "BIT", values, "bit_xor", Merge::kBitXor);
  }
}

TEST(StateMerge, TheFirstIsTheFirstThatIsNotNull) {
  Duck duck(1);
  ExpectAsDuckDb(duck, "VARCHAR", "(NULL), ('b'), ('c'), ('d'), (NULL), ('e'), ('f')", "any_value",
                 Merge::kFirst);
  ExpectAsDuckDb(duck, "INTEGER[]", "(NULL), ([1, 2]), ([]), ([3, NULL]), (NULL), ([4]), ([5])", "any_value",
                 Merge::kFirst);
  ExpectAsDuckDb(duck, "BIGINT", "(NULL), (2), (3), (4), (NULL), (6), (7)", "any_value", Merge::kFirst);
}

// The failure of adding `b` to `a`, both states of one column beside the count.
Status Added(Merge merge, const Type& type, std::string_view a, std::string_view b) {
  const std::vector<Type> types = {Type::Of(TypeId::kBigInt), type};
  StateMerge states({Merge::kAdd, merge}, types);
  const RowCodec codec(types, Encoding::kRow);
  const std::string one = Raw(int64_t{1});
  Arena arena;
  const std::vector<std::string_view> first = {one, a};
  const std::vector<std::string_view> second = {one, b};
  std::string_view out;
  return states.Combine(codec.FromCells(first, arena), codec.FromCells(second, arena), arena, &out);
}

TEST(StateMerge, OverflowIsToldInPlainWords) {
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Added(Merge::kAdd, Type::Of(TypeId::kBigInt), Raw(most), Raw(int64_t{1})).ToString(),
            "QN-3510  A sum in a GROUP BY has become too large for its type, BIGINT.\n"
            "  The step was not committed; everything before it is.\n"
            "  Sum a wider type, for example sum(x::DOUBLE), or leave out the rows that are too large.");
  EXPECT_TRUE(Added(Merge::kAdd, Type::Of(TypeId::kBigInt), Raw(most), Raw(int64_t{-1})).ok());
  const Type decimal = Type::Decimal(4, 1);
  EXPECT_EQ(Added(Merge::kAdd, decimal, Raw(int16_t{9999}), Raw(int16_t{1})).code(), "QN-3510");
  EXPECT_EQ(Added(Merge::kAdd, decimal, Raw(int16_t{-9999}), Raw(int16_t{-1})).code(), "QN-3510");
  EXPECT_TRUE(Added(Merge::kAdd, decimal, Raw(int16_t{9998}), Raw(int16_t{1})).ok());
  EXPECT_EQ(Added(Merge::kAdd, Type::Of(TypeId::kUTinyInt), Raw(uint8_t{255}), Raw(uint8_t{1})).code(),
            "QN-3510");
  const double large = std::numeric_limits<double>::max();
  EXPECT_TRUE(Added(Merge::kAdd, Type::Of(TypeId::kDouble), Raw(large), Raw(large)).ok());
}

TEST(StateMerge, BitStringsOfDifferentLengthAreRefused) {
  EXPECT_EQ(
      Added(Merge::kBitOr, Type::Of(TypeId::kBit), std::string("\0\x01", 2), std::string("\x07\xFE\x01", 3))
          .ToString(),
      "QN-3512  Bit strings of different length cannot be taken together.\n"
      "  found: BIT of 8 and of 9 bits under one key\n"
      "  The step was not committed; everything before it is.\n"
      "  Bring them to one length before the aggregate.");
}

TEST(StateMerge, SaysWhatItCanMerge) {
  Type list = Type::ListOf(Type::Of(TypeId::kBigInt));
  EXPECT_FALSE(StateMerge::CanMerge(Merge::kMin, list));
  EXPECT_TRUE(StateMerge::CanMerge(Merge::kFirst, list));
  EXPECT_FALSE(StateMerge::CanMerge(Merge::kAdd, Type::Of(TypeId::kVarchar)));
  EXPECT_FALSE(StateMerge::CanMerge(Merge::kAdd, Type::Of(TypeId::kDate)));
  EXPECT_FALSE(StateMerge::CanMerge(Merge::kAnd, Type::Of(TypeId::kInteger)));
  EXPECT_FALSE(StateMerge::CanMerge(Merge::kFirst, Type::Of(TypeId::kOther)));
}

}  // namespace
}  // namespace qn::ops
