// For tests and benchmarks only: rows of a query through DuckDB into the encoder, and back.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/test_folder.h"
#include "duck/database.h"
#include "duck/row_sink.h"
#include "formats/parquet/writer.h"

namespace qn::parquet {

// Appends what DuckDB hands it; with `pick`, only the rows that it says, counted through the vector.
class WriterSink final : public duck::RowSink {
 public:
  std::function<bool(size_t)> pick;
  void SetWriter(PartitionedWriter* writer) { writer_ = writer; }

  Result<std::unique_ptr<duck::RowSinkThread>> OpenThread() override {
    return std::unique_ptr<duck::RowSinkThread>(new Thread(*this));
  }

 private:
  class Thread final : public duck::RowSinkThread {
   public:
    explicit Thread(WriterSink& sink) : sink_(sink) {}
    Status Take(std::span<const duck::ColumnIn> columns, size_t rows) override {
      chosen_.clear();
      for (size_t row = 0; row < rows; ++row) {
        if (sink_.pick == nullptr || sink_.pick(row)) chosen_.push_back(static_cast<uint32_t>(row));
      }
      return sink_.writer_ == nullptr ? Ok() : sink_.writer_->ThisThread().Append(columns, chosen_);
    }

   private:
    WriterSink& sink_;
    std::vector<uint32_t> chosen_;
  };
  PartitionedWriter* writer_ = nullptr;
};

// One database and a folder that goes with it.
class World {
 public:
  explicit World(int threads = 2) {
    const char* library = std::getenv("QANAT_DUCKDB");
    auto api = duck::LoadApi(library != nullptr ? library : "");
    QN_CHECK(api.ok());
    duck::Options options;
    options.threads = threads;
    auto database = duck::Database::Open(*api, options);
    QN_CHECK(database.ok());
    database_ = std::move(database).value();
    connection_ = std::move(database_->Connect()).value();
    folder_ = MakeTestFolder("parquet");
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::string& folder() const { return folder_; }
  duck::Connection& connection() { return *connection_; }
  duck::Rows Ask(const std::string& sql) {
    auto rows = connection_->Query(sql);
    if (!rows.ok())
      std::fprintf(stderr, "%s\n%s\n", sql.substr(0, 2000).c_str(), rows.status().ToString().c_str());
    QN_CHECK(rows.ok());
    return std::move(rows).value();
  }

  WriterOptions OptionsFor(const std::string& select) {
    WriterOptions options;
    options.folder = folder_ + "/table";
    options.file_prefix = "part-w-1-";
    options.new_id = [this] { return std::to_string(++ids_); };
    auto columns = connection_->Describe(select);
    if (!columns.ok()) std::fprintf(stderr, "%s\n", columns.status().ToString().c_str());
    QN_CHECK(columns.ok());
    options.columns = std::move(columns).value();
    options.created_by = "qanat version 0.0.0";
    return options;
  }

  // Hands the rows of `select` to `writer`, whose columns are those of `select`.
  Status Pour(const std::string& select, const Schema& columns, PartitionedWriter* writer,
              const std::function<bool(size_t)>& pick = nullptr) {
    auto sink = std::make_unique<WriterSink>();
    sink->SetWriter(writer);
    sink->pick = pick;
    const std::string name = "pour_" + std::to_string(sinks_.size());
    QN_TRY(duck::RegisterRowSink(*connection_, name, TypesOf(columns), *sink));
    sinks_.push_back(std::move(sink));
    std::string list;
    for (const Field& field : columns) list += (list.empty() ? "" : ", ") + QuoteName(field.name);
    return connection_->Query("SELECT count(*) FROM (" + select + ") WHERE " + name + "(" + list + ")")
        .status();
  }

  // All of it, with these options.
  Result<std::vector<StagedFile>> Write(const std::string& select, const WriterOptions& options,
                                        const std::function<bool(size_t)>& pick = nullptr) {
    QN_GET(auto writer, PartitionedWriter::Make(options));
    QN_TRY(Pour(select, options.columns, writer.get(), pick));
    return writer->Finish();
  }
  Result<std::vector<StagedFile>> Write(const std::string& select) {
    return Write(select, OptionsFor(select));
  }

  static std::string ReadSql(const std::vector<StagedFile>& files) {
    std::string list;
    for (const StagedFile& file : files) list += (list.empty() ? "" : ", ") + QuoteText(file.path);
    return "SELECT * FROM read_parquet([" + list + "], hive_partitioning = false)";
  }

  // How many rows are in one and not in the other, with their numbers. NaN and NULL are equal to themselves.
  int64_t Differences(const std::string& expected, const std::string& found) {
    // MAP does not compare in EXCEPT; text does, and tells NULL from an empty list.
    const auto as_text = [](const std::string& sql) {
      return "SELECT COLUMNS(*)::VARCHAR FROM (" + sql + ")";
    };
    const std::string a = as_text(expected);
    const std::string b = as_text(found);
    return Ask("SELECT count(*) FROM ((" + a + " EXCEPT ALL " + b + ") UNION ALL (" + b + " EXCEPT ALL " + a +
               "))")
        .rows[0][0]
        .Int();
  }

 private:
  std::unique_ptr<duck::Database> database_;
  std::unique_ptr<duck::Connection> connection_;
  std::vector<std::unique_ptr<WriterSink>> sinks_;  // the functions borrow them
  std::string folder_;
  std::atomic<int> ids_{0};
};

}  // namespace qn::parquet
