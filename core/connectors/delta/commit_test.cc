// Every rule of the commit machine, told without a file system.
#include "connectors/delta/commit.h"

#include <gtest/gtest.h>

namespace qn::delta {
namespace {

using Do = CommitEffect::What;

constexpr int64_t kNow = 1'700'000'000'000;

AddFile File(const std::string& path) {
  AddFile add;
  add.path = path;
  add.size = 10;
  return add;
}

Metadata Table() {
  Metadata metadata;
  metadata.id = "table-id";
  metadata.schema_string =
      R"({"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]})";
  return metadata;
}

CommitPlan Plan(Epoch epoch, Epoch follows, std::vector<AddFile> adds) {
  CommitPlan plan;
  plan.app_id = "app";
  plan.epoch = epoch;
  plan.follows = follows;
  plan.commit_id = "commit-" + std::to_string(epoch);
  plan.adds = std::move(adds);
  return plan;
}

std::string Foreign(const std::string& actions) {
  return R"({"commitInfo":{"timestamp":1700000000000,"engineInfo":"Spark 4.0"}})"
         "\n" +
         actions;
}

CommitEvent Start() { return {CommitEvent::What::kStart, {}, {}, kNow}; }
CommitEvent Entry(std::string text) { return {CommitEvent::What::kEntry, std::move(text), {}, kNow}; }
CommitEvent NoEntry() { return {CommitEvent::What::kEntry, {}, {}, kNow}; }
CommitEvent PutEnded(Kind kind) {
  return {CommitEvent::What::kPut,
          {},
          kind == Kind::kOk ? Ok() : Status(kind, "QN-3104", "the store says so"),
          kNow};
}

// A table at version 4 in which we have committed epoch 7.
struct Bench {
  Snapshot snapshot;
  CommitPlan plan;
  std::unique_ptr<CommitMachine> machine;

  explicit Bench(CommitPlan the_plan, bool with_table = true) : plan(std::move(the_plan)) {
    if (with_table) {
      qn::delta::Entry entry;
      entry.protocol = Protocol{};
      entry.metadata = Table();
      entry.adds = {File("old.parquet")};
      entry.txns = {{"app", 7, 0}};
      EXPECT_TRUE(ApplyEntry(snapshot, 4, entry).ok());
    }
    machine = std::make_unique<CommitMachine>(plan, snapshot, "/lake/t", "Qanat 0.1");
  }
  CommitEffect Step(const CommitEvent& event) { return machine->Step(event); }
  // Up to the first put.
  CommitEffect Begin() {
    EXPECT_EQ(Step(Start()).what, Do::kRead);
    return Step(NoEntry());
  }
};

void ExpectFailed(const CommitEffect& effect, const std::string& code, Kind kind, const std::string& words) {
  ASSERT_EQ(effect.what, Do::kFail);
  EXPECT_EQ(effect.status.code(), code);
  EXPECT_EQ(effect.status.kind(), kind);
  EXPECT_NE(effect.status.ToString().find(words), std::string::npos) << effect.status.ToString();
}

TEST(CommitMachine, PutsTheNextEntryAndMovesTheSnapshot) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  const CommitEffect put = bench.Begin();
  ASSERT_EQ(put.what, Do::kPut);
  EXPECT_EQ(put.version, 5);
  const CommitEffect done = bench.Step(PutEnded(Kind::kOk));
  EXPECT_EQ(done.what, Do::kDone);
  EXPECT_FALSE(done.already);
  EXPECT_EQ(bench.snapshot.version, 5);
  EXPECT_EQ(bench.snapshot.txns["app"].version, 8);
  EXPECT_EQ(bench.snapshot.files.count("a.parquet"), 1u);
  EXPECT_EQ(bench.snapshot.files.count("old.parquet"), 1u);
}

