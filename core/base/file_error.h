// What the file system refused, in the user's words.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace qn {

// `error` (errno) of `deed` ("write", "list" …) on `path`, retold. With `visible`, the deed may have
// happened: a failing disk then leaves the outcome unknown.
Status FileError(int error, std::string_view deed, const std::string& path, bool visible = false);

}  // namespace qn
