// Every rule of the protocol, with a scripted world: what the machine asks for next after each answer.
#include "run/step_machine.h"

#include <gtest/gtest.h>

namespace qn::run {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStartNs = 1'000 * kMs;

Status World(Kind kind) { return Status(kind, "QN-9002", "The world failed."); }

Json State(int64_t position) { return Json(Json::Object{{"position", position}}); }

StepOutcome Changes(int64_t position, bool is_drained = false) {
  StepOutcome outcome;
  outcome.has_changes = true;
  outcome.is_drained = is_drained;
  outcome.state = State(position);
  outcome.receipts = {{"clean", Json("rows")}, {"clean__dead_letters", Json("letters")}};
  return outcome;
}

StepOutcome Nothing(bool is_drained = true) {
  StepOutcome outcome;
  outcome.is_drained = is_drained;
  return outcome;
}

Checkpoint Of(Epoch epoch, const StepOutcome& outcome) {
  const Json receipts(Json::Object(outcome.receipts.begin(), outcome.receipts.end()));
  return {epoch, Json(Json::Object{{"state", outcome.state}, {"receipts", receipts}})};
}

Event There(Checkpoint checkpoint) { return Loaded{std::optional<Checkpoint>(std::move(checkpoint))}; }
Event NoneThere() { return Loaded{std::optional<Checkpoint>()}; }

// Answers, and what is asked for then. A wrong guess of the effect throws, which fails the test.
class Script {
 public:
  explicit Script(StepOptions options = {}) : machine(std::move(options), {"clean", "clean__dead_letters"}) {}

  template <typename Wanted>
  Wanted Get(Event event) {
    return std::get<Wanted>(machine.Step(std::move(event), now_ns));
  }
  template <typename Wanted>
  Wanted After() {
    return Get<Wanted>(Done{Ok()});
  }
  template <typename Wanted>
  Wanted Failing(Kind kind) {
    return Get<Wanted>(Done{World(kind)});
  }

  // A fresh start, until the first step is asked for.
  void Start() {
    Get<LoadCheckpoint>(Begin{});
    Get<RestoreWork>(NoneThere());
    After<SweepTable>();
    After<SweepTable>();
    After<ComputeStep>();
  }
  // From a step that is asked for, until its checkpoint is.
  Checkpoint UntilCheckpoint() { return Get<PutCheckpoint>(Computed{Changes(10)}).checkpoint; }
  // And until its first commit is.
  void UntilCommit() {
    UntilCheckpoint();
    After<CommitTable>();
  }
  // From a step that is asked for, until the next is.
  ComputeStep WholeStep(int64_t position) {
    Get<PutCheckpoint>(Computed{Changes(position)});
    After<CommitTable>();
    After<CommitTable>();
    After<AcknowledgeStep>();
    return After<ComputeStep>();
  }

  StepMachine machine;
  int64_t now_ns = kStartNs;
};

TEST(StepMachine, StartsFromNothingAndDoesOneThingAfterAnother) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  EXPECT_TRUE(script.Get<RestoreWork>(NoneThere()).state.IsNull());
  EXPECT_EQ(script.After<SweepTable>().table, "clean");
  EXPECT_EQ(script.After<SweepTable>().table, "clean__dead_letters");
  EXPECT_EQ(script.After<ComputeStep>().epoch, 1);
  const Checkpoint put = script.Get<PutCheckpoint>(Computed{Changes(10)}).checkpoint;
  EXPECT_EQ(put.epoch, 1);
  EXPECT_EQ(put.body, Of(1, Changes(10)).body);
  EXPECT_EQ(script.machine.epoch(), 0) << "a checkpoint counts when it is durable";
  const auto first = script.After<CommitTable>();
  EXPECT_EQ(script.machine.epoch(), 1);
  EXPECT_EQ(first.epoch, 1);
  EXPECT_EQ(first.table, "clean");
  EXPECT_EQ(first.receipt, Json("rows"));
  const auto second = script.After<CommitTable>();
  EXPECT_EQ(second.table, "clean__dead_letters");
  EXPECT_EQ(second.receipt, Json("letters"));
  EXPECT_EQ(script.After<AcknowledgeStep>().epoch, 1);
  EXPECT_EQ(script.After<ComputeStep>().epoch, 2);
  EXPECT_TRUE(script.Get<Finish>(Computed{Nothing()}).status.ok());
}

