// What a glob finds, without hidden and temporary files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "contract/files.h"

namespace qn::files {

// Hides paths that have a name beginning with '.' or '_' below the fixed part of the glob, unless the glob
// has a name that begins so there.
class HiddenNames {
 public:
  explicit HiddenNames(std::string_view glob);
  bool Hides(std::string_view path) const;

 private:
  size_t fixed_bytes_ = 0;  // folders of the glob without a wildcard
  bool hides_dots_ = true;
  bool hides_underscores_ = true;
};

// Sorted by path.
Result<std::vector<FileInfo>> ListFiles(Files& files, const std::string& glob, const HiddenNames& hidden);

}  // namespace qn::files
