// What is read of a log, and what is refused.
#include "connectors/delta/log.h"

#include <gtest/gtest.h>

#include "connectors/delta/snapshot_json.h"
#include "contract/memory_files.h"

namespace qn::delta {
namespace {

constexpr char kFolder[] = "/t";
constexpr char kProtocol[] = R"j({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})j";
constexpr char kMetadata[] =
    R"j({"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"decimal(38,0)\",\"nullable\":true,\"metadata\":{\"comment\":\"c\"}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{"delta.appendOnly":"true"},"createdTime":5}})j";

std::string Add(const std::string& path, const std::string& more = "") {
  return R"({"add":{"path":")" + path +
         R"(","partitionValues":{"p":"x"},"size":7,"modificationTime":1,"dataChange":true)" + more + "}}";
}
std::string Remove(const std::string& path) {
  return R"({"remove":{"path":")" + path + R"(","deletionTimestamp":9,"dataChange":true}})";
}

// A checkpoint "file" here is the actions themselves, one a line.
class TextCheckpoints final : public CheckpointFormat {
 public:
  Status Read(Files& files, const std::vector<std::string>& parts,
              const std::function<Status(const Json&)>& action) override {
    for (const std::string& part : parts) {
      QN_GET(std::string text, files.Read(part));
      while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const auto json = Json::Parse(text.substr(0, end));
        if (!json.ok()) return Failed("QN-3316", "damaged");
        QN_TRY(action(*json));
        text.erase(0, end + 1);
      }
    }
    return Ok();
  }
  Result<std::string> Write(const std::string& lines) override { return lines; }
};

struct Table {
  MemoryFiles files;
  TextCheckpoints checkpoints;

  void Log(const std::string& name, const std::string& text) {
    files.WriteUnsynced(std::string(kFolder) + "/_delta_log/" + name, text);
  }
  void Entry(int version, const std::string& text) { files.WriteUnsynced(EntryPath(kFolder, version), text); }
  void Create() {
    Entry(0, std::string(kProtocol) + "\n" + kMetadata + "\n" + Add("p=x/a%20b.parquet") + "\n");
  }
  Result<Snapshot> Load(int64_t version = -1) { return LoadSnapshot(files, kFolder, &checkpoints, version); }
};

void ExpectRefused(const Result<Snapshot>& result, const std::string& code, const std::string& words) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), code);
  EXPECT_NE(result.status().ToString().find(words), std::string::npos) << result.status().ToString();
}

TEST(Log, AFolderWithoutALogIsNoTable) {
  Table table;
  EXPECT_EQ(table.Load()->version, -1);
  table.files.WriteUnsynced("/t/part.parquet", "x");
  EXPECT_EQ(table.Load()->version, -1);
}

TEST(Log, ReplaysEntriesInOrder) {
  Table table;
  table.Create();
  table.Entry(1, Add("b.parquet") + "\n" + R"({"txn":{"appId":"app","version":3}})" + "\n");
  table.Entry(2, Remove("p=x/a%20b.parquet") + "\n{\"unheardOf\":{\"x\":1}}\n{\"cdc\":{\"path\":\"c\"}}\n");
  const auto snapshot = table.Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  EXPECT_EQ(snapshot->version, 2);
  ASSERT_EQ(snapshot->files.size(), 1u);
  EXPECT_EQ(snapshot->files.begin()->first, "b.parquet");
  EXPECT_EQ(snapshot->tombstones.count("p=x/a b.parquet"), 1u);
  EXPECT_EQ(snapshot->txns.at("app").version, 3);
  EXPECT_EQ(snapshot->schema[0].comment, "c");
  EXPECT_EQ(snapshot->metadata.partition_cols, std::vector<std::string>{"p"});
  EXPECT_EQ(ConfigurationOr(snapshot->metadata.configuration, "delta.appendOnly", ""), "true");
  EXPECT_EQ(table.Load(0)->files.size(), 1u);
  EXPECT_EQ(table.Load(1)->files.size(), 2u);
  ExpectRefused(table.Load(3), "QN-3318", "has no version 3");
}