TEST(CommitMachine, TheEntrySaysWhoWhatAndAfterWhat) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  const std::string text = bench.Begin().text;
  const Json info = (*Json::Parse(text.substr(0, text.find('\n'))))["commitInfo"];
  EXPECT_EQ(info["engineInfo"].Str(), "Qanat 0.1");
  EXPECT_EQ(info["txnId"].Str(), "commit-8");
  EXPECT_EQ(info["timestamp"].Int(), kNow);
  EXPECT_EQ(info["operationParameters"]["epochId"].Str(), "8");
  EXPECT_EQ(info["operationParameters"]["follows"].Str(), "7");
  EXPECT_TRUE(info["isBlindAppend"].Bool());
  EXPECT_NE(text.find(R"({"txn":{"appId":"app","version":8,)"), std::string::npos);
  EXPECT_EQ(text.find("metaData"), std::string::npos);
}

TEST(CommitMachine, CreatesTheTable) {
  CommitPlan plan = Plan(1, 0, {});
  plan.metadata = Table();
  plan.protocol = Protocol{3, 7, {"timestampNtz"}, {"timestampNtz"}};
  Bench bench(std::move(plan), false);
  const CommitEffect put = bench.Begin();
  ASSERT_EQ(put.what, Do::kPut);
  EXPECT_EQ(put.version, 0);
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  EXPECT_EQ(bench.snapshot.metadata.id, "table-id");
  EXPECT_EQ(bench.snapshot.protocol.reader, 3);
}

