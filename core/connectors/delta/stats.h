// What a log entry says about a data file's values: statistics for skipping, and partition values. A bound
// that is not surely true is left out.
#pragma once

#include <string>
#include <vector>

#include "connectors/delta/actions.h"
#include "contract/sink.h"
#include "data/type.h"

namespace qn::delta {

inline constexpr size_t kStatsTextCharsMax = 32;     // longer strings get a prefix as bound
inline constexpr int64_t kStatsColumnsDefault = 32;  // delta.dataSkippingNumIndexedCols

// {"numRecords":…,"minValues":{…},"maxValues":{…},"nullCount":{…}} for the first `columns_max` leaf columns
// (-1: all) of `schema` that are not partition columns.
std::string StatsJson(const StagedFile& file, const Schema& schema,
                      const std::vector<std::string>& partition_cols, int64_t columns_max);

// numRecords of such a text; -1 when it does not tell.
int64_t RowsOf(const std::string& stats);

// The partition values of a file as Delta writes them, in the order of `partition_cols`. NULL and the empty
// text are the same to Delta: none. QN-3313 when the file lacks one of the columns.
Result<PartitionValues> PartitionValuesOf(const StagedFile& file, const Schema& schema,
                                          const std::vector<std::string>& partition_cols);

// Whether a column of this type can be a partition column.
bool CanPartition(const Type& type);

// Parts of the above, for tests.
// The longest prefix of at most kStatsTextCharsMax characters; as an upper bound, its last character is moved
// up by one when something was cut. "" in `*bound` with false: there is no such bound.
bool TextBound(std::string_view text, bool upper, std::string* bound);
// DuckDB's text of a TIMESTAMP or TIMESTAMPTZ as micros since 1970 UTC; false for infinities and odd years.
bool ParseTimestamp(std::string_view text, int64_t* micros);
// "2024-01-01T10:00:00.123" with `digits` (0, 3 or 6) of the second, `separator` between date and time.
std::string FormatTimestamp(int64_t micros, int digits, char separator);
// Splits `"geo"."lat"` (quotes doubled inside) into its names.
std::vector<std::string> SplitColumnKey(std::string_view key);

}  // namespace qn::delta
