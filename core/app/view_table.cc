// One pass of DuckDB a file: read_parquet → Survivors → the successor's encoder. No rows are held but the
// delta's.
#include "app/view_table.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>

#include "app/circuit_run.h"
#include "app/flow_run.h"
#include "connectors/delta/path.h"
#include "connectors/delta/stats.h"
#include "formats/parquet/partition.h"

namespace qn::app {
namespace {

constexpr uint32_t kBitsMax = 6;  // 64 files are written at the same time
constexpr size_t kWriterBytesMax = size_t{64} << 20;
constexpr size_t kWriterBytesMin = size_t{1} << 20;
// Young rows may be a quarter of the settled ones: so much more is read at most to find a row, and a row is
// rewritten a few times until it is settled.
constexpr uint64_t kYoungShare = 4;
// Settled files that have become small (rows went) are put together again.
constexpr uint64_t kSmallShare = 16;
constexpr size_t kSmallFilesMin = 5;
constexpr size_t kRowTextMax = 300;
// How a row changes, in the words of Delta's change data feed.
constexpr const char* kInsert = "insert";
constexpr const char* kDelete = "delete";
constexpr const char* kBefore = "update_preimage";
constexpr const char* kAfter = "update_postimage";
constexpr size_t kAlikeMax = 16;  // rows of one key that are looked at; a key has one old row and one new

std::string NamesOf(const Schema& columns) {
  std::string names;
  for (const Field& field : columns) names += (names.empty() ? "" : ", ") + QuoteName(field.name);
  return names;
}

// Of the files that tell changes.
Schema ChangesColumns(Schema columns) {
  columns.push_back({delta::kChangeTypeColumn, Type::Of(TypeId::kVarchar), false, ""});
  return columns;
}

std::string ReadParquet(const std::string& path) {
  return "read_parquet(" + QuoteFile(path) + ", hive_partitioning = false)";
}

// The value of a cell of an encoded row as the encoder of partition names takes it.
parquet::KeyValue KeyOf(const Type& type, std::string_view cell) {
  alignas(16) char value[16] = {};
  const uint64_t validity = cell.data() == nullptr ? 0 : 1;
  if (type.id == TypeId::kVarchar) {
    duck::String text{};
    text.size = static_cast<uint32_t>(cell.size());
    if (cell.size() <= 12) {
      if (!cell.empty()) std::memcpy(text.prefix, cell.data(), cell.size());
    } else {
      text.pointer = cell.data();
    }
    std::memcpy(value, &text, sizeof text);
  } else if (cell.data() != nullptr) {
    QN_CHECK(cell.size() <= sizeof value);
    std::memcpy(value, cell.data(), cell.size());
  }
  return parquet::KeyValue::Of(type, {value, &validity}, 0);
}

// Partition values as one text: as our own files have them in the log.
std::string JoinedValues(const delta::PartitionValues& values, const std::vector<std::string>& columns) {
  std::string joined;
  for (const std::string& column : columns) {
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&column](const auto& value) { return value.first == column; });
    const bool is_null = found == values.end() || !found->second.has_value();
    joined += is_null ? "-;" : std::to_string(found->second->size()) + ":" + *found->second + ";";
  }
  return joined;
}

}  // namespace

// One row of the delta.
struct ViewTable::Row {
  std::string_view bytes;
  int64_t weight = 0;
  uint64_t hash = 0;
  size_t part = 0;
};

struct ViewTable::File {
  std::string name;  // as the snapshot has it
  std::string path;
  delta::PartitionValues partition;
  uint64_t rows = 0;
  bool is_ours = false;  // of our making and of the table's columns: what is in it needs no looking
  Region region;

  bool is_young() const { return region.depth == 0; }
};

// A partition of the table that the delta touches.
struct ViewTable::Part {
  std::string values;
  std::vector<Row> rows;  // by hash; equal ones are one
  std::vector<File> files;
};

// The files that one pass writes: one for each region that it is cut into.
class ViewTable::Writers {
 public:
  static Result<Writers> Make(const ViewTable& table, const Region& region, uint32_t bits) {
    Writers made(table, region, bits);
    parquet::WriterOptions options = table.OptionsOf(table.options_.folder, table.columns_);
    options.thread_bytes_max = std::max(kWriterBytesMax >> bits, kWriterBytesMin);
    for (uint64_t i = 0; i < uint64_t{1} << bits; ++i) {
      QN_GET(auto writer, parquet::PartitionedWriter::Make(options));
      made.writers_.push_back(std::move(writer));
    }
    return made;
  }

