// For tests that need the real DuckDB: a database, and rows of a query as a delta.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "duck/database.h"
#include "ops/delta_sink.h"

namespace qn::ops {

struct Duck {
  std::unique_ptr<duck::Database> database;
  std::unique_ptr<duck::Connection> connection;

  explicit Duck(int threads = 2) {
    const char* library = std::getenv("QANAT_DUCKDB");
    auto api = duck::LoadApi(library != nullptr ? library : "");
    EXPECT_TRUE(api.ok()) << api.status().ToString();
    duck::Options options;
    options.threads = threads;
    database = std::move(duck::Database::Open(*api, options)).value();
    connection = std::move(database->Connect()).value();
  }

  // The first column of the first row, as text.
  std::string Ask(const std::string& sql) const {
    const auto rows = connection->Query(sql);
    EXPECT_TRUE(rows.ok()) << rows.status().ToString() << "\n" << sql;
    return rows.ok() && !rows->rows.empty() ? rows->rows[0][0].Dump() : "";
  }

  // The columns of `sql`.
  Schema Describe(const std::string& sql) const {
    auto columns = connection->Describe(sql);
    EXPECT_TRUE(columns.ok()) << columns.status().ToString() << "\n" << sql;
    return columns.ok() ? *columns : Schema();
  }

  // The rows of `sql`, whose columns are c0, c1, …, through `sink`, registered as `name`.
  KeyedDelta Encode(DeltaSink& sink, const std::string& name, const std::string& sql) const {
    std::string columns;
    for (size_t i = 0; i < sink.Arguments().size(); ++i) {
      columns += (i == 0 ? "c" : ", c") + std::to_string(i);
    }
    const auto rows =
        connection->Query("SELECT count(*) FROM (" + sql + ") AS q WHERE " + name + "(" + columns + ")");
    EXPECT_TRUE(rows.ok()) << rows.status().ToString() << "\n" << sql;
    KeyedDelta delta;
    sink.MoveTo(delta);
    return delta;
  }
};

}  // namespace qn::ops
