// Log checkpoints as Parquet, read and written by DuckDB. Passes bytes through a scratch folder on the local
// disk, so that the table itself may lie anywhere.
#pragma once

#include <string>

#include "connectors/delta/log.h"
#include "duck/database.h"

namespace qn::delta {

// One thread at a time, and a connection of its own: a step's connection must not wait for a checkpoint.
class ParquetCheckpoints final : public CheckpointFormat {
 public:
  // `scratch` must be the local disk that DuckDB sees; the folder is made when needed. Both are borrowed.
  ParquetCheckpoints(duck::Connection& connection, Files& scratch, std::string scratch_folder);

  Status Read(Files& files, const std::vector<std::string>& parts,
              const std::function<Status(const Json&)>& action) override;
  Result<std::string> Write(const std::string& lines) override;

 private:
  Result<std::string> ScratchFile(std::string_view bytes, std::string_view ending);
  Status ReadPart(const std::string& path, const std::function<Status(const Json&)>& action);

  duck::Connection& connection_;
  Files& scratch_;
  std::string folder_;
  uint64_t counter_ = 0;
};

}  // namespace qn::delta