TEST(CommitMachine, TwoWhoCreateAtOnceDoNotMix) {
  CommitPlan plan = Plan(1, 0, {File("a.parquet")});
  plan.metadata = Table();
  plan.protocol = Protocol{};
  Bench bench(std::move(plan), false);
  bench.Begin();
  EXPECT_EQ(bench.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  const auto refused =
      bench.Step(Entry(Foreign(ToAction(Protocol{}).Dump() + "\n" + ToAction(Table()).Dump())));
  ExpectFailed(refused, "QN-3302", Kind::kFailed, "changed its schema, properties or protocol");
}

TEST(CommitMachine, AReceiptThatTheTableHasIsDoneWithoutReading) {
  Bench bench(Plan(7, 5, {File("old.parquet")}));
  const CommitEffect done = bench.Step(Start());
  EXPECT_EQ(done.what, Do::kDone);
  EXPECT_TRUE(done.already);
}

TEST(CommitMachine, AReceiptWhoseFilesWereCompactedSinceIsDone) {
  Bench bench(Plan(7, 5, {File("old.parquet")}));
  qn::delta::Entry compaction;
  compaction.removes = {RemoveFile{"old.parquet", kNow, false, false, {}, 0}};
  compaction.adds = {File("big.parquet")};
  ASSERT_TRUE(ApplyEntry(bench.snapshot, 5, compaction).ok());
  EXPECT_TRUE(bench.Step(Start()).already);
}

TEST(CommitMachine, AnEarlierReceiptThatTheTableHasIsDone) {
  Bench bench(Plan(6, 5, {File("old.parquet")}));
  EXPECT_TRUE(bench.Step(Start()).already);
}

TEST(CommitMachine, AZombieIsFencedByTheTxnItReads) {
  Bench bench(Plan(7, 6, {File("zombie.parquet")}));
  const CommitEffect fenced = bench.Step(Start());
  ExpectFailed(fenced, "QN-3301", Kind::kConflict,
               "the table has step 7 of this pipeline already, with other files");
  EXPECT_EQ(bench.snapshot.version, 4);
}

TEST(CommitMachine, SameEpochSameCountOtherCommitIdIsFenced) {
  Bench bench(Plan(8, 7, {File("mine.parquet")}));
  bench.Step(Start());
  const auto other = Foreign(R"({"txn":{"appId":"app","version":8}})"
                             "\n" +
                             ToAction(File("theirs.parquet")).Dump());
  ExpectFailed(bench.Step(Entry(other)), "QN-3301", Kind::kConflict,
               "committed by 'Spark 4.0' at 2023-11-14 22:13:20 UTC");
}

TEST(CommitMachine, AZombieIsFencedWhenItsPutLoses) {
  Bench bench(Plan(8, 7, {File("zombie.parquet")}));
  bench.Begin();
  EXPECT_EQ(bench.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  const auto later = Foreign(R"({"txn":{"appId":"app","version":9}})");
  ExpectFailed(bench.Step(Entry(later)), "QN-3301", Kind::kConflict, "the table has step 9");
}

TEST(CommitMachine, StartPositionsAreCompared) {
  Bench bench(Plan(9, 8, {File("a.parquet")}));  // follows 8, the table has 7
  bench.Step(Start());
  ExpectFailed(bench.Step(NoEntry()), "QN-3303", Kind::kFailed,
               "Step 9 follows step 8; the table (version 4) has step 7 of this pipeline.");
}

TEST(CommitMachine, AnOlderStepOfUsThatLandsLateIsNotBuiltUpon) {
  Bench bench(Plan(9, 7, {File("a.parquet")}));
  bench.Begin();
  bench.Step(PutEnded(Kind::kConflict));
  EXPECT_EQ(bench.Step(Entry(Foreign(R"({"txn":{"appId":"app","version":8}})"))).what, Do::kRead);
  ExpectFailed(bench.Step(NoEntry()), "QN-3303", Kind::kFailed, "has step 8 of this pipeline");
}

TEST(CommitMachine, ATableThatIsGoneIsNotCreatedAgain) {
  Bench bench(Plan(9, 0, {File("a.parquet")}), false);
  bench.Step(Start());
  ExpectFailed(bench.Step(NoEntry()), "QN-3303", Kind::kFailed, "Was the table deleted");
}

TEST(CommitMachine, AppendsOnTopOfForeignAppends) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Begin();
  EXPECT_EQ(bench.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  EXPECT_EQ(bench.Step(Entry(Foreign(ToAction(File("theirs.parquet")).Dump()))).what, Do::kRead);
  const CommitEffect put = bench.Step(NoEntry());
  ASSERT_EQ(put.what, Do::kPut);
  EXPECT_EQ(put.version, 6);
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  EXPECT_EQ(bench.snapshot.files.size(), 3u);
}

TEST(CommitMachine, AppendsOnTopOfForeignDeletes) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  bench.Step(Entry(Foreign(ToAction(RemoveFile{"old.parquet", kNow, true, false, {}, 0}).Dump())));
  EXPECT_EQ(bench.Step(NoEntry()).what, Do::kPut);
}

TEST(CommitMachine, GivesUpWhenTheTableIsTooBusy) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  CommitEffect effect = bench.Step(Start());
  int taken = 0;
  for (; effect.what == Do::kRead && taken < 2 * kRebasesMax; ++taken)
    effect = bench.Step(Entry(Foreign("")));
  EXPECT_EQ(taken, kRebasesMax + 1);
  ExpectFailed(effect, "QN-3314", Kind::kRetryable, "too busy");
}

TEST(CommitMachine, AStoreThatAlwaysSaysConflictEndsToo) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  CommitEffect effect = bench.Begin();
  int puts = 0;
  for (; effect.what == Do::kPut && puts < 2 * kRebasesMax; ++puts) {
    bench.Step(PutEnded(Kind::kConflict));
    if (puts >= kRebasesMax) break;
    effect = bench.Step(NoEntry());
  }
  EXPECT_EQ(puts, kRebasesMax);
}

TEST(CommitMachine, ForeignMetadataIsRefused) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  const CommitEffect refused = bench.Step(Entry(Foreign(ToAction(Table()).Dump())));
  ExpectFailed(refused, "QN-3302", Kind::kFailed,
               "Its version 5, written by 'Spark 4.0' at 2023-11-14 22:13:20 UTC");
  EXPECT_EQ(bench.snapshot.version, 4);
}

