// One leaf of the list of seen files as text: names by their difference to the one before, zstd, base64.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/files/seen_files.h"

namespace qn::files {

// `with_mark` tells for which files the mark is kept.
std::string PackFiles(const std::vector<SeenFile>& files,
                      const std::function<bool(const SeenFile&)>& with_mark);
// Empty, or what is wrong with `text`: it is not trusted.
std::string UnpackFiles(std::string_view text, std::vector<SeenFile>* files);

}  // namespace qn::files
