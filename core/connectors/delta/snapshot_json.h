// A table at one version, described for other languages: which files a reader has to read.
#pragma once

#include <string>

#include "connectors/delta/log.h"

namespace qn::delta {

// {"version","id","schema":[{"name","type","nullable","comment"}],"partition_cols":[…],"properties":{…},
//  "txn":{appId:version},"files":[{"path","rows","bytes","partition":{column:text|null},"stats":{…}}]}
// Types are DuckDB's, paths absolute, rows -1 where the log does not tell. Version -1 is the newest. QN-3318
// when the folder has no table, or not this version.
Result<std::string> SnapshotJson(Files& files, const std::string& table_folder, CheckpointFormat* checkpoints,
                                 int64_t version);

// All of it but the files.
Result<Json> SnapshotHead(const Snapshot& snapshot, const std::string& table_folder);

}  // namespace qn::delta