TEST(CommitMachine, ForeignProtocolIsRefused) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  ExpectFailed(bench.Step(Entry(Foreign(ToAction(Protocol{}).Dump()))), "QN-3302", Kind::kFailed, "protocol");
}

TEST(CommitMachine, ReplacingRemovesAllThatTheTableHas) {
  CommitPlan plan = Plan(8, 7, {File("new.parquet")});
  plan.replaces_all = true;
  Bench bench(std::move(plan));
  bench.Step(Start());
  // Rows appended meanwhile go as well: the table is equal to its query.
  bench.Step(Entry(Foreign(ToAction(File("theirs.parquet")).Dump())));
  const CommitEffect put = bench.Step(NoEntry());
  ASSERT_EQ(put.what, Do::kPut);
  bench.Step(PutEnded(Kind::kOk));
  ASSERT_EQ(bench.snapshot.files.size(), 1u);
  EXPECT_EQ(bench.snapshot.files.begin()->first, "new.parquet");
  EXPECT_EQ(bench.snapshot.tombstones.size(), 2u);
  EXPECT_NE(put.text.find(R"("isBlindAppend":false)"), std::string::npos);
}

TEST(CommitMachine, ReplacingWhatSomebodyElseRemovesIsRefused) {
  CommitPlan plan = Plan(8, 7, {File("new.parquet")});
  plan.replaces_all = true;
  Bench bench(std::move(plan));
  bench.Step(Start());
  const auto foreign = Foreign(ToAction(RemoveFile{"old.parquet", kNow, true, false, {}, 0}).Dump());
  ExpectFailed(bench.Step(Entry(foreign)), "QN-3302", Kind::kFailed, "removed rows that we are replacing");
}

TEST(CommitMachine, ReplacingByNothingIsRecognisedWhenRepeated) {
  CommitPlan plan = Plan(8, 7, {});
  plan.replaces_all = true;
  Bench bench(plan);
  bench.Begin();
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  CommitMachine again(plan, bench.snapshot, "/lake/t", "Qanat");
  EXPECT_TRUE(again.Step(Start()).already);
  CommitPlan other = plan;
  other.commit_id = "of another run";
  CommitMachine zombie(other, bench.snapshot, "/lake/t", "Qanat");
  ExpectFailed(zombie.Step(Start()), "QN-3301", Kind::kConflict, "step 8");
}

// Step 8, which puts new.parquet in the place of old.parquet.
CommitPlan Rewriting() {
  CommitPlan plan = Plan(8, 7, {File("new.parquet")});
  plan.removes = {"old.parquet"};
  return plan;
}

TEST(CommitMachine, RewritingAddsAndRemovesInOneEntry) {
  Bench bench(Rewriting());
  const CommitEffect put = bench.Begin();
  ASSERT_EQ(put.what, Do::kPut);
  const auto entry = ParseEntry(5, put.text);
  ASSERT_TRUE(entry.ok());
  ASSERT_EQ(entry->removes.size(), 1u);
  EXPECT_EQ(entry->removes[0].path, "old.parquet");
  EXPECT_TRUE(entry->removes[0].data_change);
  EXPECT_EQ(entry->removes[0].size, 10u);
  ASSERT_EQ(entry->adds.size(), 1u);
  EXPECT_TRUE(entry->adds[0].data_change);
  EXPECT_FALSE(entry->commit_info["isBlindAppend"].Bool(true));
  EXPECT_EQ(entry->commit_info["operationMetrics"]["numRemovedFiles"].Str(), "1");
  EXPECT_EQ(entry->commit_info["operationParameters"]["outputMode"].Str(), "Update");
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  ASSERT_EQ(bench.snapshot.files.size(), 1u);
  EXPECT_EQ(bench.snapshot.files.begin()->first, "new.parquet");
  EXPECT_EQ(bench.snapshot.tombstones.count("old.parquet"), 1u);
}

