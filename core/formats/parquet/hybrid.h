// Parquet's hybrid of run-length and bit-packed runs: levels and dictionary indices.
#pragma once

#include <cstdint>

#include "formats/parquet/buffer.h"

namespace qn::parquet {

// Bits that hold every value up to `max`; 0 for 0.
int BitsFor(uint32_t max);

// Appends `size` values below 2^bits, 1 ≤ bits ≤ 16.
void AppendHybrid(const uint8_t* values, size_t size, int bits, Buffer& out);
void AppendHybrid(const uint16_t* values, size_t size, int bits, Buffer& out);

// Appends one run of the same value.
void AppendRun(uint32_t value, size_t size, int bits, Buffer& out);

}  // namespace qn::parquet
