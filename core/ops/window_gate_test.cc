// Windows that end: where they begin, what is forgotten, what comes out when.
#include "ops/window_gate.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "ops/distinct.h"
#include "ops/join.h"
#include "trace/test_sections.h"

namespace qn::ops {
namespace {

constexpr size_t kPlenty = size_t{1} << 30;

// A row of one TIMESTAMP or DATE, as a kRow or kKey codec writes it.
template <typename T>
std::string RowOf(const Type& type, duck::Encoding encoding, const T* value) {
  const duck::RowCodec codec({type}, encoding);
  Arena bytes;
  const std::string_view cell = value == nullptr
                                    ? std::string_view()
                                    : std::string_view(reinterpret_cast<const char*>(value), sizeof(T));
  const std::string_view cells[] = {cell};
  return std::string(codec.FromCells(cells, bytes));
}

std::string At(int64_t us) { return RowOf(Type::Of(TypeId::kTimestamp), duck::Encoding::kRow, &us); }

TEST(WindowOptions, ClosedIsWhatEndedAndWaited) {
  const WindowOptions options{60, 5, false};
  EXPECT_EQ(options.ClosedBegin(165), 100);
  EXPECT_EQ(options.ClosedBegin(kNoTime), kNoTime);
  EXPECT_EQ(options.ClosedBegin(kNoTime + 64), kNoTime);
}

TEST(WindowBegins, DatesBeyondMicrosecondsAreSaturated) {
  const Type date = Type::Of(TypeId::kDate);
  const WindowBegins begins({date}, duck::Encoding::kKey, 0);
  const auto of = [&](int32_t days) { return begins.Of(RowOf(date, duck::Encoding::kKey, &days)); };
  EXPECT_EQ(of(2), int64_t{2} * 86'400'000'000);
  EXPECT_EQ(of(-1), int64_t{-86'400'000'000});
  EXPECT_EQ(of(INT32_MAX), INT64_MAX);  // infinity never ends
  EXPECT_EQ(of(150'000'000), INT64_MAX);
  EXPECT_EQ(of(-150'000'000), kNoTime + 1);
  EXPECT_EQ(begins.Of(RowOf<int32_t>(date, duck::Encoding::kKey, nullptr)), INT64_MAX);
}

std::map<std::string, int64_t> Rows(const Delta& delta) {
  std::map<std::string, int64_t> rows;
  for (const DeltaRow& row : delta.rows) {
    const std::string right = row.right.data() == nullptr ? "-" : std::string(row.right);
    rows[std::string(row.row) + "|" + right] += row.weight;
  }
  return rows;
}

TEST(WindowGate, LetsAWindowOutOnceAndAsItIsInTheEnd) {
  trace::Budget budget(kPlenty);
  WindowGate gate({10, 0, true}, WindowBegins({Type::Of(TypeId::kTimestamp)}, duck::Encoding::kRow, 0), false,
                  budget);
  const std::string first = At(100), second = At(110);
  Delta changes;
  changes.rows = {{first, "old", 1}, {first, std::string_view(), 2}, {second, "", 1}};
  ASSERT_TRUE(gate.Pass(changes, 105).ok());
  EXPECT_TRUE(changes.rows.empty());
  EXPECT_FALSE(gate.HasToCloseAt(109));
  EXPECT_TRUE(gate.HasToCloseAt(110));
  // A restart in between.
  const std::string section = trace::TakeSection(gate.trace());
  gate.trace().EndStep();
  gate.trace().Clear();
  ASSERT_TRUE(gate.trace().Apply(section).ok());
  changes.rows = {{first, "old", -1}, {first, "new", 1}};
  ASSERT_TRUE(gate.Pass(changes, 119).ok());
  EXPECT_EQ(Rows(changes), (std::map<std::string, int64_t>{{first + "|new", 1}, {first + "|-", 2}}));
  changes.rows.clear();
  gate.trace().EndStep();
  ASSERT_TRUE(gate.Pass(changes, 119).ok());
  EXPECT_TRUE(changes.rows.empty());
  ASSERT_TRUE(gate.Pass(changes, 120).ok());
  EXPECT_EQ(Rows(changes), (std::map<std::string, int64_t>{{second + "|", 1}}));
  EXPECT_FALSE(gate.HasToCloseAt(INT64_MAX));
}

KeyedDelta Keyed(std::vector<KeyedRow> rows) {
  KeyedDelta delta;
  delta.rows = std::move(rows);
  return delta;
}

TEST(Expire, ADistinctForgetsWholeKeysAndTellsTheCheckpoint) {
  trace::Budget budget(kPlenty);
  Distinct distinct(true, budget);
  KeyedDelta in[] = {Keyed({{"a1", {}, 1}, {"a2", {}, 3}, {"b1", {}, 1}})};
  Delta out;
  ASSERT_TRUE(distinct.Step(in, out).ok());
  EXPECT_EQ(out.rows.size(), 3u);
  ASSERT_TRUE(distinct.Expire([](std::string_view key) { return key[0] == 'a'; }).ok());
  const std::string section = trace::TakeSection(*distinct.Traces()[0]);
  distinct.Traces()[0]->EndStep();
  Distinct restored(true, budget);
  ASSERT_TRUE(restored.Traces()[0]->Apply(section).ok());
  for (Distinct* each : {&distinct, &restored}) {
    KeyedDelta again[] = {Keyed({{"a1", {}, 1}, {"b1", {}, 1}})};
    Delta more;
    ASSERT_TRUE(each->Step(again, more).ok());
    ASSERT_EQ(more.rows.size(), 1u);
    EXPECT_EQ(more.rows[0].row, "a1");
  }
}

TEST(Expire, ADistinctNeedNotRememberWhatComesForTheLastTime) {
  trace::Budget budget(kPlenty);
  Distinct distinct(true, budget);
  KeyedDelta first[] = {Keyed({{"a1", {}, 1}})};
  Delta out;
  ASSERT_TRUE(distinct.Step(first, out).ok());
  distinct.SetLastTime([](std::string_view key) { return key[0] == 'a'; });
  KeyedDelta second[] = {Keyed({{"a1", {}, 1}, {"a2", {}, 1}, {"a2", {}, 1}, {"b1", {}, 1}})};
  Delta more;
  ASSERT_TRUE(distinct.Step(second, more).ok());
  EXPECT_EQ(Rows(more), (std::map<std::string, int64_t>{{"a2|-", 1}, {"b1|-", 1}}));
  KeyedDelta third[] = {Keyed({{"a3", {}, 1}, {"b1", {}, 1}})};
  Delta last;
  ASSERT_TRUE(distinct.Step(third, last).ok());
  EXPECT_EQ(Rows(last), (std::map<std::string, int64_t>{{"a3|-", 1}}));
  const std::string section = trace::DumpSection(*distinct.Traces()[0]);
  EXPECT_EQ(section.find("a2"), std::string::npos);
  EXPECT_NE(section.find("b1"), std::string::npos);
}

TEST(Expire, AJoinForgetsBothSides) {
  trace::Budget budget(kPlenty);
  JoinOptions options;
  options.emits_pairs = true;
  options.is_left_append_only = options.is_right_append_only = options.expires = true;
  Join join(options, budget);
  KeyedDelta in[] = {Keyed({{"a", "l", 1}, {"a", "l", 1}, {"b", "l", 1}}), Keyed({{"a", "r", 1}})};
  Delta out;
  ASSERT_TRUE(join.Step(in, out).ok());
  ASSERT_TRUE(join.Expire([](std::string_view key) { return key == "a"; }).ok());
  for (trace::Trace* trace : join.Traces()) trace->EndStep();
  KeyedDelta more[] = {Keyed({}), Keyed({{"a", "s", 1}, {"b", "s", 1}})};
  Delta second;
  ASSERT_TRUE(join.Step(more, second).ok());
  EXPECT_EQ(Rows(second), (std::map<std::string, int64_t>{{"l|s", 1}}));
}

}  // namespace
}  // namespace qn::ops