TEST(StepMachine, CommitsOnlyTablesWithAReceipt) {
  Script script;
  script.Start();
  StepOutcome outcome = Changes(10);
  outcome.receipts.erase("clean");
  script.Get<PutCheckpoint>(Computed{outcome});
  EXPECT_EQ(script.After<CommitTable>().table, "clean__dead_letters");
  script.After<AcknowledgeStep>();
  script.After<ComputeStep>();
  // Positions moved, but every row was filtered: still a checkpoint, and nothing to commit.
  outcome.receipts.clear();
  script.Get<PutCheckpoint>(Computed{outcome});
  EXPECT_EQ(script.After<AcknowledgeStep>().epoch, 2);
}

TEST(StepMachine, RepeatsTheCommitsOfTheCheckpointBeforeAnythingElse) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  const auto first = script.Get<CommitTable>(There(Of(7, Changes(70))));
  EXPECT_EQ(first.epoch, 7);
  EXPECT_EQ(first.table, "clean");
  EXPECT_EQ(script.After<CommitTable>().table, "clean__dead_letters");
  // Only then are files swept: the commits were still in need of theirs.
  EXPECT_EQ(script.After<RestoreWork>().state, State(70));
  EXPECT_EQ(script.After<SweepTable>().table, "clean");
  script.After<SweepTable>();
  EXPECT_EQ(script.After<ComputeStep>().epoch, 8);
}

TEST(StepMachine, StartsNothingWhenTheCheckpointCannotBeLoaded) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  const auto finish = script.Get<Finish>(Loaded{Failed("QN-3401", "No sound checkpoint is left.")});
  EXPECT_EQ(finish.status.code(), "QN-3401");
}

TEST(StepMachine, EndsWhenARepeatedCommitFails) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  script.Get<CommitTable>(There(Of(7, Changes(70))));
  EXPECT_EQ(script.Failing<Finish>(Kind::kConflict).status.kind(), Kind::kConflict);
}

TEST(StepMachine, EndsWhenWorkCannotBeRestoredOrATableNotSwept) {
  Script restoring;
  restoring.Get<LoadCheckpoint>(Begin{});
  restoring.Get<RestoreWork>(NoneThere());
  EXPECT_FALSE(restoring.Failing<Finish>(Kind::kInvalid).status.ok());
  Script sweeping;
  sweeping.Get<LoadCheckpoint>(Begin{});
  sweeping.Get<RestoreWork>(NoneThere());
  sweeping.After<SweepTable>();
  EXPECT_FALSE(sweeping.Failing<Finish>(Kind::kRetryable).status.ok());
}

// ---- beginning again (--full-refresh-all) ----

StepOptions Again(Epoch floor) {
  StepOptions options;
  options.begins_again = true;
  options.epoch_floor = floor;
  return options;
}

TEST(StepMachine, BeginningAgainStillOwesTheCommitsOfASoundCheckpoint) {
  Script script(Again(7));
  script.Get<LoadCheckpoint>(Begin{});
  EXPECT_EQ(script.Get<CommitTable>(There(Of(7, Changes(70)))).epoch, 7);
}

// Else a storage whose last checkpoint and tables contradict each other could never be rebuilt.
TEST(StepMachine, BeginningAgainPassesOverCommitsThatTablesRefuseForGood) {
  Script script(Again(7));
  script.Get<LoadCheckpoint>(Begin{});
  script.Get<CommitTable>(There(Of(7, Changes(70))));
  EXPECT_EQ(script.Failing<CommitTable>(Kind::kConflict).table, "clean__dead_letters");
  script.After<RestoreWork>();
  script.After<SweepTable>();
  script.After<SweepTable>();
  EXPECT_EQ(script.After<ComputeStep>().epoch, 8);
  // Its own commits are no such matter.
  script.UntilCommit();
  EXPECT_EQ(script.Failing<Finish>(Kind::kConflict).status.kind(), Kind::kConflict);
}

TEST(StepMachine, BeginningOneTableAgainPassesOverWhatThatTableRefuses) {
  StepOptions options;
  options.tables_begun_again = {"clean__dead_letters"};
  Script others(options);
  others.Get<LoadCheckpoint>(Begin{});
  EXPECT_EQ(others.Get<CommitTable>(There(Of(7, Changes(70)))).table, "clean");
  EXPECT_FALSE(others.Failing<Finish>(Kind::kConflict).status.ok());

  Script script(options);
  script.Get<LoadCheckpoint>(Begin{});
  script.Get<CommitTable>(There(Of(7, Changes(70))));
  EXPECT_EQ(script.After<CommitTable>().table, "clean__dead_letters");
  script.Failing<RestoreWork>(Kind::kConflict);
}

