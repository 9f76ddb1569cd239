// The format "json": JSON lines.
#pragma once

#include <memory>

#include "base/status.h"
#include "data/json.h"
#include "formats/decoder.h"

namespace qn::json {

// `options` is {"kind": "json"}; it takes nothing else (QN-2011).
Result<std::unique_ptr<Format>> NewFormat(const Json& options);

}  // namespace qn::json
