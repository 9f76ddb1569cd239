// File paths as the Delta log writes them: relative URIs, percent-encoded. No disk.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace qn::delta {

// "day=2024%2D01/part 1.parquet" → "day=2024%252D01/part%201.parquet". Encodes all but letters, digits, - _ .
// ~ / =.
std::string EncodePath(std::string_view relative);

// The file path that a log entry's path stands for: relative to the table's folder, or absolute when the
// entry says so (file:///…). QN-3307 for other stores and for relative paths that leave the table's folder.
Result<std::string> DecodePath(std::string_view path);

// `decoded` below `folder`, or itself when absolute.
std::string FullPath(const std::string& folder, const std::string& decoded);

}  // namespace qn::delta