TEST(CommitMachine, RewritingKeepsWhatOthersAppendMeanwhile) {
  Bench bench(Rewriting());
  bench.Begin();
  EXPECT_EQ(bench.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  EXPECT_EQ(bench.Step(Entry(Foreign(ToAction(File("theirs.parquet")).Dump()))).what, Do::kRead);
  EXPECT_EQ(bench.Step(NoEntry()).what, Do::kPut);
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  EXPECT_EQ(bench.snapshot.files.size(), 2u);
}

TEST(CommitMachine, RewritingKeepsAFileWhoseActionIsWrittenAnew) {
  Bench bench(Rewriting());
  bench.Step(Start());
  const auto same = Foreign(ToAction(RemoveFile{"old.parquet", kNow, false, false, {}, 0}).Dump() + "\n" +
                            ToAction(File("old.parquet")).Dump());
  EXPECT_EQ(bench.Step(Entry(same)).what, Do::kRead);
  EXPECT_EQ(bench.Step(NoEntry()).what, Do::kPut);
}

TEST(CommitMachine, RewritingWhatSomebodyElseRewroteIsRefused) {
  // A compaction changes no row, yet the rows of old.parquet are elsewhere now.
  const std::string compaction =
      Foreign(ToAction(RemoveFile{"old.parquet", kNow, false, false, {}, 0}).Dump() + "\n" +
              ToAction(File("big.parquet")).Dump());
  Bench before(Rewriting());
  before.Step(Start());
  ExpectFailed(before.Step(Entry(compaction)), "QN-3319", Kind::kConflict,
               "Its version 5, written by 'Spark 4.0' at 2023-11-14 22:13:20 UTC, removed them.");
  Bench lost(Rewriting());
  lost.Begin();
  EXPECT_EQ(lost.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  ExpectFailed(lost.Step(Entry(compaction)), "QN-3319", Kind::kConflict, "--full-refresh");
  Bench unknown(Rewriting());
  unknown.Begin();
  unknown.Step(PutEnded(Kind::kUnknown));
  ExpectFailed(unknown.Step(Entry(compaction)), "QN-3319", Kind::kConflict, "nothing of the step");
}

TEST(CommitMachine, RewritingIsRefusedAfterARestartToo) {
  Bench bench(Rewriting());
  qn::delta::Entry compaction;
  compaction.removes = {RemoveFile{"old.parquet", kNow, false, false, {}, 0}};
  compaction.adds = {File("big.parquet")};
  ASSERT_TRUE(ApplyEntry(bench.snapshot, 5, compaction).ok());
  bench.Step(Start());
  ExpectFailed(bench.Step(NoEntry()), "QN-3319", Kind::kConflict,
               "The table (version 5) has them no longer.");
  EXPECT_EQ(bench.snapshot.files.count("big.parquet"), 1u);
}

TEST(CommitMachine, RewritingIsRecognisedWhenRepeated) {
  for (const bool has_rows : {true, false}) {
    CommitPlan plan = Rewriting();
    if (!has_rows) plan.adds.clear();
    Bench bench(plan);
    ASSERT_EQ(bench.Begin().what, Do::kPut);
    EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
    CommitMachine again(plan, bench.snapshot, "/lake/t", "Qanat");
    EXPECT_TRUE(again.Step(Start()).already);
    bench.snapshot.txns["app"].commit_id = "";  // as it comes from a log checkpoint
    CommitMachine late(plan, bench.snapshot, "/lake/t", "Qanat");
    EXPECT_TRUE(late.Step(Start()).already);
  }
}

TEST(CommitMachine, AnEmptyStepLeavesNoEntryButIsFencedAllTheSame) {
  Bench bench(Plan(8, 7, {}));
  bench.Step(Start());
  const CommitEffect done = bench.Step(NoEntry());
  EXPECT_EQ(done.what, Do::kDone);
  EXPECT_EQ(bench.snapshot.version, 4);
  Bench zombie(Plan(8, 7, {}));
  zombie.Step(Start());
  ExpectFailed(zombie.Step(Entry(Foreign(R"({"txn":{"appId":"app","version":8}})"))), "QN-3301",
               Kind::kConflict, "");
  Bench lost(Plan(12, 9, {}));
  lost.Step(Start());
  ExpectFailed(lost.Step(NoEntry()), "QN-3303", Kind::kFailed, "");
}

TEST(CommitMachine, StepsWithoutRowsBetweenAreNoGap) {
  Bench bench(Plan(20, 7, {File("a.parquet")}));  // 8 … 19 brought nothing
  EXPECT_EQ(bench.Begin().what, Do::kPut);
}

TEST(CommitMachine, UnknownAndThere) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  const std::string text = bench.Begin().text;
  const CommitEffect read = bench.Step(PutEnded(Kind::kUnknown));
  ASSERT_EQ(read.what, Do::kRead);
  EXPECT_EQ(read.version, 5);
  const CommitEffect done = bench.Step(Entry(text));
  EXPECT_EQ(done.what, Do::kDone);
  EXPECT_EQ(bench.snapshot.version, 5);
}

TEST(CommitMachine, UnknownAndNotThereIsPutAgainAtTheSameVersion) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Begin();
  bench.Step(PutEnded(Kind::kUnknown));
  const CommitEffect put = bench.Step(NoEntry());
  ASSERT_EQ(put.what, Do::kPut);
  EXPECT_EQ(put.version, 5);
  // The first put lands late: the second loses to it, and finds that it is ours.
  const std::string text = put.text;
  ASSERT_EQ(bench.Step(PutEnded(Kind::kConflict)).what, Do::kRead);
  EXPECT_EQ(bench.Step(Entry(text)).what, Do::kDone);
  EXPECT_EQ(bench.snapshot.version, 5);
}