  std::vector<parquet::PartitionedWriter*> all() const {
    std::vector<parquet::PartitionedWriter*> all;
    for (const auto& writer : writers_) all.push_back(writer.get());
    return all;
  }

  Status Finish(StagedDelta& staged) {
    for (size_t i = 0; i < writers_.size(); ++i) {
      QN_GET(std::vector<StagedFile> files, writers_[i]->Finish());
      for (StagedFile& file : files) {
        file.tags = {{kBucketTag, table_->buckets_.Tag(region_.Child(bits_, i))}};
        staged.files.push_back(std::move(file));
      }
    }
    return Ok();
  }

 private:
  Writers(const ViewTable& table, const Region& region, uint32_t bits)
      : table_(&table), region_(region), bits_(bits) {}

  const ViewTable* table_;
  Region region_;
  uint32_t bits_;
  std::vector<std::unique_ptr<parquet::PartitionedWriter>> writers_;
};

ViewTable::ViewTable(duck::Connection& connection, delta::DeltaSink& sink, Options options)
    : connection_(connection),
      sink_(sink),
      options_(std::move(options)),
      columns_(sink.schema()),
      codec_(TypesOf(columns_), duck::Encoding::kRow),
      buckets_(columns_, codec_, options_.keys),
      survivors_(codec_, buckets_),
      scan_(columns_, codec_, duck::RowCodec({}, duck::Encoding::kRow), false) {
  for (std::string& column : options_.partition_cols) {
    const int index = ColumnIndex(columns_, column);
    QN_CHECK(index >= 0);
    column = columns_[static_cast<size_t>(index)].name;  // as the log writes it
    partition_.push_back(static_cast<size_t>(index));
  }
}

ViewTable::~ViewTable() = default;

Result<std::unique_ptr<ViewTable>> ViewTable::Make(duck::Connection& connection, delta::DeltaSink& sink,
                                                   Options options) {
  QN_CHECK(options.new_id != nullptr);
  QN_TRY(duck::RowCodec::Check(sink.schema()));
  std::unique_ptr<ViewTable> table(new ViewTable(connection, sink, std::move(options)));
  QN_TRY(table->Register());
  return table;
}

Status ViewTable::Register() {
  survivors_name_ = UniqueName("survivors");
  QN_TRY(duck::RegisterRowSink(connection_, survivors_name_, codec_.types(), survivors_));
  scan_name_ = UniqueName("added");
  if (sink_.WritesChanges()) {
    changes_name_ = UniqueName("changes");
    QN_TRY(duck::RegisterRowSink(connection_, changes_name_, changes_.Arguments(ChangesColumns(columns_)),
                                 changes_));
  }
  return duck::RegisterScan(connection_, scan_name_, scan_);
}

Result<StagedDelta> ViewTable::Apply(Delta& delta, Epoch epoch, bool starts_empty) {
  StagedDelta staged;
  staged.replaces_all = starts_empty;
  epoch_ = epoch;
  QN_GET(std::vector<Part> parts, Divide(delta));
  if (parts.empty()) return staged;
  if (!starts_empty) {
    QN_TRY(sink_.CatchUp());
    QN_TRY(FindFiles(parts));
  }
  Status status = ApplyParts(parts, staged);
  if (status.ok() && sink_.WritesChanges() && !staged.removes.empty()) status = WriteChanges(parts, staged);
  if (status.ok()) return staged;
  for (const StagedFile& file : staged.files) {
    std::error_code ignored;  // what stays is swept at the next start
    std::filesystem::remove(file.path, ignored);
  }
  if (status.text().starts_with("INTERRUPT")) {
    return Failed("QN-3504", "Stopped at once; the step in hand was given up.");
  }
  return status;
}

