// For tests: an empty folder of their own.
#pragma once

#include <stdlib.h>

#include <cstdlib>
#include <string>

#include "base/check.h"

namespace qn {

// In $TMPDIR, or in /tmp; who asked for it removes it.
inline std::string MakeTestFolder(const std::string& word) {
  const char* parent = std::getenv("TMPDIR");
  std::string folder =
      std::string(parent != nullptr && *parent != 0 ? parent : "/tmp") + "/qanat-" + word + "-XXXXXX";
  QN_CHECK(::mkdtemp(folder.data()) != nullptr);
  return folder;
}

}  // namespace qn
