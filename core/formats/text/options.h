// Options of a format as the pipeline gives them: only known names, only values of the right kind.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/json.h"

namespace qn::text {

// QN-2011 for a member of `options` that is neither "kind" nor one of `known`.
Status CheckOptionNames(const Json& options, std::string_view format,
                        std::initializer_list<std::string_view> known);

// QN-2012: option `name` of `format` cannot be what it is; `expected` says what it may be.
Status WrongOption(const Json& options, std::string_view format, std::string_view name,
                   std::string_view expected);

}  // namespace qn::text
