// Prints a Status for people.
#include "base/status.h"

namespace qn {

std::string Status::ToString() const {
  if (ok()) return "";
  std::string out = code_ + "  " + text_;
  for (const std::string& line : lines_) out += "\n  " + line;
  return out;
}

Status Invalid(std::string code, std::string text) {
  return {Kind::kInvalid, std::move(code), std::move(text)};
}

Status Failed(std::string code, std::string text) {
  return {Kind::kFailed, std::move(code), std::move(text)};
}

}  // namespace qn