// By partition, each in the order of hashes; equal rows become one.
Result<std::vector<ViewTable::Part>> ViewTable::Divide(Delta& delta) {
  std::vector<Part> parts;
  std::unordered_map<std::string, size_t> by_bytes, by_values;
  std::vector<Row> rows;
  rows.reserve(delta.rows.size());
  std::string bytes;
  for (const DeltaRow& row : delta.rows) {
    bytes.clear();
    for (const size_t column : partition_) {
      const std::string_view cell = codec_.Cell(row.row, column);
      bytes += cell.data() == nullptr ? "-;" : std::to_string(cell.size()) + ":";
      bytes += cell;
    }
    auto found = by_bytes.find(bytes);
    if (found == by_bytes.end()) {
      QN_GET(std::string values, PartitionOf(row.row));
      const size_t part = by_values.try_emplace(values, parts.size()).first->second;
      if (part == parts.size()) parts.push_back({std::move(values), {}, {}});
      found = by_bytes.emplace(bytes, part).first;
    }
    rows.push_back({row.row, row.weight, buckets_.HashOf(row.row), found->second});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.part != b.part) return a.part < b.part;
    return a.hash != b.hash ? a.hash < b.hash : a.bytes < b.bytes;
  });
  delta.rows.clear();
  for (size_t i = 0, next = 0; i < rows.size(); i = next) {
    Row row = rows[i];
    for (next = i + 1; next < rows.size() && rows[next].part == row.part && rows[next].bytes == row.bytes;
         ++next) {
      row.weight += rows[next].weight;
    }
    if (row.weight == 0) continue;
    delta.rows.push_back({row.bytes, {}, row.weight});
    parts[row.part].rows.push_back(row);
  }
  std::erase_if(parts, [](const Part& part) { return part.rows.empty(); });
  return parts;
}

Result<std::string> ViewTable::PartitionOf(std::string_view row) const {
  StagedFile file;
  for (const size_t column : partition_) {
    const Type& type = columns_[column].type;
    const parquet::KeyValue value = KeyOf(type, codec_.Cell(row, column));
    if (value.is_null) {
      file.partition_nulls.push_back(columns_[column].name);
    } else {
      file.partition.emplace_back(columns_[column].name, value.Text(type));
    }
  }
  QN_GET(const delta::PartitionValues values,
         delta::PartitionValuesOf(file, columns_, options_.partition_cols));
  return JoinedValues(values, options_.partition_cols);
}

Status ViewTable::FindFiles(std::vector<Part>& parts) {
  std::unordered_map<std::string, Part*> by_values;
  for (Part& part : parts) by_values.emplace(part.values, &part);
  for (const auto& [name, add] : sink_.snapshot().files) {
    const std::string tag = delta::ConfigurationOr(add->tags, kBucketTag, "");
    const std::optional<Region> region = buckets_.RegionOf(tag);
    std::string values = JoinedValues(add->partition, options_.partition_cols);
    if (!region.has_value() && !partition_.empty()) {
      QN_GET(values, ForeignPartition(*add));
    }
    const auto part = by_values.find(values);
    if (part == by_values.end()) continue;
    File file;
    file.name = name;
    file.path = delta::FullPath(options_.folder, name);
    file.partition = add->partition;
    const int64_t rows = delta::RowsOf(add->stats);
    file.rows = rows < 0 ? options_.bucket_rows_max : static_cast<uint64_t>(rows);
    file.is_ours = region.has_value();
    file.region = region.value_or(Region{});
    part->second->files.push_back(std::move(file));
  }
  for (Part& part : parts) {
    std::sort(part.files.begin(), part.files.end(), [](const File& a, const File& b) {
      return a.rows != b.rows ? a.rows < b.rows : a.name < b.name;
    });
  }
  return Ok();
}

// Others may write the same value in another way.
Result<std::string> ViewTable::ForeignPartition(const delta::AddFile& file) {
  const std::string written = JoinedValues(file.partition, options_.partition_cols);
  const auto known = foreign_partitions_.find(written);
  if (known != foreign_partitions_.end()) return known->second;
  StagedFile ours;
  for (const size_t index : partition_) {
    const Field& column = columns_[index];
    const auto found = std::find_if(file.partition.begin(), file.partition.end(),
                                    [&column](const auto& value) { return value.first == column.name; });
    if (found == file.partition.end() || !found->second.has_value()) {
      ours.partition_nulls.push_back(column.name);
      continue;
    }
    const Result<duck::Rows> text = connection_.Query("SELECT CAST(CAST(" + QuoteText(*found->second) +
                                                      " AS " + column.type.ToSql() + ") AS VARCHAR)");
    if (!text.ok()) return Unreadable({file.path, file.path, {}, 0, false, {}}, text.status());
    ours.partition.emplace_back(column.name, text->rows[0][0].Str());
  }
  QN_GET(const delta::PartitionValues values,
         delta::PartitionValuesOf(ours, columns_, options_.partition_cols));
  return foreign_partitions_[written] = JoinedValues(values, options_.partition_cols);
}