TEST(StepMachine, BeginningAgainCountsOnFromTheTablesWhenTheCheckpointIsBehindDamagedOrGone) {
  const auto damaged = Loaded{Failed("QN-3401", "No sound checkpoint is left.")};
  for (const Event& loaded : {There(Of(5, Changes(50))), Event(damaged), NoneThere()}) {
    Script script(Again(9));
    script.Get<LoadCheckpoint>(Begin{});
    EXPECT_TRUE(script.Get<RestoreWork>(loaded).state.IsNull());
    script.After<SweepTable>();
    script.After<SweepTable>();
    EXPECT_EQ(script.After<ComputeStep>().epoch, 10);
  }
}

// ---- the checkpoint's put ----

class PutAnswers : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Doubtful, PutAnswers, testing::Values(Kind::kUnknown, Kind::kConflict));

TEST_P(PutAnswers, ReadBackAsOursIsCommitted) {
  Script script;
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  script.Failing<LoadCheckpoint>(GetParam());
  EXPECT_EQ(script.Get<CommitTable>(There(ours)).epoch, 1);
}

TEST_P(PutAnswers, ReadBackAsAnothersOfTheSameStepEndsTheRun) {
  Script script;
  script.Start();
  script.UntilCheckpoint();
  script.Failing<LoadCheckpoint>(GetParam());
  const auto finish = script.Get<Finish>(There(Of(1, Changes(11))));
  EXPECT_EQ(finish.status.kind(), Kind::kConflict);
  EXPECT_EQ(finish.status.ToString(),
            "QN-3403  Another process runs this pipeline on the same storage.\n"
            "  We tried to write the checkpoint of step 1; another one is there already.\n"
            "  Nothing of our step is visible; its files will be swept.\n"
            "  Stop the other process, or give this one its own --storage.");
}

TEST_P(PutAnswers, ReadBackAsALaterOneEndsTheRun) {
  Script script;
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  script.Failing<LoadCheckpoint>(GetParam());
  EXPECT_EQ(script.Get<Finish>(There({2, ours.body})).status.code(), "QN-3403");
}

TEST_P(PutAnswers, NotThereIsPutAgainButNotForEver) {
  StepOptions options;
  Script script(options);
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  for (int i = 0; i < options.attempts_max; ++i) {
    script.Failing<LoadCheckpoint>(GetParam());
    EXPECT_EQ(script.Get<PutCheckpoint>(NoneThere()).checkpoint.body, ours.body);
  }
  EXPECT_EQ(script.Failing<Finish>(GetParam()).status.kind(), GetParam());
}

TEST_P(PutAnswers, AnOlderOneIsThereMeansThatOursIsNot) {
  Script script;
  script.Start();
  script.WholeStep(10);
  const Checkpoint second = script.Get<PutCheckpoint>(Computed{Changes(20)}).checkpoint;
  EXPECT_EQ(second.epoch, 2);
  script.Failing<LoadCheckpoint>(GetParam());
  EXPECT_EQ(script.Get<PutCheckpoint>(There(Of(1, Changes(10)))).checkpoint.epoch, 2);
}

TEST_P(PutAnswers, ReadingBackIsTriedAgain) {
  Script script;
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  script.Failing<LoadCheckpoint>(GetParam());
  script.Get<WaitUntil>(Loaded{World(Kind::kRetryable)});
  script.After<LoadCheckpoint>();
  script.Get<WaitUntil>(Loaded{World(Kind::kUnknown)});
  script.After<LoadCheckpoint>();
  EXPECT_EQ(script.Get<CommitTable>(There(ours)).epoch, 1);
}

TEST(StepMachine, TriesToPutACheckpointAgain) {
  Script script;
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  EXPECT_EQ(script.Failing<WaitUntil>(Kind::kRetryable).monotonic_ns, kStartNs + 250 * kMs);
  EXPECT_EQ(script.After<PutCheckpoint>().checkpoint.body, ours.body);
  EXPECT_EQ(script.After<CommitTable>().epoch, 1);
}

TEST(StepMachine, EndsWhenACheckpointCannotBePut) {
  Script script;
  script.Start();
  script.UntilCheckpoint();
  EXPECT_EQ(script.Failing<Finish>(Kind::kFailed).status.kind(), Kind::kFailed);
}

// ---- trying again ----

