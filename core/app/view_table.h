// The stored rows of a view that takes rows back: a Delta table whose files are rewritten where rows go. New
// rows go into young files, which hold any rows and are merged as they grow; when they are many, all rows are
// settled: cut into buckets by hash, so that few files are read to find a row. Deletion vectors will take the
// place of this class; what it promises stays.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/buckets.h"
#include "app/survivors.h"
#include "app/table_sink.h"
#include "connectors/delta/sink.h"
#include "data/delta.h"
#include "duck/database.h"
#include "ops/delta_scan.h"

namespace qn::app {

inline constexpr uint64_t kBucketRowsMax = 100'000;

class ViewTable {
 public:
  struct Options {
    std::string name;                         // of the dataset, for people
    std::string folder;                       // of the table, absolute
    std::vector<std::string> partition_cols;  // as the table has them
    std::vector<std::string> keys;            // names of columns that tell rows apart; may be empty
    std::function<std::string()> new_id;      // for file names; called by one thread at a time
    uint64_t bucket_rows_max = kBucketRowsMax;
  };
  // Everything is borrowed. Registers functions with the connection, on which it runs its statements.
  static Result<std::unique_ptr<ViewTable>> Make(duck::Connection& connection, delta::DeltaSink& sink,
                                                 Options options);
  ~ViewTable();

  // Takes `delta` (rows encoded as kRow, of the table's stored types; `right` is not used) into account:
  // reads the files that may have rows which are taken back and writes their successors, to be staged as this
  // step. Nothing is visible yet. `delta` is consolidated: equal rows become one, those of weight 0 go, so
  // that it is what changes. An empty one changes nothing. `starts_empty`: the table's rows all go, and the
  // delta is the whole view.
  //
  // Where the table tells its changes (DeltaSink::WritesChanges), a step that rewrites files has them in
  // StagedDelta::changes; a key whose one row becomes another is an update. Of other steps, the files that
  // come and go are the changes.
  //
  // QN-3320: a row that is taken back is not in the table. QN-3321: a file cannot be read. QN-3302: see
  // DeltaSink::CatchUp. After a failure no file of the step is left.
  Result<StagedDelta> Apply(Delta& delta, Epoch epoch, bool starts_empty = false);

 private:
  struct Row;
  struct File;
  struct Part;
  class Writers;

  ViewTable(duck::Connection& connection, delta::DeltaSink& sink, Options options);
  Status Register();
  Result<std::vector<Part>> Divide(Delta& delta);
  Result<std::string> PartitionOf(std::string_view row) const;
  Status FindFiles(std::vector<Part>& parts);
  Result<std::string> ForeignPartition(const delta::AddFile& file);
  Status ApplyParts(std::vector<Part>& parts, StagedDelta& staged);
  Status Change(Part& part, Writers& young, StagedDelta& staged);
  Status Rewrite(const File& file, TakenBack& taken, StagedDelta& staged);
  Result<bool> MayHold(const File& file, TakenBack& taken);
  Status Settle(Part& part, uint64_t rows, StagedDelta& staged);
  Status AddRows(std::span<const Row> rows, const Region& region, uint32_t bits, Writers& writers);
  Status WriteChanges(const std::vector<Part>& parts, StagedDelta& staged);
  Status WriteChangesOf(const std::vector<Part>& parts, const char* type);
  const char* ChangeType(std::span<const Row> alike, const Row& row) const;
  parquet::WriterOptions OptionsOf(const std::string& folder, const Schema& columns) const;
  Status ReadFile(const File& file, Survivors::Pass pass);
  Result<std::string> SelectOf(const File& file);
  Status Unreadable(const File& file, const Status& status) const;
  Status Missing(std::string_view row);

  duck::Connection& connection_;
  delta::DeltaSink& sink_;
  Options options_;
  Schema columns_;
  duck::RowCodec codec_;
  Buckets buckets_;
  std::vector<size_t> partition_;  // indices of its columns
  Survivors survivors_;
  std::string survivors_name_;
  Delta adding_;  // what the scan shows
  ops::DeltaScan scan_;
  std::string scan_name_;
  TableSink changes_{nullptr};
  std::string changes_name_;
  std::map<std::string, std::string> foreign_partitions_;  // as written by others → as we write it
  Epoch epoch_ = 0;
};

}  // namespace qn::app
