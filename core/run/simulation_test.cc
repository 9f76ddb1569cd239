// The protocol in a simulated world, seed by seed: the machine is killed before or after any deed, deeds
// answer that they may or may not have happened, and what can be tried again fails. In the end every row of
// the input is in its table, once. Wrong protocols are found by the same check.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "run/step_machine.h"

namespace qn::run {
namespace {

constexpr int64_t kRows = 12;
constexpr int kEffectsMax = 5'000;  // of one life
constexpr int kLivesMax = 1'000;

// Wrong ways to carry out what the machine asks for.
enum class Mutant {
  kNone,
  kAcknowledgesFirst,  // the source may forget before the checkpoint is there
  kCommitsFirst,       // tables before the checkpoint
  kSweepsFirst,        // files that the checkpoint still owes
  kCommitsBlindly,     // without asking the table whether it has the step
};

// What a crash leaves.
struct Disk {
  struct Table {
    Epoch committed = 0;
    std::vector<int64_t> rows;
    std::map<int64_t, std::vector<int64_t>> staged;  // by number of the file
  };
  std::map<Epoch, Json> checkpoints;
  std::map<std::string, Table> tables = {{"even", {}}, {"odd", {}}};
  int64_t files = 0;
  int64_t forgotten = 0;  // rows that the source no longer has
};

enum class Fate { kDone, kCrashBefore, kCrashAfter, kUnknownBefore, kUnknownAfter, kRetryable };

Status Answer(Kind kind) { return Status(kind, "QN-9002", "The simulated world failed."); }

class Life {
 public:
  Life(Disk& disk, std::mt19937_64& random, int faults_percent, Mutant mutant)
      : disk_(disk), random_(random), faults_percent_(faults_percent), mutant_(mutant) {}

  // True when the run ended well, false when it was killed or gave up.
  bool Run() {
    StepMachine machine({}, {"even", "odd"});
    Event event = Begin{};
    for (int i = 0; i < kEffectsMax; ++i) {
      const Effect effect = machine.Step(std::move(event), ++now_ns_);
      if (const auto* finish = std::get_if<Finish>(&effect)) return finish->status.ok();
      const Fate fate = Draw();
      if (fate == Fate::kCrashBefore) return false;
      const bool happens = fate != Fate::kUnknownBefore && fate != Fate::kRetryable;
      if (happens) event = std::visit(*this, effect);
      if (fate == Fate::kCrashAfter) return false;
      if (fate != Fate::kDone) {
        event = Failing(effect, Answer(fate == Fate::kRetryable ? Kind::kRetryable : Kind::kUnknown));
      }
    }
    ADD_FAILURE() << "the run does not end";
    return false;
  }

  Event operator()(const LoadCheckpoint&) {
    if (mutant_ == Mutant::kSweepsFirst) {
      for (auto& [name, table] : disk_.tables) table.staged.clear();
    }
    if (disk_.checkpoints.empty()) return Loaded{std::optional<Checkpoint>()};
    const auto& [epoch, body] = *disk_.checkpoints.rbegin();
    return Loaded{std::optional<Checkpoint>({epoch, body})};
  }
  Event operator()(const RestoreWork& effect) {
    position_ = effect.state["position"].Int();
    return Done{Ok()};
  }
  Event operator()(const SweepTable& effect) {
    disk_.tables.at(effect.table).staged.clear();
    return Done{Ok()};
  }
  Event operator()(const ComputeStep&) {
    StepOutcome outcome;
    const int64_t begin = std::max(position_, disk_.forgotten);
    position_ = std::min<int64_t>(kRows, begin + 1 + static_cast<int64_t>(random_() % 4));
    outcome.is_drained = begin >= kRows;
    outcome.has_changes = !outcome.is_drained;
    outcome.state = Json(Json::Object{{"position", position_}});
    std::map<std::string, std::vector<int64_t>> rows;
    for (int64_t row = begin; row < position_; ++row) rows[row % 2 == 0 ? "even" : "odd"].push_back(row);
    for (auto& [table, of_table] : rows) {
      disk_.tables[table].staged[++disk_.files] = of_table;
      outcome.receipts[table] = Json(Json::Object{{"file", disk_.files}});
    }
    return Computed{outcome};
  }
  Event operator()(const PutCheckpoint& effect) {
    if (mutant_ == Mutant::kAcknowledgesFirst) disk_.forgotten = position_;
    if (mutant_ == Mutant::kCommitsFirst) {
      for (const auto& [table, receipt] : effect.checkpoint.body["receipts"].Members()) {
        Commit(effect.checkpoint.epoch, table, receipt);
      }
    }
    // A wrong order shows when the world ends between its two deeds.
    const bool is_two_deeds = mutant_ == Mutant::kAcknowledgesFirst || mutant_ == Mutant::kCommitsFirst;
    if (is_two_deeds && random_() % 4 == 0) return Done{Answer(Kind::kFailed)};
    const bool is_there =
        !disk_.checkpoints.empty() && disk_.checkpoints.rbegin()->first >= effect.checkpoint.epoch;
    if (is_there) return Done{Answer(Kind::kConflict)};
    disk_.checkpoints[effect.checkpoint.epoch] = effect.checkpoint.body;
    return Done{Ok()};
  }
  Event operator()(const CommitTable& effect) {
    Commit(effect.epoch, effect.table, effect.receipt);
    return Done{Ok()};
  }
  Event operator()(const AcknowledgeStep&) {
    disk_.forgotten = position_;
    return Done{Ok()};
  }
  Event operator()(const WaitUntil& effect) {
    now_ns_ = std::max(now_ns_, effect.monotonic_ns);
    return Done{Ok()};
  }
  Event operator()(const Finish&) { return Begin{}; }

