// CRC-32C (Castagnoli), as in iSCSI, ext4 and Snappy: the checksum of every file we must trust again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qn {

// Continues `crc` (0 to begin) over `bytes`.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

}  // namespace qn
