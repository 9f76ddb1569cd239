// DuckDB as the rest of Qanat sees it: open, ask, prepare, run. Results here are small (control data, COPY's
// statistics); rows in bulk go through scans, row filters and COPY.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "data/json.h"
#include "data/type.h"
#include "duck/api.h"

namespace qn::duck {

struct Options {
  std::string memory_limit = "";  // "2GB"; empty: DuckDB's default (80 % of the machine)
  int threads = 0;                // 0: all cores
  std::string temp_folder;        // spill; empty: no spilling
};

// A whole result in memory. Values: JSON's own types; DATE, TIMESTAMP, DECIMAL, UUID and other scalars as
// DuckDB's text need a cast to VARCHAR in the query; MAP with VARCHAR keys and STRUCT become objects, LIST
// arrays.
struct Rows {
  std::vector<std::string> names;
  std::vector<std::vector<Json>> rows;
};

class Connection;

// A statement bound once, run many times. Not thread-safe.
class Prepared {
 public:
  ~Prepared();
  Result<Rows> Run();

 private:
  friend class Connection;
  struct State;
  explicit Prepared(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// DuckDB's own words for an error, kept apart so that callers can retell it.
struct SqlError {
  std::string type;     // "Binder Error", "Parser Error", "Conversion Error" … as the message begins
  std::string message;  // without the type
};
SqlError SplitSqlError(const std::string& text);

class Connection {
 public:
  ~Connection();
  // Runs one or more statements; the last one's rows. Failure: QN-1801 with DuckDB's message as its text.
  Result<Rows> Query(const std::string& sql);
  Result<std::unique_ptr<Prepared>> Prepare(const std::string& sql);
  // Column names and types of a SELECT, without running it.
  Result<Schema> Describe(const std::string& sql);
  // From any thread: the running statement fails soon with "INTERRUPT Error".
  void Interrupt();

  const Api& api() const;
  void* handle() const;  // duckdb_connection, for the other files of this folder

 private:
  friend class Database;
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One in-memory database; connections share its tables, functions, memory limit and threads.
class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(std::shared_ptr<const Api> api, const Options& options);
  ~Database();
  Result<std::unique_ptr<Connection>> Connect();

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qn::duck
