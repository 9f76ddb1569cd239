// Two plans call the same functions, or the first other one is named.
#include "plan/signature.h"

#include "plan/test_world.h"

namespace qn::plan {
namespace {

Json Plan(const std::string& sql) {
  const auto rows = World::Take(TheWorld().scratch->Query(
      "SELECT json_serialize_plan(" + QuoteText(sql) +
      ", skip_empty := true, skip_null := true, skip_default := true, optimize := true)::VARCHAR"));
  return World::Take(Json::Parse(rows.rows[0][0].Str()));
}

std::string New(const std::string& before, const std::string& after) {
  return FirstNewCall(Plan(before), Plan(after));
}

TEST(FirstNewCall, KnowsCallsByNameTypesAndBoundData) {
  EXPECT_EQ(New("SELECT upper(url) AS u, qty + 1 AS q FROM events", "SELECT qty + 1 AS q FROM events"), "");
  EXPECT_EQ(New("SELECT upper(url) AS u FROM events", "SELECT lower(url) AS u FROM events"),
            "lower(VARCHAR)");
  EXPECT_EQ(New("SELECT qty + 1 AS q FROM events", "SELECT sid + 1 AS q FROM events"), "+(BIGINT, BIGINT)");
  EXPECT_EQ(New("SELECT price * 1.5 AS p FROM events",
                "SELECT price * CAST(1.5 AS DECIMAL(18,1)) AS p FROM events"),
            "*(DECIMAL(10,2), DECIMAL(18,1))");
  EXPECT_EQ(New("SELECT list_sort(tags, 'DESC') AS l FROM events",
                "SELECT list_sort(tags, 'ASC') AS l FROM events"),
            "list_sort(VARCHAR[], VARCHAR)");
}

TEST(FirstNewCall, LeavesOutCastsComparisonsAndColumnNumbers) {
  EXPECT_EQ(New("SELECT upper(url) AS u FROM events",
                "SELECT upper(country::VARCHAR) AS u FROM events WHERE qty > 1"),
            "");
  EXPECT_EQ(New("SELECT list_transform(tags, lambda t: t || url) AS l FROM events",
                "SELECT list_transform(tags, lambda t: t || country) AS l FROM (SELECT 1 AS x, country, tags "
                "FROM events)"),
            "");
}

}  // namespace
}  // namespace qn::plan
