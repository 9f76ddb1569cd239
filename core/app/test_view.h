// For tests: a storage folder with one view's table, which steps change and others too, and what is in it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/view_table.h"
#include "base/check.h"
#include "base/test_folder.h"
#include "connectors/delta/path.h"
#include "connectors/delta/schema_json.h"
#include "connectors/delta/stats.h"
#include "connectors/local/local_files.h"

namespace qn::app {

using Model = std::map<std::string, int64_t>;  // encoded row → how often

class FixedClock final : public Clock {
 public:
  int64_t WallMs() const override { return 1'700'000'000'123; }
  int64_t MonotonicNs() const override { return 0; }
};

// Takes rows as they are encoded.
class Encoder final : public duck::RowSink {
 public:
  explicit Encoder(std::vector<Type> types) : codec(std::move(types), duck::Encoding::kRow) {}
  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override {
    return std::unique_ptr<duck::RowSinkThread>(new Thread(*this));
  }
  duck::RowCodec codec;
  std::vector<std::string> rows;

 private:
  class Thread final : public duck::RowSinkThread {
   public:
    explicit Thread(Encoder& sink) : sink_(sink) {}
    Status Take(std::span<const duck::ColumnIn> columns, size_t count) override {
      Arena bytes;
      const std::lock_guard lock(sink_.mutex_);
      for (size_t row = 0; row < count; ++row)
        sink_.rows.emplace_back(sink_.codec.Encode(columns, row, bytes, nullptr));
      return Ok();
    }

   private:
    Encoder& sink_;
  };
  std::mutex mutex_;
};

// A storage folder with one view, whose columns are those of a query.
class ViewWorld {
 public:
  struct Shape {
    std::vector<std::string> partition_cols = {};
    std::vector<std::string> keys = {};
    uint64_t bucket_rows_max = 100;
    delta::TextMap properties = {};
    std::string root = "";  // kept where it is named
  };

  ViewWorld(const std::string& query, Shape shape) : shape_(std::move(shape)) {
    const char* library = std::getenv("QANAT_DUCKDB");
    auto api = duck::LoadApi(library != nullptr ? library : "");
    EXPECT_TRUE(api.ok()) << api.status().ToString();
    duck::Options options;
    options.threads = 2;
    database_ = std::move(duck::Database::Open(*api, options)).value();
    connection_ = std::move(database_->Connect()).value();
    Ask("SET TimeZone = 'UTC'");
    root_ = shape_.root.empty() ? MakeTestFolder("view") : shape_.root;
    const auto columns = connection_->Describe(query);
    EXPECT_TRUE(columns.ok()) << columns.status().ToString();
    columns_ = *delta::StoredSchema(*columns);
    AddEncoder();
    Open();
  }
  ~ViewWorld() {
    if (shape_.root.empty()) std::filesystem::remove_all(root_);
  }
  ViewWorld(const ViewWorld&) = delete;
  ViewWorld& operator=(const ViewWorld&) = delete;

  // As after a restart.
  void Open() {
    table_ = nullptr;
    delta::DeltaOptions options;
    options.folder = folder();
    options.app_id = "test/view";
    options.name = "sales";
    options.schema = columns_;
    options.partition_cols = shape_.partition_cols;
    options.properties = shape_.properties;
    auto sink = delta::DeltaSink::Open(
        options, {files_, clock_, [this] { return seed_ += 0x9E3779B97F4A7C15u; }, nullptr});
    ASSERT_TRUE(sink.ok()) << sink.status().ToString();
    sink_ = std::move(sink).value();
    ViewTable::Options view;
    view.name = "sales";
    view.folder = folder();
    view.partition_cols = shape_.partition_cols;
    view.keys = shape_.keys;
    view.new_id = [this] { return "id" + std::to_string(++ids_); };
    view.bucket_rows_max = shape_.bucket_rows_max;
    auto table = ViewTable::Make(*connection_, *sink_, view);
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    // Functions stay registered with the connection: the tables live as long.
    tables_.push_back(std::move(table).value());
    table_ = tables_.back().get();
  }

  // The dataset's query gives one more column now.
  void AddColumn(Field column) {
    columns_.push_back(std::move(column));
    AddEncoder();
    Open();
  }
  void SetProperties(delta::TextMap properties) {
    shape_.properties = std::move(properties);
    Open();
  }
  void SetKeys(std::vector<std::string> keys) {
    shape_.keys = std::move(keys);
    Open();
  }

  duck::Rows Ask(const std::string& sql) {
    auto rows = connection_->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString() << "\n" << sql.substr(0, 1000);
    return rows.ok() ? std::move(rows).value() : duck::Rows{};
  }

  // The rows of a query, cast to the table's types.
  std::vector<std::string> Encode(const std::string& query) {
    Encoder& encoder = *encoders_.back();
    encoder.rows.clear();
    std::string typed, names;
    for (const Field& column : columns_) {
      const std::string name = QuoteName(column.name);
      typed += (typed.empty() ? "" : ", ") + name + "::" + column.type.ToSql() + " AS " + name;
      names += (names.empty() ? "" : ", ") + name;
    }
    Ask("SELECT count(*) FROM (SELECT " + typed + " FROM (" + query + ")) WHERE encode_" +
        std::to_string(encoders_.size()) + "(" + names + ")");
    return encoder.rows;
  }