TEST(CommitMachine, UnknownAndSomebodyElseWasThere) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Begin();
  bench.Step(PutEnded(Kind::kUnknown));
  ASSERT_EQ(bench.Step(Entry(Foreign(ToAction(File("theirs.parquet")).Dump()))).what, Do::kRead);
  const CommitEffect put = bench.Step(NoEntry());
  ASSERT_EQ(put.what, Do::kPut);
  EXPECT_EQ(put.version, 6);
}

TEST(CommitMachine, UnknownAndAZombieWasThere) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Begin();
  bench.Step(PutEnded(Kind::kUnknown));
  const auto theirs = Foreign(R"({"txn":{"appId":"app","version":8}})"
                              "\n" +
                              ToAction(File("b.parquet")).Dump());
  ExpectFailed(bench.Step(Entry(theirs)), "QN-3301", Kind::kConflict, "");
}

TEST(CommitMachine, UnknownForeverStaysUnknown) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  CommitEffect effect = bench.Begin();
  int puts = 0;
  while (effect.what == Do::kPut && puts < 100) {
    ++puts;
    bench.Step(PutEnded(Kind::kUnknown));
    effect = bench.Step(NoEntry());
  }
  EXPECT_EQ(puts, kUnknownsMax);
  ExpectFailed(effect, "QN-3308", Kind::kUnknown,
               "Start again: the table is read and the step is committed exactly once.");
}

TEST(CommitMachine, UnknownAndUnreadableStaysUnknown) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Begin();
  bench.Step(PutEnded(Kind::kUnknown));
  const Status broken = Failed("QN-3104", "The disk failed to read it.");
  ExpectFailed(bench.Step({CommitEvent::What::kReadFailed, {}, broken, kNow}), "QN-3308", Kind::kUnknown,
               "The disk failed");
}

TEST(CommitMachine, FailuresBeforeAnyPutAreToldAsTheyAre) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  const Status broken = Failed("QN-3102", "No permission.");
  ExpectFailed(bench.Step({CommitEvent::What::kReadFailed, {}, broken, kNow}), "QN-3102", Kind::kFailed,
               "No permission");
  Bench full(Plan(8, 7, {File("a.parquet")}));
  full.Begin();
  ExpectFailed(full.Step(PutEnded(Kind::kRetryable)), "QN-3104", Kind::kRetryable, "");
}