TEST(StepMachine, ComputesAgainFromTheCheckpointWithGrowingWaitsAndThenGivesUp) {
  Script script;
  script.Start();
  script.WholeStep(10);
  for (const int64_t wait_ms : {250, 500, 1000, 2000, 4000, 8000}) {
    const auto wait = script.Get<WaitUntil>(Computed{World(Kind::kRetryable)});
    EXPECT_EQ(wait.monotonic_ns, script.now_ns + wait_ms * kMs);
    script.now_ns = wait.monotonic_ns;
    EXPECT_EQ(script.After<RestoreWork>().state, State(10)) << "back to the last checkpoint";
    EXPECT_EQ(script.After<ComputeStep>().epoch, 2) << "and without a sweep: nothing else has changed";
  }
  EXPECT_EQ(script.Get<Finish>(Computed{World(Kind::kRetryable)}).status.kind(), Kind::kRetryable);
}

TEST(StepMachine, CountsAttemptsAnewAfterASuccess) {
  Script script;
  script.Start();
  script.Get<WaitUntil>(Computed{World(Kind::kRetryable)});
  script.After<RestoreWork>();
  script.After<ComputeStep>();
  script.WholeStep(10);
  EXPECT_EQ(script.Get<WaitUntil>(Computed{World(Kind::kRetryable)}).monotonic_ns, kStartNs + 250 * kMs);
  script.After<RestoreWork>();
  script.After<ComputeStep>();
  script.Get<ComputeStep>(Computed{Nothing(false)});
  EXPECT_EQ(script.Get<WaitUntil>(Computed{World(Kind::kRetryable)}).monotonic_ns, kStartNs + 250 * kMs);
}

TEST(StepMachine, DoesNotComputeAgainWhatWillNotWorkByItself) {
  for (const Kind kind : {Kind::kInvalid, Kind::kNotFound, Kind::kConflict, Kind::kUnknown, Kind::kFailed}) {
    Script script;
    script.Start();
    EXPECT_EQ(script.Get<Finish>(Computed{World(kind)}).status.kind(), kind);
  }
}

TEST(StepMachine, TriesTheFailedCommitAgainAndNoneBeforeIt) {
  for (const Kind kind : {Kind::kRetryable, Kind::kUnknown}) {
    Script script;
    script.Start();
    script.UntilCommit();
    EXPECT_EQ(script.After<CommitTable>().table, "clean__dead_letters");
    EXPECT_EQ(script.Failing<WaitUntil>(kind).monotonic_ns, kStartNs + 250 * kMs);
    const auto again = script.After<CommitTable>();
    EXPECT_EQ(again.table, "clean__dead_letters");
    EXPECT_EQ(again.receipt, Json("letters"));
    script.After<AcknowledgeStep>();
  }
}

TEST(StepMachine, GivesACommitUpAfterItsAttempts) {
  StepOptions options;
  Script script(options);
  script.Start();
  script.UntilCommit();
  for (int i = 0; i < options.attempts_max; ++i) {
    script.Failing<WaitUntil>(Kind::kRetryable);
    script.After<CommitTable>();
  }
  EXPECT_EQ(script.Failing<Finish>(Kind::kRetryable).status.kind(), Kind::kRetryable);
}

TEST(StepMachine, EndsWhenACommitOrAnAcknowledgementFails) {
  for (const Kind kind : {Kind::kInvalid, Kind::kConflict, Kind::kFailed}) {
    Script committing;
    committing.Start();
    committing.UntilCommit();
    EXPECT_EQ(committing.Failing<Finish>(kind).status.kind(), kind);
    Script acknowledging;
    acknowledging.Start();
    acknowledging.UntilCommit();
    acknowledging.After<CommitTable>();
    acknowledging.After<AcknowledgeStep>();
    EXPECT_EQ(acknowledging.Failing<Finish>(kind).status.kind(), kind);
  }
}

// ---- stop ----

TEST(StepMachine, AskedToStopWhileStartingOwesTheCommitsAllTheSame) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  script.machine.AskToStop();
  script.Get<CommitTable>(There(Of(7, Changes(70))));
  script.After<CommitTable>();
  script.After<RestoreWork>();
  script.After<SweepTable>();
  script.After<SweepTable>();
  EXPECT_TRUE(script.After<Finish>().status.ok());
}

TEST(StepMachine, AskedToStopInAStepEndsAfterIt) {
  Script script;
  script.Start();
  script.machine.AskToStop();
  script.Get<PutCheckpoint>(Computed{Changes(10)});
  script.After<CommitTable>();
  script.After<CommitTable>();
  script.After<AcknowledgeStep>();
  EXPECT_TRUE(script.After<Finish>().status.ok());
}

TEST(StepMachine, AskedToStopWhileCommittingEndsAfterTheLastOne) {
  Script script;
  script.Start();
  script.UntilCommit();
  script.machine.AskToStop();
  script.After<CommitTable>();
  script.After<AcknowledgeStep>();
  EXPECT_TRUE(script.After<Finish>().status.ok());
}

