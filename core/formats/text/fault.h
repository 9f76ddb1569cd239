// Why a text is not a value of the type asked for.
#pragma once

#include <cstdint>

namespace qn::text {

enum class [[nodiscard]] Fault : uint8_t{
    kNone,
    kForm,      // not spelled as a value of this type
    kRange,     // spelled well, but the type cannot hold it
    kFraction,  // an integer was wanted, and a fraction would be lost
};

}  // namespace qn::text