TEST(CommitMachine, ADamagedEntryIsNotPassedOver) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  ExpectFailed(bench.Step(Entry("{\"add\":{\"path\":")), "QN-3305", Kind::kFailed,
               "Entry 5 of the table's log is damaged");
  Bench empty(Plan(8, 7, {File("a.parquet")}));
  empty.Step(Start());
  ExpectFailed(empty.Step(Entry("")), "QN-3305", Kind::kFailed, "the file is empty");
}

TEST(CommitMachine, ForeignDeletionVectorsAreRefused) {
  Bench bench(Plan(8, 7, {File("a.parquet")}));
  bench.Step(Start());
  const auto text = Foreign(
      R"({"add":{"path":"x","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true,)"
      R"("deletionVector":{"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1}}})");
  ExpectFailed(bench.Step(Entry(text)), "QN-3317", Kind::kFailed, "deletion vectors");
}

TEST(Receipt, GoesThroughJsonAndBack) {
  CommitPlan plan = Plan(8, 7, {File("day=1/a%20b.parquet")});
  plan.adds[0].partition = {{"day", "1"}, {"city", std::nullopt}};
  plan.adds[0].stats = R"({"numRecords":1})";
  plan.adds[0].tags = {{"qanat.crc32c", "0a0b0c0d"}};
  plan.metadata = Table();
  plan.protocol = Protocol{3, 7, {"timestampNtz"}, {"timestampNtz", "appendOnly"}};
  plan.rows = 1;
  const Result<CommitPlan> back = PlanOf(*Json::Parse(ReceiptOf(plan).Dump()));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->adds, plan.adds);
  EXPECT_EQ(back->metadata, plan.metadata);
  EXPECT_EQ(back->protocol, plan.protocol);
  EXPECT_EQ(back->commit_id, plan.commit_id);
  EXPECT_EQ(back->follows, 7);
}

TEST(CommitMachine, ChangesAreNamedInTheEntry) {
  CommitPlan plan = Rewriting();
  plan.cdcs = {{"_change_data/c.parquet", {{"day", "1"}}, 7, {{"qanat.crc32c", "0"}}}};
  const Result<CommitPlan> back = PlanOf(*Json::Parse(ReceiptOf(plan).Dump()));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->cdcs, plan.cdcs);
  Bench bench(*back);
  const std::string text = bench.Begin().text;
  EXPECT_NE(text.find(R"({"cdc":{"path":"_change_data/c.parquet","partitionValues":{"day":"1"},"size":7,)"
                      R"("dataChange":false)"),
            std::string::npos)
      << text;
  EXPECT_EQ(bench.Step(PutEnded(Kind::kOk)).what, Do::kDone);
  EXPECT_EQ(bench.snapshot.files.size(), 1u) << "they are no rows of the table";
}

TEST(Receipt, AnOlderQanatRefusesRemoves) {
  CommitPlan plan = Plan(8, 7, {File("a.parquet")});
  EXPECT_EQ(ReceiptOf(plan)["delta_receipt"].Int(), 1);
  EXPECT_TRUE(PlanOf(ReceiptOf(plan))->removes.empty());
  plan.removes = {"day=1/a b.parquet", "c.parquet"};
  const Json receipt = *Json::Parse(ReceiptOf(plan).Dump());
  EXPECT_EQ(receipt["delta_receipt"].Int(), 2);
  EXPECT_EQ(PlanOf(receipt)->removes, plan.removes);
}

TEST(Receipt, OfOthersIsRefused) {
  EXPECT_EQ(PlanOf(Json()).status().code(), "QN-3315");
  Json newer = ReceiptOf(Plan(1, 0, {}));
  newer.Set("delta_receipt", 3);
  EXPECT_NE(PlanOf(newer).status().ToString().find("A newer Qanat wrote it."), std::string::npos);
}

}  // namespace
}  // namespace qn::delta
