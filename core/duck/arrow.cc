// Conversions are DuckDB's own; this hands structs over and keeps track of who owns them.
#include "duck/arrow.h"

#include <vector>

#include "duck/types.h"

namespace qn::duck {
namespace {

// DuckDB's error objects: nullptr or without an error is success.
Status Taken(const Api& api, Handle error) {
  if (error == nullptr) return Ok();
  Status status;
  if (api.error_data_has_error(error))
    status = Failed("QN-1809", std::string("Arrow: ") + api.error_data_message(error));
  api.destroy_error_data(&error);
  return status;
}

class ArrowOptions {
 public:
  explicit ArrowOptions(Connection& connection) : api_(connection.api()) {
    api_.connection_get_arrow_options(connection.handle(), &options_);
  }
  ~ArrowOptions() { api_.destroy_arrow_options(&options_); }
  ArrowOptions(const ArrowOptions&) = delete;
  ArrowOptions& operator=(const ArrowOptions&) = delete;
  Handle get() const { return options_; }

 private:
  const Api& api_;
  Handle options_ = nullptr;
};

}  // namespace

Result<Owned<ArrowSchema>> ToArrowSchema(Connection& connection, const Schema& schema) {
  const Api& api = connection.api();
  const ArrowOptions options(connection);
  std::vector<LogicalType> types;
  std::vector<Handle> handles;
  std::vector<const char*> names;
  types.reserve(schema.size());
  for (const Field& field : schema) {
    types.push_back(ToDuck(api, field.type));
    handles.push_back(types.back().get());
    names.push_back(field.name.c_str());
  }
  Owned<ArrowSchema> out;
  QN_TRY(
      Taken(api, api.to_arrow_schema(options.get(), handles.data(), names.data(), names.size(), out.get())));
  return out;
}

struct ArrowQuery::State {
  Connection& connection;
  ArrowOptions options;
  Handle statement = nullptr;
  RawResult result{};
  Schema schema;

  explicit State(Connection& c) : connection(c), options(c) {}
  ~State() {
    connection.api().destroy_result(&result);
    if (statement != nullptr) connection.api().destroy_prepare(&statement);
  }
};

ArrowQuery::ArrowQuery(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArrowQuery::~ArrowQuery() = default;

Result<std::unique_ptr<ArrowQuery>> ArrowQuery::Open(Connection& connection, const std::string& sql) {
  const Api& api = connection.api();
  auto state = std::make_unique<State>(connection);
  QN_GET(state->schema, connection.Describe(sql));
  if (api.prepare(connection.handle(), sql.c_str(), &state->statement) != 0) {
    return Failed("QN-1801", api.prepare_error(state->statement));
  }
  if (api.execute_prepared_streaming(state->statement, &state->result) != 0) {
    return Failed("QN-1801", api.result_error(&state->result));
  }
  return std::unique_ptr<ArrowQuery>(new ArrowQuery(std::move(state)));
}

Result<bool> ArrowQuery::Next(ArrowBatch* out) {
  const Api& api = state_->connection.api();
  Handle chunk = api.fetch_chunk(state_->result);
  if (chunk == nullptr) {
    const char* error = api.result_error(&state_->result);
    if (error != nullptr && *error != '\0') return Failed("QN-1801", error);
    return false;
  }
  const Status status = Taken(api, api.data_chunk_to_arrow(state_->options.get(), chunk, out->array.get()));
  const bool is_empty = api.data_chunk_get_size(chunk) == 0;
  api.destroy_data_chunk(&chunk);
  QN_TRY(status);
  if (is_empty) return false;
  QN_GET(out->schema, ToArrowSchema(state_->connection, state_->schema));
  return true;
}

Result<std::unique_ptr<ArrowChunk>> ArrowChunk::From(Connection& connection, ArrowBatch batch) {
  const Api& api = connection.api();
  const auto rows = static_cast<size_t>(batch.array->length);
  QN_CHECK(rows <= kChunkRows);
  Handle converted = nullptr;
  QN_TRY(Taken(api, api.schema_from_arrow(connection.handle(), batch.schema.get(), &converted)));
  Handle chunk = nullptr;
  const Status status =
      Taken(api, api.data_chunk_from_arrow(connection.handle(), batch.array.get(), converted, &chunk));
  api.destroy_arrow_converted_schema(&converted);
  QN_TRY(status);
  return std::unique_ptr<ArrowChunk>(new ArrowChunk(api, chunk, rows));
}

ArrowChunk::~ArrowChunk() { api_.destroy_data_chunk(&chunk_); }

void ArrowChunk::ShowIn(ChunkOut& out, std::span<const int> columns) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    const Handle from = api_.data_chunk_get_vector(chunk_, static_cast<uint64_t>(columns[i]));
    api_.vector_reference_vector(out.columns[i].vector(), from);
  }
}

}  // namespace qn::duck
