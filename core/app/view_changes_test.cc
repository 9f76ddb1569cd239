// What a view's table says of its changes. With QANAT_GOLDEN_DIR set, the tables stay there for tests/golden,
// which reads the changes with deltalake (1.6 does not decode paths there: no blanks in values of
// partitions).
#include <random>

#include "app/test_view.h"

namespace qn::app {
namespace {

using World = ViewWorld;
using Typed = std::map<std::string, Model>;  // type of change → rows

std::string Rows(int from, int to, int price) {
  return "SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE 'c-' || (i % 3) END AS city, TIMESTAMP "
         "'2024-01-01' + "
         "to_hours(i) AS at, (" +
         std::to_string(price) + " + i * 0.25)::DECIMAL(12,2) AS price FROM range(" + std::to_string(from) +
         ", " + std::to_string(to) + ") t(i)";
}

World::Shape Telling(std::vector<std::string> partition_cols, std::vector<std::string> keys,
                     const std::string& name) {
  World::Shape shape;
  shape.partition_cols = std::move(partition_cols);
  shape.keys = std::move(keys);
  shape.properties = {{"delta.enableChangeDataFeed", "true"}};
  const char* golden = std::getenv("QANAT_GOLDEN_DIR");
  if (golden != nullptr) {
    shape.root = std::string(golden) + "/" + name;
    std::filesystem::create_directories(shape.root);
  }
  return shape;
}

// The rows of the files with changes.
Typed ChangesOf(World& world, const StagedDelta& staged) {
  Typed changes;
  for (const StagedFile& file : staged.changes) {
    EXPECT_TRUE(file.path.starts_with(world.folder() + "/_change_data/")) << file.path;
    const std::string from = " FROM read_parquet(" + QuoteText(file.path) + ", hive_partitioning = false)";
    for (const auto& type : world.Ask("SELECT DISTINCT _change_type" + from).rows) {
      const std::string where = " WHERE _change_type = " + QuoteText(type[0].Str());
      for (const std::string& row : world.Encode("SELECT *" + from + where)) ++changes[type[0].Str()][row];
    }
  }
  return changes;
}

TEST(ViewChanges, ASumOfThemIsTheTable) {
  int table = 0;
  for (const World::Shape& shape :
       {Telling({}, {"id"}, "keyed"), Telling({"city"}, {"id"}, "parts"), Telling({}, {}, "bag")}) {
    World world(Rows(0, 1, 0), shape);
    std::mt19937_64 random(static_cast<uint64_t>(++table));
    std::map<int, int> prices;  // id → price
    Model sum, model;
    for (int step = 0; step < 12; ++step) {
      Model change;
      for (int i = 0; i < 60; ++i) {
        const int id = static_cast<int>(random() % 300);
        const auto old = prices.find(id);
        if (old != prices.end()) Add(change, Added(world.Encode(Rows(id, id + 1, old->second)), -1));
        if (random() % 4 == 0) {
          prices.erase(id);
        } else {
          prices[id] = step;
          Add(change, Added(world.Encode(Rows(id, id + 1, step))));
        }
      }
      const bool starts_empty = step == 8;
      if (starts_empty) {
        change.clear();
        for (const auto& [id, price] : prices) Add(change, Added(world.Encode(Rows(id, id + 1, price))));
      }
      const StagedDelta staged = world.Step(change, starts_empty);
      if (starts_empty) model.clear();
      Add(model, change);
      EXPECT_EQ(world.Stored(), model);
      Typed changes = ChangesOf(world, staged);
      if (staged.removes.empty()) {
        // The files that come and go say it.
        EXPECT_TRUE(changes.empty());
        if (starts_empty) sum.clear();
        Add(sum, change);
      } else {
        EXPECT_EQ(changes["update_preimage"].empty(), shape.keys.empty());
        EXPECT_EQ(changes["update_preimage"].size(), changes["update_postimage"].size());
        EXPECT_FALSE(changes["insert"].empty() || changes["delete"].empty());
        for (auto& [type, rows] : changes) {
          const int64_t sign = type == "insert" || type == "update_postimage" ? 1 : -1;
          for (auto& [row, count] : rows) count *= sign;
          Add(sum, rows);
        }
      }
      EXPECT_EQ(sum, model) << "step " << step;
    }
  }
}

TEST(ViewChanges, TheLogNamesThemAndTheSweepKeepsThem) {
  World world(Rows(0, 1, 0), Telling({}, {}, "swept"));
  const auto rows = world.Encode(Rows(0, 50, 0));
  world.Step(Added(rows));
  EXPECT_EQ(world.sink().snapshot().protocol.writer, 7);
  EXPECT_EQ(world.sink().snapshot().protocol.writer_features.back(), "changeDataFeed");
  const StagedDelta staged = world.Step({{rows[0], -1}});
  ASSERT_EQ(staged.changes.size(), 1u);
  const std::string& path = staged.changes[0].path;
  LocalFiles files;
  const auto entry = delta::ParseEntry(1, *files.Read(delta::EntryPath(world.folder(), 1)));
  ASSERT_TRUE(entry.ok());
  ASSERT_EQ(entry->cdcs.size(), 1u);
  EXPECT_EQ(world.folder() + "/" + *delta::DecodePath(entry->cdcs[0].path), path);
  EXPECT_EQ(entry->cdcs[0].size, std::filesystem::file_size(path));
  // A step that is staged, and nothing more.
  const auto lost = world.TryApply({{rows[1], -1}}, 3);
  ASSERT_TRUE(lost.ok());
  const auto receipt = world.sink().Stage(3, *lost);
  ASSERT_TRUE(receipt.ok());
  world.Open();
  EXPECT_EQ(*world.sink().SweepOrphans(std::vector<Receipt>{*Json::Parse(receipt->Dump())}), 0u);
  EXPECT_EQ(*world.sink().SweepOrphans({}), lost->files.size() + lost->changes.size());
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(lost->changes[0].path));
  // Long ago, as the clock of this world has it.
  const auto then = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 365 * 20);
  std::filesystem::last_write_time(path, then);
  EXPECT_EQ(*world.sink().SweepOrphans({}), 1u);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ViewChanges, ATableMayBeginToTellThem) {
  World::Shape shape;
  World world(Rows(0, 1, 0), shape);
  const auto rows = world.Encode(Rows(0, 50, 0));
  world.Step(Added(rows));
  EXPECT_TRUE(world.Step({{rows[0], -1}}).changes.empty());
  world.SetProperties({{"delta.enableChangeDataFeed", "true"}});
  EXPECT_EQ(world.Step({{rows[1], -1}}).changes.size(), 1u);
  const delta::Protocol& protocol = world.sink().snapshot().protocol;
  EXPECT_EQ(protocol.writer, 7);
  EXPECT_EQ(protocol.writer_features.back(), "changeDataFeed");
  world.SetProperties({});  // what the table has stays
  EXPECT_EQ(world.Step({{rows[2], -1}}).changes.size(), 1u);
}

}  // namespace
}  // namespace qn::app