  // What a reader of the table finds: its partition columns are the log's.
  Model Stored() {
    Model stored;
    auto snapshot = delta::LoadSnapshot(files_, folder(), nullptr);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status().ToString();
    for (const auto& [path, add] : snapshot->files) {
      std::string list;
      const std::string from =
          " FROM read_parquet(" + QuoteText(folder() + "/" + path) + ", hive_partitioning = false)";
      const auto found = connection_->Describe("SELECT *" + from);
      EXPECT_TRUE(found.ok()) << found.status().ToString();
      for (const Field& column : columns_) {
        std::string value = ColumnIndex(*found, column.name) < 0 ? "NULL" : QuoteName(column.name);
        for (const auto& [name, text] : add->partition) {
          if (name == column.name) value = text.has_value() ? QuoteText(*text) : "NULL";
        }
        list += (list.empty() ? "" : ", ") + value + " AS " + QuoteName(column.name);
      }
      const auto rows = Encode("SELECT " + list + from);
      EXPECT_EQ(static_cast<int64_t>(rows.size()), delta::RowsOf(add->stats));
      for (const std::string& row : rows) ++stored[row];
    }
    return stored;
  }

  Result<StagedDelta> TryApply(const Model& change, Epoch epoch, bool starts_empty = false) {
    Delta delta = DeltaOf(change);
    return table_->Apply(delta, epoch, starts_empty);
  }

  // One step that is committed.
  StagedDelta Step(const Model& change, bool starts_empty = false) {
    ++epoch_;
    auto staged = TryApply(change, epoch_, starts_empty);
    EXPECT_TRUE(staged.ok()) << staged.status().ToString();
    if (!staged.ok()) return {};
    Commit(*staged);
    return *staged;
  }
  void Commit(const StagedDelta& staged) {
    const auto receipt = sink_->Stage(epoch_, staged);
    ASSERT_TRUE(receipt.ok()) << receipt.status().ToString();
    const Status committed = sink_->Commit(epoch_, *Json::Parse(receipt->Dump()));
    ASSERT_TRUE(committed.ok()) << committed.ToString();
  }

  // Somebody else compacts all files of each partition into one, without partition columns, tags or
  // statistics.
  void Optimize() {
    std::map<delta::PartitionValues, std::vector<std::string>> parts;
    std::string entry;
    auto snapshot = delta::LoadSnapshot(files_, folder(), nullptr);
    ASSERT_TRUE(snapshot.ok());
    for (const auto& [path, add] : snapshot->files) {
      parts[add->partition].push_back(folder() + "/" + path);
      entry +=
          delta::ToAction(delta::RemoveFile{add->path, 1, false, true, add->partition, add->size}).Dump() +
          "\n";
    }
    for (const auto& [partition, files] : parts) {
      const std::string path = "optimized " + std::to_string(++ids_) + ".parquet";
      std::string list, except;
      for (const std::string& file : files) list += (list.empty() ? "" : ", ") + QuoteText(file);
      for (const std::string& column : shape_.partition_cols)
        except += (except.empty() ? " EXCLUDE (" : ", ") + QuoteName(column);
      Ask("COPY (SELECT *" + except + (except.empty() ? "" : ")") + " FROM read_parquet([" + list +
          "], hive_partitioning = false)) TO " + QuoteText(folder() + "/" + path) + " (FORMAT parquet)");
      delta::AddFile add;
      add.path = delta::EncodePath(path);
      add.partition = partition;
      add.size = std::filesystem::file_size(folder() + "/" + path);
      add.data_change = false;
      add.stats = R"({"numRecords":)" +
                  Ask("SELECT count(*)::VARCHAR FROM " + QuoteText(folder() + "/" + path)).rows[0][0].Str() +
                  "}";
      entry += delta::ToAction(add).Dump() + "\n";
    }
    ASSERT_TRUE(files_.PutIfAbsent(delta::EntryPath(folder(), snapshot->version + 1), entry).ok());
  }

  static Delta DeltaOf(const Model& change) {
    Delta delta;
    for (const auto& [row, weight] : change) delta.rows.push_back({delta.bytes.Store(row), {}, weight});
    return delta;
  }

  std::string folder() const { return root_ + "/sales"; }
  delta::DeltaSink& sink() { return *sink_; }
  ViewTable& table() { return *table_; }
  size_t FilesInTable() const { return sink_->snapshot().files.size(); }
  // Parquet files below the folder, in the table or not.
  size_t FilesOnDisk() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder()))
      count += entry.path().extension() == ".parquet" ? 1 : 0;
    return count;
  }

 private:
  void AddEncoder() {
    std::vector<Type> types;
    for (const Field& column : columns_) types.push_back(column.type);
    encoders_.push_back(std::make_unique<Encoder>(types));
    ASSERT_TRUE(duck::RegisterRowSink(*connection_, "encode_" + std::to_string(encoders_.size()), types,
                                      *encoders_.back())
                    .ok());
  }

  Shape shape_;
  std::string root_;
  Schema columns_;
  LocalFiles files_;
  FixedClock clock_;
  uint64_t seed_ = 7;
  int ids_ = 0;
  Epoch epoch_ = 0;
  std::vector<std::unique_ptr<Encoder>> encoders_;
  std::unique_ptr<delta::DeltaSink> sink_;
  std::vector<std::unique_ptr<ViewTable>> tables_;
  ViewTable* table_ = nullptr;
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
};

inline Model Added(const std::vector<std::string>& rows, int64_t weight = 1) {
  Model change;
  for (const std::string& row : rows) change[row] += weight;
  return change;
}

inline void Add(Model& model, const Model& change) {
  for (const auto& [row, weight] : change) {
    if ((model[row] += weight) == 0) model.erase(row);
  }
}

}  // namespace qn::app