Status ViewTable::ApplyParts(std::vector<Part>& parts, StagedDelta& staged) {
  QN_GET(Writers young, Writers::Make(*this, {}, 0));
  std::vector<Row> added;
  for (Part& part : parts) {
    uint64_t young_rows = 0, settled_rows = 0, settled_files = 0, gone = 0;
    for (const File& file : part.files) {
      (file.is_young() ? young_rows : settled_rows) += file.rows;
      settled_files += file.is_young() ? 0 : 1;
    }
    for (const Row& row : part.rows) {
      if (row.weight > 0) young_rows += static_cast<uint64_t>(row.weight);
      if (row.weight < 0) gone += static_cast<uint64_t>(-row.weight);
    }
    const bool is_young = young_rows <= std::max(options_.bucket_rows_max, settled_rows / kYoungShare);
    const bool is_small = settled_files >= kSmallFilesMin &&
                          settled_rows / settled_files < options_.bucket_rows_max / kSmallShare;
    if (is_young && !is_small) {
      QN_TRY(Change(part, young, staged));
      for (const Row& row : part.rows) {
        if (row.weight > 0) added.push_back(row);
      }
    } else {
      const uint64_t all = young_rows + settled_rows;
      QN_TRY(Settle(part, all - std::min(gone, all), staged));
    }
  }
  QN_TRY(AddRows(added, {}, 0, young));
  return young.Finish(staged);
}

namespace {

template <typename Rows>
std::vector<TakenBack::Row> NegativeOf(const Rows& rows) {
  std::vector<TakenBack::Row> negative;
  for (const auto& row : rows) {
    if (row.weight < 0) negative.push_back({row.bytes, -row.weight});
  }
  return negative;
}

}  // namespace

// Rewrites only the files that have rows which are taken back; small young ones go into the new one.
Status ViewTable::Change(Part& part, Writers& young, StagedDelta& staged) {
  TakenBack taken(NegativeOf(part.rows));
  std::vector<uint64_t> hashes;  // of what is taken back
  uint64_t gathered = 0;         // rows that the new young file gets
  for (const Row& row : part.rows) {
    if (row.weight < 0) hashes.push_back(row.hash);
    if (row.weight > 0) gathered += static_cast<uint64_t>(row.weight);
  }
  // A young file that stays has more rows than all smaller ones together: so there are few.
  bool merges = gathered > 0;
  for (const File& file : part.files) {
    if (!file.is_young()) continue;
    merges = merges && file.rows <= gathered && gathered + file.rows <= options_.bucket_rows_max;
    if (merges) {
      QN_TRY(ReadFile(file, {&taken, false, {}, 0, young.all()}));
      gathered += static_cast<uint64_t>(survivors_.kept());
      staged.removes.push_back(file.name);
    } else if (taken.left() > 0) {
      QN_GET(const bool may_hold, MayHold(file, taken));
      if (may_hold) QN_TRY(Rewrite(file, taken, staged));
    }
  }
  for (const File& file : part.files) {
    if (file.is_young()) continue;
    const auto from = std::lower_bound(hashes.begin(), hashes.end(), file.region.first());
    const auto to = std::upper_bound(from, hashes.end(), file.region.last());
    if (taken.LeftOf(from - hashes.begin(), to - hashes.begin()) > 0) QN_TRY(Rewrite(file, taken, staged));
  }
  return taken.left() > 0 ? Missing(taken.Remaining()) : Ok();
}

