// Keeps the armed points and what happens at each. A mutex is fine: reached only when a test armed them.
#include "base/fail_point.h"

#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

namespace qn {
namespace fail_point_internal {

std::atomic<bool> g_armed{false};

namespace {

struct Armed {
  std::string action;
  long nth = 1;
  bool only = false;
  long passes = 0;
};

struct Registry {
  std::mutex mutex;
  std::map<std::string, Armed, std::less<>> armed;
  std::set<std::string, std::less<>> passed;
};

Registry& TheRegistry() {
  static Registry registry;
  return registry;
}

Status Act(const std::string& action, const char* name) {
  if (action == "kill") {
    std::raise(SIGKILL);
  }
  const Kind kind = action == "unknown" ? Kind::kUnknown
                    : action == "retry" ? Kind::kRetryable
                                        : Kind::kFailed;
  return Status(kind, "QN-9002", "Fail point '" + std::string(name) + "' was armed with '" + action + "'.");
}

}  // namespace

Status Hit(const char* name) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.passed.insert(name);
  const auto found = registry.armed.find(std::string_view(name));
  if (found == registry.armed.end()) return Ok();
  Armed& armed = found->second;
  ++armed.passes;
  if (armed.only ? armed.passes != armed.nth : armed.passes < armed.nth) return Ok();
  return Act(armed.action, name);
}

namespace {

Status ArmOne(std::string_view item) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos) {
    return Invalid("QN-9003",
                   "A fail point is armed as name=action[@nth], found '" + std::string(item) + "'.");
  }
  Armed armed;
  std::string_view action = item.substr(equals + 1);
  if (const size_t at = action.find('@'); at != std::string_view::npos) {
    std::string nth(action.substr(at + 1));
    armed.only = !nth.empty() && nth.back() == '!';
    armed.nth = std::strtol(nth.c_str(), nullptr, 10);
    action = action.substr(0, at);
  }
  armed.action = std::string(action);
  TheRegistry().armed[std::string(item.substr(0, equals))] = armed;
  return Ok();
}

}  // namespace
}  // namespace fail_point_internal

Status ArmFailPoints(std::string_view text) {
  auto& registry = fail_point_internal::TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.armed.clear();
  registry.passed.clear();
  while (!text.empty()) {
    const size_t comma = text.find(',');
    QN_TRY(fail_point_internal::ArmOne(text.substr(0, comma)));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  fail_point_internal::g_armed.store(true, std::memory_order_relaxed);
  if (registry.armed.empty()) fail_point_internal::g_armed.store(false, std::memory_order_relaxed);
  return Ok();
}

Status ArmFailPointsOfEnvironment() {
  static const Status armed = [] {
    const char* text = std::getenv("QANAT_FAIL");
    return text == nullptr || *text == '\0' ? Ok() : ArmFailPoints(text);
  }();
  return armed;
}

std::vector<std::string> FailPointsPassed() {
  auto& registry = fail_point_internal::TheRegistry();
  const std::lock_guard lock(registry.mutex);
  return {registry.passed.begin(), registry.passed.end()};
}

}  // namespace qn
