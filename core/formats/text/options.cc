// Options of a format: the messages for what is wrong with them.
#include "formats/text/options.h"

#include <algorithm>
#include <vector>

#include "data/type.h"

namespace qn::text {

Status CheckOptionNames(const Json& options, std::string_view format,
                        std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : options.Members()) {
    if (name == "kind" || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::vector<std::string> names(known.begin(), known.end());
    Status status = Invalid("QN-2011", "Format " + std::string(format) + " has no option '" + name + "'.");
    if (names.empty()) return std::move(status).With("It takes no options.");
    std::string list;
    for (const std::string& each : names) list += (list.empty() ? "" : ", ") + each;
    status.With("Its options: " + list);
    if (const std::string near = NearestName(name, names); !near.empty())
      status.With("Did you mean '" + near + "'?");
    return status;
  }
  return Ok();
}

Status WrongOption(const Json& options, std::string_view format, std::string_view name,
                   std::string_view expected) {
  return Invalid("QN-2012", "Option '" + std::string(name) + "' of format " + std::string(format) +
                                " must be " + std::string(expected) + ".")
      .With("found: " + options[name].Dump());
}

}  // namespace qn::text