Status ViewTable::Rewrite(const File& file, TakenBack& taken, StagedDelta& staged) {
  QN_GET(Writers successor, Writers::Make(*this, file.region, 0));
  QN_TRY(ReadFile(file, {&taken, false, {}, 0, successor.all()}));
  if (survivors_.taken() == 0) return Ok();  // the successor goes with its writer
  staged.removes.push_back(file.name);
  return successor.Finish(staged);
}

Result<bool> ViewTable::MayHold(const File& file, TakenBack& taken) {
  QN_TRY(ReadFile(file, {&taken, true, {}, 0, {}}));
  return survivors_.taken() > 0;
}

// All rows of the partition into buckets, a group of them at a time.
Status ViewTable::Settle(Part& part, uint64_t rows, StagedDelta& staged) {
  uint32_t depth = 0;
  if (rows > options_.bucket_rows_max) {
    while (depth < kDepthMax && rows >> depth > options_.bucket_rows_max / 4 * 3) ++depth;
  }
  const uint32_t bits = std::min(depth, kBitsMax);
  TakenBack taken(NegativeOf(part.rows));
  for (uint64_t prefix = 0; prefix < uint64_t{1} << (depth - bits); ++prefix) {
    const Region region{depth - bits, prefix};
    QN_GET(Writers writers, Writers::Make(*this, region, bits));
    for (const File& file : part.files) {
      if (file.region.Meets(region)) QN_TRY(ReadFile(file, {&taken, false, region, bits, writers.all()}));
    }
    QN_TRY(AddRows(part.rows, region, bits, writers));
    QN_TRY(writers.Finish(staged));
  }
  for (const File& file : part.files) staged.removes.push_back(file.name);
  return taken.left() > 0 ? Missing(taken.Remaining()) : Ok();
}

// Those of the region that come.
Status ViewTable::AddRows(std::span<const Row> rows, const Region& region, uint32_t bits, Writers& writers) {
  adding_.rows.clear();
  for (const Row& row : rows) {
    if (row.weight > 0 && region.Has(row.hash)) adding_.rows.push_back({row.bytes, {}, row.weight});
  }
  if (adding_.rows.empty()) return Ok();
  scan_.Set(&adding_);
  survivors_.Begin({nullptr, false, region, bits, writers.all()});
  const std::string names = NamesOf(columns_);
  Status status = connection_
                      .Query("SELECT count(*) FROM (SELECT " + names + " FROM " + scan_name_ + "()) WHERE " +
                             survivors_name_ + "(" + names + ")")
                      .status();
  scan_.Set(nullptr);
  adding_.rows.clear();
  if (!survivors_.failure().ok()) return survivors_.failure();
  return status;
}

parquet::WriterOptions ViewTable::OptionsOf(const std::string& folder, const Schema& columns) const {
  const std::string pattern = sink_.FilenamePattern(epoch_);
  parquet::WriterOptions options;
  options.folder = folder;
  options.file_prefix = pattern.substr(0, pattern.find('{'));
  options.new_id = options_.new_id;
  options.columns = columns;
  options.partition_cols = options_.partition_cols;
  options.file_bytes_max = UINT64_MAX;
  return options;
}

Status ViewTable::WriteChanges(const std::vector<Part>& parts, StagedDelta& staged) {
  QN_GET(const auto writer,
         parquet::PartitionedWriter::Make(OptionsOf(sink_.ChangesFolder(), ChangesColumns(columns_))));
  changes_.SetWriter(writer.get());
  Status status;
  for (const char* type : {kInsert, kDelete, kBefore, kAfter}) {
    if (status.ok()) status = WriteChangesOf(parts, type);
  }
  scan_.Set(nullptr);
  adding_.rows.clear();
  changes_.SetWriter(nullptr);
  QN_TRY(status);
  QN_GET(staged.changes, writer->Finish());
  return Ok();
}

