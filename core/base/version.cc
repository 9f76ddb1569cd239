// The only file that the build hands these to: a new commit compiles nothing else again.
#include "base/version.h"

namespace qn {

std::string Version() { return QANAT_VERSION; }

std::string WriterName() {
  const std::string build = QANAT_BUILD;
  return "qanat version " + Version() + (build.empty() ? "" : " (build " + build + ")");
}

}  // namespace qn
