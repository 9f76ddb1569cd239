// DuckDB's handles, owned.
#include "duck/database.h"

#include "duck/cells.h"
#include "duck/types.h"

namespace qn::duck {

struct Database::State {
  std::shared_ptr<const Api> api;
  Handle database = nullptr;
  ~State() {
    if (database != nullptr) api->close(&database);
  }
};

struct Connection::State {
  std::shared_ptr<const Api> api;
  Handle connection = nullptr;
  ~State() {
    if (connection != nullptr) api->disconnect(&connection);
  }
};

struct Prepared::State {
  std::shared_ptr<const Api> api;
  Handle statement = nullptr;
  ~State() {
    if (statement != nullptr) api->destroy_prepare(&statement);
  }
};

namespace {

class Outcome {  // a duckdb_result that destroys itself
 public:
  explicit Outcome(const Api& api) : api_(api) {}
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
  ~Outcome() { api_.destroy_result(&raw_); }
  RawResult* get() { return &raw_; }

  Rows Read() {
    Rows rows;
    const uint64_t columns = api_.column_count(&raw_);
    std::vector<Type> types;
    for (uint64_t i = 0; i < columns; ++i) {
      rows.names.emplace_back(api_.column_name(&raw_, i));
      const LogicalType type(api_, api_.column_logical_type(&raw_, i));
      types.push_back(FromDuck(api_, type.get()));
    }
    while (Handle chunk = api_.fetch_chunk(raw_)) {
      AppendCells(api_, chunk, types, rows.rows);
      api_.destroy_data_chunk(&chunk);
    }
    return rows;
  }

 private:
  const Api& api_;
  RawResult raw_{};
};

Status SqlFailed(const char* message) {
  return Failed("QN-1801", message != nullptr ? message : "DuckDB failed and did not say why.");
}

}  // namespace

SqlError SplitSqlError(const std::string& text) {
  const size_t colon = text.find(": ");
  const size_t words = text.rfind("Error", colon);
  if (colon == std::string::npos || words == std::string::npos) return {"", text};
  return {text.substr(0, colon), text.substr(colon + 2)};
}

Prepared::Prepared(std::unique_ptr<State> state) : state_(std::move(state)) {}
Prepared::~Prepared() = default;

Result<Rows> Prepared::Run() {
  Outcome outcome(*state_->api);
  if (state_->api->execute_prepared(state_->statement, outcome.get()) != 0) {
    return SqlFailed(state_->api->result_error(outcome.get()));
  }
  return outcome.Read();
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;
const Api& Connection::api() const { return *state_->api; }
void* Connection::handle() const { return state_->connection; }
void Connection::Interrupt() { state_->api->interrupt(state_->connection); }

Result<Rows> Connection::Query(const std::string& sql) {
  Outcome outcome(*state_->api);
  if (state_->api->query(state_->connection, sql.c_str(), outcome.get()) != 0) {
    return SqlFailed(state_->api->result_error(outcome.get()));
  }
  return outcome.Read();
}

Result<std::unique_ptr<Prepared>> Connection::Prepare(const std::string& sql) {
  auto state = std::make_unique<Prepared::State>();
  state->api = state_->api;
  if (state_->api->prepare(state_->connection, sql.c_str(), &state->statement) != 0) {
    return SqlFailed(state_->api->prepare_error(state->statement));
  }
  return std::unique_ptr<Prepared>(new Prepared(std::move(state)));
}

Result<Schema> Connection::Describe(const std::string& sql) {
  const Api& api = *state_->api;
  QN_GET(const std::unique_ptr<Prepared> prepared, Prepare(sql));
  Schema schema;
  const Handle statement = prepared->state_->statement;
  for (uint64_t i = 0; i < api.prepared_statement_column_count(statement); ++i) {
    const LogicalType type(api, api.prepared_statement_column_logical_type(statement, i));
    const char* name = api.prepared_statement_column_name(statement, i);
    schema.push_back({name, FromDuck(api, type.get()), true, ""});
    api.free(const_cast<char*>(name));  // the API hands it over in spite of the const
  }
  return schema;
}

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

namespace {

struct Setting {
  const char* name;
  std::string value;
};

Status SetAll(const Api& api, Handle config, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (setting.value.empty()) continue;
    if (api.set_config(config, setting.name, setting.value.c_str()) != 0) {
      return Invalid("QN-1805", std::string("DuckDB refuses the setting '") + setting.name + "'.")
          .With("found: " + setting.value)
          .With("--memory takes a size such as 2GB or 800MB, --threads a number from 1.");
    }
  }
  return Ok();
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(std::shared_ptr<const Api> api, const Options& options) {
  auto state = std::make_unique<State>();
  Handle config = nullptr;
  if (api->create_config(&config) != 0) return Failed("QN-1806", "DuckDB cannot make a configuration.");
  const std::vector<Setting> settings = {
      {"memory_limit", options.memory_limit},
      {"threads", options.threads > 0 ? std::to_string(options.threads) : ""},
      {"temp_directory", options.temp_folder},
      {"preserve_insertion_order", "false"},  // tables have no order; keeping one costs memory and time
      {"autoinstall_known_extensions", "false"},
  };
  Status status = SetAll(*api, config, settings);
  char* error = nullptr;
  if (status.ok() && api->open_ext(":memory:", &state->database, config, &error) != 0) {
    status = Invalid("QN-1805", std::string("DuckDB does not open: ") + (error != nullptr ? error : ""));
  }
  if (error != nullptr) api->free(error);
  api->destroy_config(&config);
  QN_TRY(status);
  state->api = std::move(api);
  return std::unique_ptr<Database>(new Database(std::move(state)));
}

Result<std::unique_ptr<Connection>> Database::Connect() {
  auto state = std::make_unique<Connection::State>();
  state->api = state_->api;
  if (state_->api->connect(state_->database, &state->connection) != 0) {
    return Failed("QN-1806", "DuckDB gives no connection.");
  }
  std::unique_ptr<Connection> connection(new Connection(std::move(state)));
  QN_TRY(connection->Query("SET TimeZone = 'UTC'").status());
  return connection;
}

}  // namespace qn::duck
