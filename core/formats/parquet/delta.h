// Parquet's DELTA_BINARY_PACKED: a number as its distance from the one before, packed into as many bits as
// the farthest of 32 needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/parquet/buffer.h"

namespace qn::parquet {

void AppendDeltas(const int32_t* values, size_t size, Buffer& out);
void AppendDeltas(const int64_t* values, size_t size, Buffer& out);

}  // namespace qn::parquet
