// Wires a pipeline to the world: files, clock, DuckDB, tables, checkpoints, the coordinator.
#include "app/engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

#include "app/step_work.h"
#include "base/fail_point.h"
#include "connectors/delta/parquet_checkpoint.h"
#include "connectors/local/checkpoint_store.h"
#include "connectors/local/local_files.h"
#include "connectors/local/lock.h"
#include "run/driver.h"

namespace qn::app {

Result<RunOptions> RunOptions::Parse(const std::string& text) {
  QN_GET(const Json json, Json::Parse(text));
  RunOptions options;
  options.is_continuous = json["continuous"].Bool();
  options.trigger_ms = json["trigger_ms"].Int();
  for (const Json& name : json["refresh"].Items()) options.refresh.push_back(name.Str());
  options.full_refresh_all = json["full_refresh"].Str() == "all";
  for (const Json& name : json["full_refresh"].Items()) options.full_refresh.push_back(name.Str());
  return options;
}

struct Engine::State {
  SystemClock clock;
  LocalFiles files;
  Progress progress{clock};
  std::shared_ptr<const duck::Api> api;
  Pipeline pipeline;
  BatchFunctions* functions = nullptr;

  std::atomic<bool> stop{false};
  std::mutex mutex;  // of the waking of a sleep
  std::condition_variable woken;
  Interrupts interrupts;
  std::atomic<bool> stop_now{false};

