// Counters behind one mutex: touched a few times a step.
#include "app/progress.h"

namespace qn::app {
namespace {

constexpr size_t kWarningsMax = 200;

Json CountsJson(const std::map<std::string, int64_t>& counts) {
  Json json{Json::Object{}};
  for (const auto& [name, count] : counts) {
    if (count != 0) json.Set(name, count);
  }
  return json;
}

void AddAll(std::map<std::string, int64_t>& into, const std::map<std::string, int64_t>& from) {
  for (const auto& [name, count] : from) into[name] += count;
}

Json DatasetJson(const DatasetCounts& counts) {
  return Json(Json::Object{{"rows_in", counts.rows_in},
                           {"rows_out", counts.rows_out},
                           {"rows_dead", counts.rows_dead},
                           {"rows_dropped", counts.rows_dropped},
                           {"dead", CountsJson(counts.dead)},
                           {"dropped", CountsJson(counts.dropped)},
                           {"kept", CountsJson(counts.kept)},
                           {"steps", counts.steps},
                           {"seconds", counts.seconds},
                           {"bytes_in", counts.bytes_in},
                           {"files", counts.files}});
}

Json StepJson(const StepSoFar& step) {
  Json datasets{Json::Object{}};
  for (const auto& [name, rows] : step.datasets) {
    datasets.Set(name, Json(Json::Object{{"rows_in", rows.rows_in},
                                         {"rows_out", rows.rows_out},
                                         {"rows_dead", rows.rows_dead},
                                         {"rows_dropped", rows.rows_dropped}}));
  }
  Json sources{Json::Object{}};
  for (const auto& [name, rows] : step.sources) sources.Set(name, rows);
  return Json(Json::Object{{"datasets", datasets}, {"sources", sources}});
}

}  // namespace

void DatasetCounts::Add(const DatasetCounts& other) {
  rows_in += other.rows_in;
  rows_out += other.rows_out;
  rows_dead += other.rows_dead;
  rows_dropped += other.rows_dropped;
  steps += other.steps;
  files += other.files;
  bytes_in += other.bytes_in;
  seconds += other.seconds;
  AddAll(dead, other.dead);
  AddAll(dropped, other.dropped);
  AddAll(kept, other.kept);
}

void Progress::Tell(const char* state, Epoch epoch) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  if (epoch != 0) epoch_ = epoch;
}

void Progress::Warn(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (warnings_.size() < kWarningsMax) warnings_.push_back(text);
}

void Progress::FollowSteps(std::function<StepSoFar()> so_far) {
  const std::lock_guard lock(mutex_);
  so_far_ = std::move(so_far);
}

void Progress::BeginStep() {
  const std::lock_guard lock(mutex_);
  is_in_step_ = true;
}

void Progress::AddStep(const std::map<std::string, DatasetCounts>& datasets,
                       const std::map<std::string, SourceCounts>& sources) {
  const std::lock_guard lock(mutex_);
  is_in_step_ = false;
  for (const auto& [name, counts] : datasets) datasets_[name].Add(counts);
  for (const auto& [name, counts] : sources) {
    SourceCounts& total = sources_[name];
    total.rows += counts.rows;
    total.bytes += counts.bytes;
    total.files = std::max(total.files, counts.files);
    if (!counts.watermark.empty()) total.watermark = counts.watermark;
    bytes_read_ += counts.bytes;
  }
}

Json Progress::ToJson() const {
  const std::lock_guard lock(mutex_);
  Json datasets{Json::Object{}};
  for (const auto& [name, counts] : datasets_) datasets.Set(name, DatasetJson(counts));
  Json sources{Json::Object{}};
  for (const auto& [name, counts] : sources_) {
    sources.Set(name, Json(Json::Object{{"rows", counts.rows},
                                        {"bytes", counts.bytes},
                                        {"files", counts.files},
                                        {"watermark", counts.watermark}}));
  }
  Json warnings{Json::Array{}};
  for (const std::string& warning : warnings_) warnings.Push(warning);
  return Json(Json::Object{{"state", state_},
                           {"epoch", epoch_},
                           {"bytes_read", bytes_read_},
                           {"bytes_waiting", bytes_waiting_.load()},
                           {"elapsed_s", static_cast<double>(clock_.MonotonicNs() - began_ns_) / 1e9},
                           {"warnings", warnings},
                           {"sources", sources},
                           {"datasets", datasets},
                           {"step", StepJson(is_in_step_ && so_far_ ? so_far_() : StepSoFar{})}});
}

}  // namespace qn::app
