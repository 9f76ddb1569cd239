// The common case, no violation in a vector, costs one pass over the rules' bytes.
#include "app/keep.h"

#include <algorithm>

namespace qn::app {
namespace {

bool Holds(const duck::ColumnIn& rule, size_t row) {
  return !rule.IsNull(row) && rule.as<uint8_t>()[row] != 0;
}

bool HoldsForAll(const duck::ColumnIn& rule, size_t rows) {
  if (rule.validity != nullptr) {
    for (size_t row = 0; row < rows; ++row) {
      if (rule.IsNull(row)) return false;
    }
  }
  const auto* values = rule.as<uint8_t>();
  return std::all_of(values, values + rows, [](uint8_t value) { return value != 0; });
}

constexpr size_t kShownBytesMax = 500;  // of a row, in a message

std::string Shown(const std::string& raw) {
  return raw.size() <= kShownBytesMax ? raw : raw.substr(0, kShownBytesMax) + " …";
}

}  // namespace

Keep::Keep(std::string dataset, std::string source, std::vector<ExpectationSpec> rules,
           DeadLetters& dead_letters)
    : dataset_(std::move(dataset)),
      source_(std::move(source)),
      rules_(std::move(rules)),
      dead_letters_(dead_letters),
      violations_(rules_.size()) {}

std::vector<Type> Keep::Arguments() const {
  std::vector<Type> types = {Type::Of(TypeId::kBlob), Type::Of(TypeId::kUInteger), Type::Of(TypeId::kBigInt)};
  types.resize(kFirstRule + rules_.size(), Type::Of(TypeId::kBoolean));
  return types;
}

void Keep::BeginStep(OriginFiles files) {
  files_ = std::move(files);
  ClearCounts();
  const std::lock_guard lock(mutex_);
  failure_ = Ok();
}

void Keep::ClearCounts() {
  rows_in_ = 0;
  rows_dropped_ = 0;
  rows_quarantined_ = 0;
  for (auto& count : violations_) count = 0;
}

Status Keep::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Status Keep::Apply(std::span<const duck::ColumnIn> columns, size_t rows, bool* keep, const int64_t* weights) {
  int64_t came = weights == nullptr ? static_cast<int64_t>(rows) : 0;
  for (size_t row = 0; weights != nullptr && row < rows; ++row) came += std::max<int64_t>(weights[row], 0);
  rows_in_.fetch_add(came, std::memory_order_relaxed);
  std::fill(keep, keep + rows, true);
  bool all_hold = true;
  for (size_t rule = 0; rule < rules_.size(); ++rule) {
    all_hold = all_hold && HoldsForAll(columns[kFirstRule + rule], rows);
  }
  if (all_hold) return Ok();
  for (size_t row = 0; row < rows; ++row) {
    if (weights != nullptr && weights[row] < 0) {
      keep[row] = Stays(columns, row);
    } else {
      ApplyRow(columns, row, weights == nullptr ? 1 : weights[row], keep);
    }
  }
  return failure();
}

bool Keep::Stays(std::span<const duck::ColumnIn> columns, size_t row) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const bool takes = rules_[i].action == Action::kDrop || rules_[i].action == Action::kQuarantine;
    if (takes && !Holds(columns[kFirstRule + i], row)) return false;
  }
  return true;
}

// A row that comes several times counts as often, and leaves as many letters.
void Keep::ApplyRow(std::span<const duck::ColumnIn> columns, size_t row, int64_t times, bool* keep) {
  std::string quarantined_by;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (Holds(columns[kFirstRule + i], row)) continue;
    violations_[i].fetch_add(times, std::memory_order_relaxed);
    switch (rules_[i].action) {
      case Action::kKeep:
        break;
      case Action::kDrop:
        keep[row] = false;
        break;
      case Action::kFail:
        Fail(rules_[i], Letter(columns, row, rules_[i].name));
        break;
      case Action::kQuarantine:
        quarantined_by += (quarantined_by.empty() ? "" : ",") + rules_[i].name;
        break;
    }
  }
  if (quarantined_by.empty()) {
    if (!keep[row]) rows_dropped_.fetch_add(times, std::memory_order_relaxed);
    return;
  }
  rows_quarantined_.fetch_add(times, std::memory_order_relaxed);
  // A row that one rule drops and another quarantines is kept where it can be found again.
  keep[row] = false;
  for (int64_t i = 0; i < times; ++i) dead_letters_.Add(Letter(columns, row, quarantined_by));
}

DeadLetter Keep::Letter(std::span<const duck::ColumnIn> columns, size_t row, std::string rules) const {
  DeadLetter letter;
  letter.reason = "expectation";
  letter.rules = std::move(rules);
  letter.source = source_;
  for (const ExpectationSpec& rule : rules_) {
    if (rule.name == letter.rules) letter.detail = rule.condition;
  }
  if (!columns[0].IsNull(row)) letter.raw = columns[0].as<duck::String>()[row].view();
  const uint32_t file = columns[1].IsNull(row) ? UINT32_MAX : columns[1].as<uint32_t>()[row];
  if (file < files_.paths.size()) {
    letter.file = files_.paths[file];
    letter.source = files_.sources[file];
  }
  if (!columns[2].IsNull(row)) letter.line = columns[2].as<int64_t>()[row];
  return letter;
}

void Keep::Fail(const ExpectationSpec& rule, const DeadLetter& letter) {
  const std::lock_guard lock(mutex_);
  if (!failure_.ok()) return;
  failure_ = Invalid("QN-3503", "A row breaks the expectation '" + rule.name + "' of dataset '" + dataset_ +
                                    "', which must hold.")
                 .With("at " + rule.where + ":  " + rule.condition);
  if (!letter.file.empty()) {
    failure_.With("in " + letter.file + (letter.line > 0 ? ", line " + std::to_string(letter.line) : ""));
  }
  failure_.With("found: " + Shown(letter.raw))
      .With("The step was not committed; everything before it is.")
      .With("Mend the input, or use expect_or_quarantine to set such rows aside and go on.");
}

}  // namespace qn::app