TEST(Log, AnAddOfTheSamePathReplacesWhatWasKnown) {
  Table table;
  table.Create();
  table.Entry(1, Add("p=x/a%20b.parquet", R"(,"stats":"{\"numRecords\":4}")") + "\n");
  EXPECT_EQ(table.Load()->files.at("p=x/a b.parquet")->stats, R"({"numRecords":4})");
}

TEST(Log, StartsAtTheNewestUsableCheckpoint) {
  Table table;
  const std::string whole = std::string(kProtocol) + "\n" + kMetadata + "\n" + Add("c.parquet") + "\n" +
                            R"({"txn":{"appId":"app","version":9}})" + "\n" + Remove("old.parquet") + "\n";
  table.Log("00000000000000000010.checkpoint.parquet", whole);
  table.Entry(11, Add("d.parquet"));
  const auto snapshot = table.Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  EXPECT_EQ(snapshot->version, 11);
  EXPECT_EQ(snapshot->checkpoint_version, 10);
  EXPECT_EQ(snapshot->files.size(), 2u);
  EXPECT_EQ(snapshot->tombstones.size(), 1u);
  EXPECT_EQ(snapshot->txns.at("app").version, 9);
  EXPECT_EQ(snapshot->txns.at("app").commit_id, "");
}

TEST(Log, MultipartCheckpointsCountOnlyWhenWhole) {
  Table table;
  table.Create();
  for (int i = 1; i <= 4; ++i) table.Entry(i, Add("f" + std::to_string(i)));
  table.Log("00000000000000000002.checkpoint.0000000001.0000000002.parquet",
            std::string(kProtocol) + "\n" + kMetadata);
  table.Log("00000000000000000002.checkpoint.0000000002.0000000002.parquet", Add("from-checkpoint"));
  table.Log("00000000000000000004.checkpoint.0000000001.0000000002.parquet", Add("half"));
  table.Log("00000000000000000004.checkpoint.x.parquet", "another kind");
  table.Log("_last_checkpoint", R"({"version":99,"size":1})");  // only a hint, and a wrong one
  const auto snapshot = table.Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  EXPECT_EQ(snapshot->checkpoint_version, 2);
  EXPECT_EQ(snapshot->files.count("from-checkpoint"), 1u);
  EXPECT_EQ(snapshot->files.count("half"), 0u);
  EXPECT_EQ(snapshot->version, 4);
}

TEST(Log, ADamagedCheckpointIsPassedOverWithAWarning) {
  Table table;
  table.Create();
  table.Entry(1, Add("b.parquet"));
  table.Log("00000000000000000001.checkpoint.parquet", "PAR1 and no more");
  const auto snapshot = table.Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  EXPECT_EQ(snapshot->files.size(), 2u);
  ASSERT_EQ(snapshot->warnings.size(), 1u);
  EXPECT_NE(snapshot->warnings[0].find("QN-3316"), std::string::npos);
  // Without the entries below it, it is refused instead.
  ASSERT_TRUE(table.files.Remove(EntryPath(kFolder, 0)).ok());
  ExpectRefused(table.Load(), "QN-3304", "passed over");
}

TEST(Log, AGapIsRefused) {
  Table table;
  table.Create();
  table.Entry(2, Add("b.parquet"));
  ExpectRefused(table.Load(), "QN-3304", "Entry 1 of 2 is missing.");
  Table headless;
  headless.Entry(1, Add("b.parquet"));
  ExpectRefused(headless.Load(), "QN-3304", "Entry 0 of 1 is missing.");
  Table nameless;
  nameless.Entry(0, Add("b.parquet"));
  ExpectRefused(nameless.Load(), "QN-3304", "no metaData");
}

TEST(Log, DamagedEntriesAreRefused) {
  for (const char* bad :
       {"", "\n\n", "{\"add\":{\"path\":\"x\"", "[1]", "7", "{\"add\":{\"size\":1}}", "{\"protocol\":{}}",
        "{\"metaData\":{}}", "{\"txn\":{\"appId\":\"a\"}}", "{\"remove\":{}}"}) {
    Table table;
    table.Create();
    table.Entry(1, bad);
    ExpectRefused(table.Load(), "QN-3305", "Entry 1 of the table's log is damaged.");
  }
}

TEST(Log, UnknownFeaturesAreNamed) {
  Table table;
  table.Create();
  table.Entry(
      1,
      R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz","columnMapping","newThing"],"writerFeatures":[]}})");
  ExpectRefused(table.Load(), "QN-3306", "It asks for: columnMapping, newThing");
  Table old;
  old.Create();
  old.Entry(1, R"({"protocol":{"minReaderVersion":2,"minWriterVersion":5}})");
  ExpectRefused(old.Load(), "QN-3306", "reader version 2");
}

TEST(Log, DeletionVectorsAndForeignPathsAreRefused) {
  Table table;
  table.Create();
  table.Entry(1, Add("b.parquet", R"(,"deletionVector":{"storageType":"i"})"));
  ExpectRefused(table.Load(), "QN-3317", "b.parquet");
  Table remote;
  remote.Create();
  remote.Entry(1, Add("s3://bucket/b.parquet"));
  ExpectRefused(remote.Load(), "QN-3307", "s3://bucket/b.parquet");
}

TEST(Log, WhatCannotBeWrittenIsToldApart) {
  Snapshot snapshot;
  snapshot.protocol = {1, 2, {}, {}};
  EXPECT_TRUE(CheckWritable(snapshot).ok());
  snapshot.protocol = {1, 4, {}, {}};
  EXPECT_EQ(CheckWritable(snapshot).code(), "QN-3306");
  snapshot.protocol = {1, 7, {}, {"appendOnly", "rowTracking"}};
  EXPECT_NE(CheckWritable(snapshot).ToString().find("rowTracking"), std::string::npos);
  snapshot.protocol = {1, 2, {}, {}};
  snapshot.metadata.configuration = {{"delta.setTransactionRetentionDuration", "interval 1 day"}};
  EXPECT_EQ(CheckWritable(snapshot).code(), "QN-3306");
}

TEST(Log, UpdatesFromWhatIsKnown) {
  Table table;
  table.Create();
  auto snapshot = *table.Load();
  table.Entry(1, Add("b.parquet"));
  table.Entry(2, Remove("b.parquet"));
  ASSERT_TRUE(UpdateSnapshot(table.files, kFolder, snapshot).ok());
  EXPECT_EQ(snapshot.version, 2);
  EXPECT_EQ(snapshot.files.size(), 1u);
  // The log went on without us: the entry that we know last is cleaned away.
  for (int i = 0; i <= 2; ++i) ASSERT_TRUE(table.files.Remove(EntryPath(kFolder, i)).ok());
  EXPECT_EQ(UpdateSnapshot(table.files, kFolder, snapshot).code(), "QN-3304");
}

TEST(Log, WhatIsReadAloneIsDurable) {
  Table table;
  ASSERT_TRUE(table.files.MakeFolder("/t/_delta_log").ok());
  table.Create();
  table.Entry(1, Add("b.parquet"));
  ASSERT_TRUE(ReadEntry(table.files, kFolder, 0)->has_value());
  table.files.PowerCut();
  EXPECT_TRUE(ReadEntry(table.files, kFolder, 0)->has_value());
  EXPECT_EQ(*table.files.Read(EntryPath(kFolder, 1)), "")
      << "its name was synced with the folder, its bytes were not";
}

TEST(SnapshotJson, TellsWhatAReaderNeeds) {
  Table table;
  table.Create();
  table.Entry(
      1,
      Add("b%25.parquet",
          R"(,"stats":"{\"numRecords\":4,\"maxValues\":{\"id\":99999999999999999999999999999999999999}}")") +
          "\n" + R"({"txn":{"appId":"app","version":3}})");
  const auto text = SnapshotJson(table.files, kFolder, nullptr, -1);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const auto json = Json::Parse(*text);
  ASSERT_TRUE(json.ok()) << *text;
  EXPECT_EQ((*json)["version"].Int(), 1);
  EXPECT_EQ((*json)["id"].Str(), "i");
  EXPECT_EQ((*json)["schema"].At(0)["type"].Str(), "DECIMAL(38,0)");
  EXPECT_EQ((*json)["schema"].At(0)["comment"].Str(), "c");
  EXPECT_EQ((*json)["partition_cols"].At(0).Str(), "p");
  EXPECT_EQ((*json)["properties"]["delta.appendOnly"].Str(), "true");
  EXPECT_EQ((*json)["txn"]["app"].Int(), 3);
  EXPECT_EQ((*json)["files"].At(0)["path"].Str(), "/t/b%.parquet");
  EXPECT_EQ((*json)["files"].At(0)["rows"].Int(), 4);
  EXPECT_EQ((*json)["files"].At(0)["partition"]["p"].Str(), "x");
  EXPECT_EQ((*json)["files"].At(1)["rows"].Int(), -1);
  EXPECT_TRUE((*json)["files"].At(0)["stats"].IsObject());
  EXPECT_EQ(text->find("99999999999"), std::string::npos) << "a number that JSON readers would round";
  EXPECT_EQ((*Json::Parse(*SnapshotJson(table.files, kFolder, nullptr, 0)))["files"].Items().size(), 1u);
  EXPECT_EQ(SnapshotJson(table.files, "/nowhere", nullptr, -1).status().code(), "QN-3318");
}

}  // namespace
}  // namespace qn::delta
