// The driver: what the machine asks for reaches the right part of the world, in order, and fail points stand
// at every border.
#include "run/driver.h"

#include <gtest/gtest.h>

#include "base/fail_point.h"

namespace qn::run {
namespace {

using Calls = std::vector<std::string>;

class FakeClock final : public Clock {
 public:
  int64_t WallMs() const override { return 0; }
  int64_t MonotonicNs() const override { return now_ns; }
  int64_t now_ns = 1'000'000'000;
};

struct Scene {
  explicit Scene(Calls& calls) : checkpoints(calls), work(calls), clean("clean", calls) {}

  struct Store final : CheckpointStore {
    explicit Store(Calls& to) : calls(to) {}
    Result<std::optional<Checkpoint>> Load(std::string* warning) override {
      calls.push_back("load");
      *warning = told;
      return stored;
    }
    Status Put(const Checkpoint& checkpoint) override {
      calls.push_back("put " + std::to_string(checkpoint.epoch));
      stored = checkpoint;
      return Ok();
    }
    Calls& calls;
    std::optional<Checkpoint> stored;
    std::string told;
  };

  // One step with rows for the table "clean", then nothing more.
  struct OneStep final : Work {
    explicit OneStep(Calls& to) : calls(to) {}
    Status Restore(const Json& state) override {
      calls.push_back("restore");
      is_done = !state.IsNull();
      return Ok();
    }
    Result<StepOutcome> Compute(Epoch epoch) override {
      calls.push_back("compute " + std::to_string(epoch));
      StepOutcome outcome;
      outcome.is_drained = is_done;
      if (is_done) return outcome;
      is_done = outcome.has_changes = true;
      outcome.state = Json("state");
      outcome.receipts["clean"] = Json("receipt");
      return outcome;
    }
    Status Acknowledge(Epoch epoch) override {
      calls.push_back("acknowledge " + std::to_string(epoch));
      return Ok();
    }
    Calls& calls;
    bool is_done = false;
  };

  struct Table final : Sink {
    Table(std::string of, Calls& to) : name(std::move(of)), calls(to) {}
    Result<Receipt> Stage(Epoch, const StagedDelta&) override { return Receipt(); }
    Status Commit(Epoch epoch, const Receipt& receipt) override {
      calls.push_back("commit " + name + " " + std::to_string(epoch) + " " + receipt.Str());
      return Ok();
    }
    Result<Epoch> Committed() override { return Epoch{0}; }
    Result<uint64_t> SweepOrphans(std::span<const Receipt>) override {
      calls.push_back("sweep " + name);
      return uint64_t{0};
    }
    std::string name;
    Calls& calls;
  };

  Status Run(StepOptions options = {}) {
    StepMachine machine(std::move(options), {"clean"});
    World world{clock,
                checkpoints,
                work,
                sinks,
                [this](int64_t ns) {
                  waits_ns.push_back(ns);
                  clock.now_ns += ns;
                  stop = static_cast<int>(waits_ns.size()) >= waits_until_stop;
                },
                [this](const std::string& text) { warnings.push_back(text); },
                [](const char*, Epoch) {}};
    return Drive(machine, world, stop);
  }

  FakeClock clock;
  Store checkpoints;
  OneStep work;
  Table clean;
  std::map<std::string, Sink*> sinks = {{"clean", &clean}};
  std::atomic<bool> stop{false};
  std::vector<int64_t> waits_ns;
  int waits_until_stop = 3;
  Calls warnings;
};

class DriverTest : public testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(ArmFailPoints("").ok()); }
  Calls calls;
  Scene scene{calls};
};

const Calls kStart = {"load", "restore", "sweep clean"};

TEST_F(DriverTest, DoesAStepInOrder) {
  ASSERT_TRUE(scene.Run().ok());
  EXPECT_EQ(calls, (Calls{"load", "restore", "sweep clean", "compute 1", "put 1", "commit clean 1 receipt",
                          "acknowledge 1", "compute 2"}));
  calls.clear();
  ASSERT_TRUE(scene.Run().ok());
  EXPECT_EQ(calls, (Calls{"load", "commit clean 1 receipt", "restore", "sweep clean", "compute 2"}));
}

TEST_F(DriverTest, PassesOnWhatTheCheckpointsWarnOf) {
  scene.checkpoints.told = "QN-3402  A checkpoint is damaged.";
  ASSERT_TRUE(scene.Run().ok());
  EXPECT_EQ(scene.warnings, (Calls{"QN-3402  A checkpoint is damaged."}));
}

TEST_F(DriverTest, SleepsAsLongAsAskedAndStopsWhenToldTo) {
  StepOptions options;
  options.is_continuous = true;
  ASSERT_TRUE(scene.Run(options).ok());
  EXPECT_EQ(scene.waits_ns, (std::vector<int64_t>(3, options.idle_wait_ms * 1'000'000)));
}

TEST_F(DriverTest, StopsBeforeTheFirstStep) {
  scene.stop = true;
  ASSERT_TRUE(scene.Run().ok());
  EXPECT_EQ(calls, kStart);
}

TEST_F(DriverTest, NamesATableThatLeftThePipelineBeforeItHadItsRows) {
  ASSERT_TRUE(scene.Run().ok());
  scene.sinks.clear();
  scene.sinks["other"] = &scene.clean;
  EXPECT_EQ(scene.Run().ToString(),
            "QN-3405  The last step wrote to the table 'clean', which is no longer there.\n"
            "  Its rows may not be visible yet: they are, only when the process got to the commit.\n"
            "  If its dataset was taken out of the pipeline: put it back, run once, then remove it.\n"
            "  If its folder was deleted: begin its dataset again with --full-refresh.");
}

// The deed before a point has happened, the one after it has not.
TEST_F(DriverTest, FailPointsStandBetweenDeeds) {
  const std::vector<std::pair<std::string, std::string>> last_calls = {
      {"run.compute.before", "sweep clean"},
      {"run.compute.after", "compute 1"},
      {"run.checkpoint.before", "compute 1"},
      {"run.checkpoint.after", "put 1"},
      {"run.commit.before", "put 1"},
      {"run.commit.after", "commit clean 1 receipt"},
      {"run.acknowledge.before", "commit clean 1 receipt"},
      {"run.acknowledge.after", "acknowledge 1"}};
  for (const auto& [point, last] : last_calls) {
    Calls of_this;
    Scene fresh(of_this);
    ASSERT_TRUE(ArmFailPoints(point + "=error").ok());
    EXPECT_EQ(fresh.Run().text(), "Fail point '" + point + "' was armed with 'error'.");
    EXPECT_EQ(of_this.back(), last) << point;
  }
}

}  // namespace
}  // namespace qn::run