Status ViewTable::WriteChangesOf(const std::vector<Part>& parts, const char* type) {
  adding_.rows.clear();
  for (const Part& part : parts) {
    const std::span<const Row> rows = part.rows;
    for (size_t i = 0, next = 0; i < rows.size(); i = next) {
      for (next = i; next < rows.size() && rows[next].hash == rows[i].hash;) ++next;
      for (const Row& row : rows.subspan(i, next - i)) {
        if (ChangeType(rows.subspan(i, next - i), row) != type) continue;
        adding_.rows.push_back({row.bytes, {}, std::abs(row.weight)});
      }
    }
  }
  if (adding_.rows.empty()) return Ok();
  scan_.Set(&adding_);
  const std::string names = NamesOf(columns_);
  const Status status = connection_
                            .Query("SELECT count(*) FROM (SELECT " + names + " FROM " + scan_name_ +
                                   "()) WHERE " + changes_name_ + "(" + names + ", " + QuoteText(type) + ")")
                            .status();
  return changes_.failure().ok() ? status : changes_.failure();
}

// `alike` are the rows whose keys may be the same.
const char* ViewTable::ChangeType(std::span<const Row> alike, const Row& row) const {
  const char* plain = row.weight > 0 ? kInsert : kDelete;
  if (std::abs(row.weight) != 1 || alike.size() > kAlikeMax) return plain;
  const Row* partner = nullptr;
  for (const Row& other : alike) {
    if (&other == &row || !buckets_.HaveSameKey(row.bytes, other.bytes)) continue;
    if (partner != nullptr) return plain;  // no key after all
    partner = &other;
  }
  if (partner == nullptr || partner->weight != -row.weight) return plain;
  return row.weight > 0 ? kAfter : kBefore;
}

Status ViewTable::ReadFile(const File& file, Survivors::Pass pass) {
  QN_GET(const std::string select, SelectOf(file));
  survivors_.Begin(std::move(pass));
  const Status status = connection_
                            .Query("SELECT count(*) FROM (" + select + ") WHERE " + survivors_name_ + "(" +
                                   NamesOf(columns_) + ")")
                            .status();
  if (!survivors_.failure().ok()) return survivors_.failure();
  return status.ok() ? status : Unreadable(file, status);
}

// The table's columns. Files that are not ours may lack those that came later, and those of the partition.
Result<std::string> ViewTable::SelectOf(const File& file) {
  if (file.is_ours) return RowsSql({{file.path}, 0}, columns_);
  const std::string from = " FROM " + ReadParquet(file.path);
  const Result<Schema> found = connection_.Describe("SELECT *" + from);
  if (!found.ok()) return Unreadable(file, found.status());
  std::string list;
  for (const Field& column : columns_) {
    std::string value = "NULL";
    const auto known = std::find_if(file.partition.begin(), file.partition.end(),
                                    [&column](const auto& item) { return item.first == column.name; });
    if (ColumnIndex(*found, column.name) >= 0) {
      value = QuoteName(column.name);
    } else if (known != file.partition.end() && known->second.has_value()) {
      value = QuoteText(*known->second);
    }
    list += (list.empty() ? "" : ", ") + value + "::" + column.type.ToSql() + " AS " + QuoteName(column.name);
  }
  return "SELECT " + list + from;
}

Status ViewTable::Unreadable(const File& file, const Status& status) const {
  if (status.text().starts_with("INTERRUPT")) return status;
  return Failed("QN-3321", "A file of the view '" + options_.name + "' cannot be read.")
      .With("file: " + file.path)
      .With("DuckDB says: " + status.text().substr(0, status.text().find('\n')))
      .With("The step was not committed; everything before it is.")
      .With("Bring the file back, or compute the view anew: --full-refresh " + options_.name);
}

Status ViewTable::Missing(std::string_view row) {
  adding_.rows = {{row, {}, 1}};
  scan_.Set(&adding_);
  std::string members;
  for (const Field& column : columns_) {
    members += (members.empty() ? "" : ", ") + QuoteText(column.name) + ": " + QuoteName(column.name);
  }
  const Result<duck::Rows> text =
      connection_.Query("SELECT ({" + members + "})::VARCHAR FROM " + scan_name_ + "()");
  scan_.Set(nullptr);
  adding_.rows.clear();
  Status status =
      Failed("QN-3320", "A row that the view '" + options_.name + "' takes back is not in its table.");
  status.With("table: " + options_.folder);
  if (text.ok() && !text->rows.empty()) status.With("row: " + text->rows[0][0].Str().substr(0, kRowTextMax));
  return status.With("Its table was changed by somebody else, or is damaged. The step was not committed.")
      .With("Compute the view anew: --full-refresh " + options_.name);
}

}  // namespace qn::app