  Status Run(const RunOptions& options);
  Status RunLocked(const RunOptions& options);
  Result<std::string> PipelineId();
  void Sleep(int64_t ns) {
    std::unique_lock lock(mutex);
    woken.wait_for(lock, std::chrono::nanoseconds(ns), [this] { return stop.load(); });
  }
};

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Build(const std::string& spec, BatchFunctions* functions) {
  QN_TRY(ArmFailPointsOfEnvironment());
  auto state = std::make_unique<State>();
  QN_GET(PipelineSpec parsed, ParseSpec(spec));
  QN_GET(state->api, duck::LoadApi(parsed.library));
  state->functions = functions;
  QN_GET(state->pipeline, BuildPipeline(std::move(parsed), state->api, state->files));
  for (const std::string& warning : state->pipeline.warnings) state->progress.Warn(warning);
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

Json Engine::Describe() const { return state_->pipeline.Describe(); }
Json Engine::ProgressJson() const { return state_->progress.ToJson(); }

void Engine::Stop(bool now) {
  const std::lock_guard lock(state_->mutex);
  state_->stop = true;
  state_->progress.Tell("stopping", 0);
  if (now) {
    state_->stop_now = true;
    state_->interrupts.All();
  }
  state_->woken.notify_all();
}

Status Engine::Run(const RunOptions& options) {
  Status status = state_->Run(options);
  state_->progress.Tell(status.ok() ? "done" : "failed", 0);
  return status;
}

namespace {

std::string RandomId() {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(SystemRandom()),
                static_cast<unsigned long long>(SystemRandom()));
  return text;
}

// Tables are opened by the step's thread while the caretaker may write a log checkpoint.
class SharedCheckpoints final : public delta::CheckpointFormat {
 public:
  explicit SharedCheckpoints(delta::ParquetCheckpoints inner) : inner_(std::move(inner)) {}
  Status Read(Files& files, const std::vector<std::string>& parts,
              const std::function<Status(const Json&)>& action) override {
    const std::lock_guard lock(mutex_);
    return inner_.Read(files, parts, action);
  }
  Result<std::string> Write(const std::string& lines) override {
    const std::lock_guard lock(mutex_);
    return inner_.Write(lines);
  }

 private:
  std::mutex mutex_;
  delta::ParquetCheckpoints inner_;
};

// Log checkpoints and other care of tables, beside the steps and never in their way.
class Caretaker {
 public:
  explicit Caretaker(StepWork& work) : work_(work) {}
  ~Caretaker() { Wait(); }
  Caretaker(const Caretaker&) = delete;
  Caretaker& operator=(const Caretaker&) = delete;

  void Nudge() {
    if (running_.valid() && running_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    running_ = std::async(std::launch::async, [this] { return work_.Maintain(); });
  }

 private:
  void Wait() {
    if (running_.valid()) running_.wait();
  }
  StepWork& work_;
  std::future<Status> running_;
};

// Work that nudges the caretaker after each step.
class TendedWork final : public Work {
 public:
  TendedWork(StepWork& work, Caretaker& caretaker) : work_(work), caretaker_(caretaker) {}
  Status Restore(const Json& state) override { return work_.Restore(state); }
  Result<StepOutcome> Compute(Epoch epoch) override { return work_.Compute(epoch); }
  Status Acknowledge(Epoch epoch) override {
    QN_TRY(work_.Acknowledge(epoch));
    caretaker_.Nudge();
    return Ok();
  }

 private:
  StepWork& work_;
  Caretaker& caretaker_;
};

// Half of the memory is for what views remember and have in hand, the other half stays DuckDB's; all of it
// where no view does.
Result<uint64_t> BudgetOf(const Pipeline& pipeline, duck::Connection& connection) {
  QN_GET(const duck::Rows limit, connection.Query("SELECT current_setting('memory_limit')"));
  const std::string& text = limit.rows[0][0].Str();  // "18.6 GiB"
  char* unit = nullptr;
  double bytes = std::strtod(text.c_str(), &unit);
  const std::string units = "KMGT";
  const size_t power = units.find(unit[0] == ' ' ? unit[1] : unit[0]);
  for (size_t i = 0; power != std::string::npos && i <= power; ++i) bytes *= 1024;
  const auto half = static_cast<uint64_t>(bytes / 2);
  const bool remembers = std::any_of(pipeline.datasets.begin(), pipeline.datasets.end(),
                                     [](const Dataset& dataset) { return dataset.is_incremental(); });
  if (remembers) QN_TRY(connection.Query("SET memory_limit = '" + std::to_string(half) + "B'").status());
  return half;
}

}  // namespace

// The storage knows whose it is: two pipelines in one folder would take each other's tables for their own.
Result<std::string> Engine::State::PipelineId() {
  const std::string path = pipeline.spec.storage + "/_qanat/pipeline.json";
  const Json wanted = Json(Json::Object{{"id", RandomId()}, {"name", pipeline.spec.name}});
  const Status put = files.PutIfAbsent(path, wanted.Dump() + "\n");
  if (put.ok()) return wanted["id"].Str();
  if (put.kind() != Kind::kConflict) return put;
  QN_GET(const std::string text, files.Read(path));
  QN_GET(const Json found, Json::Parse(text));
  if (found["name"].Str() != pipeline.spec.name) {
    return Invalid("QN-3203", "This storage belongs to another pipeline.")
        .With("storage: " + pipeline.spec.storage)
        .With("it belongs to: " + found["name"].Str())
        .With("this one is:   " + pipeline.spec.name)
        .With("Give each pipeline its own --storage.")
        .With("Nothing was started.");
  }
  return found["id"].Str();
}

Status Engine::State::Run(const RunOptions& options) {
  const std::string ours = pipeline.spec.storage + "/_qanat";
  QN_TRY(files.MakeFolder(ours + "/checkpoints"));
  QN_TRY(files.MakeFolder(ours + "/spill"));
  QN_GET(const std::unique_ptr<StorageLock> lock, StorageLock::Take(ours, clock));
  return RunLocked(options);
}

namespace {

Result<run::StepOptions> StepOptionsOf(const RunOptions& options, const StepWork& work,
                                       const std::map<std::string, Sink*>& sinks) {
  run::StepOptions out;
  out.is_continuous = options.is_continuous;
  out.trigger_ms = options.trigger_ms;
  out.begins_again = options.full_refresh_all;
  out.tables_begun_again = work.TablesBegunAgain();
  for (const auto& [name, sink] : sinks) {
    QN_GET(const Epoch committed, sink->Committed());
    out.epoch_floor = std::max(out.epoch_floor, committed);
  }
  return out;
}

}  // namespace

Status Engine::State::RunLocked(const RunOptions& options) {
  const PipelineSpec& spec = pipeline.spec;
  QN_GET(const std::string id, PipelineId());
  duck::Options duck_options{spec.memory, spec.threads, spec.storage + "/_qanat/spill"};
  QN_GET(const std::unique_ptr<duck::Database> database, duck::Database::Open(api, duck_options));
  QN_GET(const std::unique_ptr<duck::Connection> main, database->Connect());
  QN_GET(const duck::Rows threads, main->Query("SELECT current_setting('threads')::BIGINT"));
  QN_GET(const uint64_t budget_bytes, BudgetOf(pipeline, *main));
  trace::Budget budget(budget_bytes);
  interrupts.Add(*main);
  struct Leave {  // Stop must not touch a connection that is gone
    Interrupts& interrupts;
    duck::Connection& connection;
    ~Leave() { interrupts.Remove(&connection); }
  } const leave{interrupts, *main};

  const auto warn = [this](const std::string& text) { progress.Warn(text); };
  const RunContext context{pipeline,
                           files,
                           clock,
                           *database,
                           *main,
                           functions,
                           static_cast<int>(threads.rows[0][0].Int()),
                           options.is_continuous,
                           warn,
                           &stop_now,
                           &interrupts,
                           &budget};
  QN_GET(const std::unique_ptr<duck::Connection> beside, database->Connect());
  SharedCheckpoints log_checkpoints(
      delta::ParquetCheckpoints(*beside, files, spec.storage + "/_qanat/spill/log"));
  const TableContext tables{spec.storage, id, {files, clock, SystemRandom, &log_checkpoints}};
  std::map<std::string, Sink*> sinks;
  QN_GET(const std::unique_ptr<StepWork> work, StepWork::Make(context, tables, options, progress, sinks));
  progress.FollowSteps([&work] { return work->SoFar(); });
  struct Unfollow {
    Progress& progress;
    ~Unfollow() { progress.FollowSteps(nullptr); }
  } const unfollow{progress};
  Caretaker caretaker(*work);
  TendedWork tended(*work, caretaker);
  FileCheckpoints checkpoints(files, spec.storage + "/_qanat/checkpoints");

  QN_GET(run::StepOptions step_options, StepOptionsOf(options, *work, sinks));
  std::vector<std::string> names;
  for (const auto& [name, sink] : sinks) names.push_back(name);
  run::StepMachine machine(std::move(step_options), names);
  run::World world{clock,
                   checkpoints,
                   tended,
                   sinks,
                   [this](int64_t ns) { Sleep(ns); },
                   warn,
                   [this](const char* text, Epoch epoch) { progress.Tell(text, epoch); }};
  Status status = run::Drive(machine, world, stop);
  // For `qanat plan`; a run is none the worse without it.
  const Json stats = work->CircuitStats();
  if (!stats.Members().empty()) (void)files.Put(spec.storage + "/_qanat/circuits.json", stats.Dump() + "\n");
  const std::lock_guard guard(mutex);
  // A statement that was interrupted fails in DuckDB's words or in ours.
  const bool is_interrupted = status.code() == "QN-3504" || status.text().rfind("INTERRUPT", 0) == 0;
  return stop_now && is_interrupted ? Ok() : status;
}

}  // namespace qn::app