TEST(StepMachine, AskedToStopWithADoubtfulCheckpointStillFindsOut) {
  Script script;
  script.Start();
  const Checkpoint ours = script.UntilCheckpoint();
  script.machine.AskToStop();
  script.Failing<LoadCheckpoint>(Kind::kUnknown);
  script.Get<CommitTable>(There(ours));
}

TEST(StepMachine, AskedToStopBetweenStepsEndsAtOnce) {
  StepOptions options;
  options.is_continuous = true;
  Script idle(options);
  idle.Start();
  idle.Get<WaitUntil>(Computed{Nothing()});
  EXPECT_TRUE(idle.machine.is_idle());
  idle.machine.AskToStop();
  EXPECT_TRUE(idle.After<Finish>().status.ok());
  Script drained(options);
  drained.Start();
  drained.machine.AskToStop();
  EXPECT_TRUE(drained.Get<Finish>(Computed{Nothing()}).status.ok());
}

TEST(StepMachine, AskedToStopTriesNothingAgain) {
  Script computing;
  computing.Start();
  computing.machine.AskToStop();
  EXPECT_EQ(computing.Get<Finish>(Computed{World(Kind::kRetryable)}).status.kind(), Kind::kRetryable);
  Script committing;
  committing.Start();
  committing.UntilCommit();
  committing.machine.AskToStop();
  EXPECT_EQ(committing.Failing<Finish>(Kind::kUnknown).status.kind(), Kind::kUnknown);
}

TEST(StepMachine, AskedToStopWhileWaitingToTryAgainComputesNothing) {
  Script script;
  script.Start();
  script.Get<WaitUntil>(Computed{World(Kind::kRetryable)});
  script.machine.AskToStop();
  script.After<RestoreWork>();
  EXPECT_TRUE(script.After<Finish>().status.ok());
}

// ---- when there is nothing, and when it is too early ----

TEST(StepMachine, ContinuousWaitsWhereABoundedRunEnds) {
  StepOptions options;
  options.is_continuous = true;
  Script script(options);
  script.Start();
  EXPECT_EQ(script.Get<WaitUntil>(Computed{Nothing()}).monotonic_ns, kStartNs + 100 * kMs);
  EXPECT_TRUE(script.machine.is_idle());
  EXPECT_EQ(script.After<ComputeStep>().epoch, 1) << "a step without changes has no number";
  EXPECT_FALSE(script.machine.is_idle());
  EXPECT_EQ(script.WholeStep(10).epoch, 2) << "after a step there may be more: no wait";
  script.Get<WaitUntil>(Computed{Nothing()});
}

TEST(StepMachine, ADrainedStepWithChangesIsCommittedAndLookedBehind) {
  Script script;
  script.Start();
  script.Get<PutCheckpoint>(Computed{Changes(10, true)});
  script.After<CommitTable>();
  script.After<CommitTable>();
  script.After<AcknowledgeStep>();
  EXPECT_EQ(script.After<ComputeStep>().epoch, 2);
  EXPECT_TRUE(script.Get<Finish>(Computed{Nothing()}).status.ok());
}

TEST(StepMachine, TheTriggerKeepsTheBeginningsOfStepsApart) {
  StepOptions options;
  options.trigger_ms = 1000;
  Script script(options);
  script.Start();
  script.UntilCommit();
  script.After<CommitTable>();
  script.After<AcknowledgeStep>();
  script.now_ns += 300 * kMs;
  EXPECT_EQ(script.After<WaitUntil>().monotonic_ns, kStartNs + 1000 * kMs)
      << "from its beginning, not its end";
  script.now_ns = kStartNs + 1000 * kMs;
  EXPECT_EQ(script.After<ComputeStep>().epoch, 2);
  script.UntilCommit();
  script.After<CommitTable>();
  script.After<AcknowledgeStep>();
  script.now_ns += 5000 * kMs;
  EXPECT_EQ(script.After<ComputeStep>().epoch, 3) << "late already: no wait";
}

TEST(StepMachine, AStepAfterTheEndIsABug) {
  Script script;
  script.Get<LoadCheckpoint>(Begin{});
  script.Get<Finish>(Loaded{World(Kind::kFailed)});
  EXPECT_DEATH(script.Get<Finish>(Done{Ok()}), "phase_ != Phase::kFinished");
}

TEST(StepMachine, AnAnswerToAnotherQuestionIsABug) {
  Script script;
  script.Start();
  EXPECT_DEATH(script.Get<Finish>(NoneThere()), "phase_ == Phase::kLoading");
}

}  // namespace
}  // namespace qn::run
