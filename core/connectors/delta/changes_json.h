// What a table's commits have changed, described for other languages: which files a reader of the changes has
// to read, and how. Refuses what the log does not tell row by row.
#pragma once

#include <string>

#include "connectors/delta/log.h"

namespace qn::delta {

// {"version","schema":[…],"partition_cols":[…],"properties":{…},
//  "changes":[{"path","type","version","time_ms","partition":{column:text|null}}]}
// of the versions `first` to `last`, both of them in; `last` -1 is the newest. The head is that of
// SnapshotJson at `last`. "type" is "insert" or "delete" when all rows of the file came or went in that
// version, and null when the file has them row by row, with the column _change_type. A version that only
// rewrote the same rows (dataChange false) changes nothing. `first` may be the version that comes next:
// nothing has changed.
//
// QN-3318: there is no such table or version. QN-3322: a version rewrote files, and the table did not tell
// its changes. QN-3323: a file or log entry that is needed is gone.
Result<std::string> ChangesJson(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                                int64_t first, int64_t last);

}  // namespace qn::delta