 private:
  // Idempotent, as the contract of a sink says.
  void Commit(Epoch epoch, const std::string& name, const Receipt& receipt) {
    Disk::Table& table = disk_.tables.at(name);
    if (epoch <= table.committed && mutant_ != Mutant::kCommitsBlindly) return;
    table.committed = epoch;
    // Committed files stay to be swept in this world: what is in `rows` is safe. A swept file has no rows
    // left.
    const std::vector<int64_t>& rows = table.staged[receipt["file"].Int()];
    table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  }

  Fate Draw() {
    if (static_cast<int>(random_() % 100) >= faults_percent_) return Fate::kDone;
    return static_cast<Fate>(1 + random_() % 5);
  }

  static Event Failing(const Effect& effect, Status status) {
    if (std::holds_alternative<LoadCheckpoint>(effect)) return Loaded{std::move(status)};
    if (std::holds_alternative<ComputeStep>(effect)) return Computed{Answer(Kind::kRetryable)};
    if (std::holds_alternative<WaitUntil>(effect)) return Done{Ok()};
    return Done{std::move(status)};
  }

  Disk& disk_;
  std::mt19937_64& random_;
  const int faults_percent_;
  const Mutant mutant_;
  int64_t position_ = 0;
  int64_t now_ns_ = 0;
};

// What is wrong in the end; empty when every row is where it must be, once.
std::string Wrong(const Disk& disk) {
  std::multiset<int64_t> found;
  for (const auto& [name, table] : disk.tables) {
    for (const int64_t row : table.rows) {
      if ((row % 2 == 0) != (name == "even")) return "row " + std::to_string(row) + " is in the wrong table";
      found.insert(row);
    }
  }
  for (int64_t row = 0; row < kRows; ++row) {
    if (found.count(row) == 0) return "row " + std::to_string(row) + " is lost";
    if (found.count(row) > 1) return "row " + std::to_string(row) + " is doubled";
  }
  return "";
}

// Some lives with faults, then lives without, until one ends well.
std::string Simulate(uint64_t seed, Mutant mutant, int* deaths) {
  std::mt19937_64 random(seed);
  Disk disk;
  const int faults_percent = 1 + static_cast<int>(random() % 40);
  const int harsh_lives = static_cast<int>(random() % 20);
  for (int i = 0; i < harsh_lives; ++i) {
    if (!Life(disk, random, faults_percent, mutant).Run()) ++*deaths;
  }
  for (int i = 0; i < kLivesMax; ++i) {
    if (Life(disk, random, 0, mutant).Run()) return Wrong(disk);
  }
  return "no life without faults ended well";
}

TEST(Simulation, EveryRowIsThereOnceWhateverDies) {
  int deaths = 0;
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    ASSERT_EQ(Simulate(seed, Mutant::kNone, &deaths), "") << "seed " << seed;
  }
  EXPECT_GT(deaths, 50'000) << "the world is too kind to show anything";
  RecordProperty("deaths", deaths);
}

class WrongProtocol : public testing::TestWithParam<Mutant> {};
INSTANTIATE_TEST_SUITE_P(Mutants, WrongProtocol,
                         testing::Values(Mutant::kAcknowledgesFirst, Mutant::kCommitsFirst,
                                         Mutant::kSweepsFirst, Mutant::kCommitsBlindly));

TEST_P(WrongProtocol, IsFound) {
  int deaths = 0;
  int found = 0;
  for (uint64_t seed = 0; seed < 500; ++seed) found += Simulate(seed, GetParam(), &deaths).empty() ? 0 : 1;
  EXPECT_GT(found, 50) << "of 500 seeds";
}

}  // namespace
}  // namespace qn::run
