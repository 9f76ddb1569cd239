// What this connector says when the world failed. The texts are in one place so that they stay alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "connectors/files/compression.h"
#include "connectors/files/seen_files.h"

namespace qn::files {

std::string Grouped(uint64_t number);  // 1234567 as "1,234,567"

Status CannotList(const std::string& glob, const Status& why);         // QN-2101
Status CannotRead(const std::string& path, const Status& why);         // QN-2102
Status Shrank(const std::string& path, uint64_t read, uint64_t size);  // QN-2103
Status Replaced(const std::string& path, uint64_t read);               // QN-2103
Status DamagedArchive(const std::string& path, Codec codec, uint64_t at, uint64_t size, const Mark& read,
                      const std::string& why);  // QN-2104, QN-2106
Status TruncatedArchive(const std::string& path, Codec codec, uint64_t size, const Mark& read);  // QN-2105
Status TornRecord(const std::string& path, const Mark& read);                                    // QN-2107
Status IncompleteParquet(const std::string& path, uint64_t size);                                // QN-2108
Status VanishedFile(const std::string& path, const Mark& read);                                  // QN-2109
Status OtherPosition(std::string_view what, const std::string& before, const std::string& now);  // QN-2110
Status UnreadablePosition(std::string_view why);                                                 // QN-2111

std::string VanishedWarning(const std::string& path);        // QN-2120
std::string ForgottenMarkWarning(const std::string& path);   // QN-2121
std::string ChangedParquetWarning(const std::string& path);  // QN-2123
std::string NothingFoundWarning(const std::string& glob);    // QN-2122

}  // namespace qn::files
