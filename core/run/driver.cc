// One effect after another. Fail points stand at every border of the protocol.
#include "run/driver.h"

#include "base/fail_point.h"

namespace qn::run {
namespace {

class Driver {
 public:
  explicit Driver(World& world) : world_(world) {}

  Event operator()(const LoadCheckpoint&) {
    std::string warning;
    Result<std::optional<Checkpoint>> loaded = world_.checkpoints.Load(&warning);
    if (!warning.empty()) world_.warn(warning);
    return Loaded{std::move(loaded)};
  }
  Event operator()(const RestoreWork& effect) { return Done{world_.work.Restore(effect.state)}; }
  Event operator()(const SweepTable& effect) { return Done{Sweep(effect.table)}; }
  Event operator()(const ComputeStep& effect) {
    world_.tell("running", effect.epoch);
    return Computed{Compute(effect.epoch)};
  }
  Event operator()(const PutCheckpoint& effect) {
    world_.tell("committing", effect.checkpoint.epoch);
    return Done{Put(effect.checkpoint)};
  }
  Event operator()(const CommitTable& effect) { return Done{Commit(effect)}; }
  Event operator()(const AcknowledgeStep& effect) { return Done{Acknowledge(effect.epoch)}; }
  Event operator()(const WaitUntil& effect) {
    world_.tell("idle", 0);
    const int64_t now_ns = world_.clock.MonotonicNs();
    if (effect.monotonic_ns > now_ns) world_.sleep(effect.monotonic_ns - now_ns);
    return Done{Ok()};
  }
  Event operator()(const Finish&) { return Begin{}; }  // not reached: Drive returns first

 private:
  Status Sweep(const std::string& table) {
    const auto sink = world_.sinks.find(table);
    QN_CHECK(sink != world_.sinks.end());
    return sink->second->SweepOrphans({}).status();
  }

  Result<StepOutcome> Compute(Epoch epoch) {
    QN_FAIL("run.compute.before");
    Result<StepOutcome> outcome = world_.work.Compute(epoch);
    QN_FAIL("run.compute.after");
    return outcome;
  }

  Status Put(const Checkpoint& checkpoint) {
    QN_FAIL("run.checkpoint.before");
    QN_TRY(world_.checkpoints.Put(checkpoint));
    QN_FAIL("run.checkpoint.after");
    return Ok();
  }

  Status Commit(const CommitTable& effect) {
    const auto sink = world_.sinks.find(effect.table);
    if (sink == world_.sinks.end()) {
      // Its dataset left the pipeline, or a table of dead letters was deleted.
      return Invalid("QN-3405",
                     "The last step wrote to the table '" + effect.table + "', which is no longer there.")
          .With("Its rows may not be visible yet: they are, only when the process got to the commit.")
          .With("If its dataset was taken out of the pipeline: put it back, run once, then remove it.")
          .With("If its folder was deleted: begin its dataset again with --full-refresh.");
    }
    QN_FAIL("run.commit.before");
    QN_TRY(sink->second->Commit(effect.epoch, effect.receipt));
    QN_FAIL("run.commit.after");
    return Ok();
  }

  Status Acknowledge(Epoch epoch) {
    QN_FAIL("run.acknowledge.before");
    QN_TRY(world_.work.Acknowledge(epoch));
    QN_FAIL("run.acknowledge.after");
    return Ok();
  }

  World& world_;
};

}  // namespace

Status Drive(StepMachine& machine, World& world, const std::atomic<bool>& stop) {
  Driver driver(world);
  Event event = Begin{};
  while (true) {
    if (stop.load(std::memory_order_relaxed)) machine.AskToStop();
    const Effect effect = machine.Step(std::move(event), world.clock.MonotonicNs());
    if (const auto* finish = std::get_if<Finish>(&effect)) return finish->status;
    event = std::visit(driver, effect);
  }
}

}  // namespace qn::run
