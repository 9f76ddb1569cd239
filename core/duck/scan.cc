// Scans as DuckDB table functions. DuckDB's callbacks are C: whatever fails is handed over as text.
#include "duck/scan.h"

#include <optional>

#include "duck/types.h"

namespace qn::duck {
namespace {

struct Registered {
  Scan* scan;
};

struct RunState {
  std::unique_ptr<ScanRun> run;
  std::vector<const Type*> types;  // of the projected columns
};

struct ThreadState {
  std::unique_ptr<ScanThread> thread;
};

template <typename T>
void Delete(void* pointer) {
  delete static_cast<T*>(pointer);
}

const Registered& RegisteredOf(void* extra) { return *static_cast<const Registered*>(extra); }

void OnBind(Handle info) {
  const Registered& registered = RegisteredOf(TheApi().bind_get_extra_info(info));
  for (const Field& field : registered.scan->Columns()) {
    const LogicalType type = ToDuck(TheApi(), field.type);
    TheApi().bind_add_result_column(info, field.name.c_str(), type.get());
  }
}

void OnInit(Handle info) {
  const Registered& registered = RegisteredOf(TheApi().init_get_extra_info(info));
  const Schema& columns = registered.scan->Columns();
  auto state = std::make_unique<RunState>();
  std::vector<int> projection;
  for (uint64_t i = 0; i < TheApi().init_get_column_count(info); ++i) {
    const uint64_t index = TheApi().init_get_column_index(info, i);
    // count(*) asks for the row id, which we do not have; any column of ours will do, and nobody reads it.
    projection.push_back(static_cast<int>(index < columns.size() ? index : 0));
    state->types.push_back(&columns[projection.back()].type);
  }
  Result<std::unique_ptr<ScanRun>> run = registered.scan->Begin(projection);
  if (!run.ok()) return TheApi().init_set_error(info, run.status().ToString().c_str());
  state->run = std::move(run).value();
  TheApi().init_set_max_threads(info, static_cast<uint64_t>(std::max(1, state->run->ThreadsMax())));
  TheApi().init_set_init_data(info, state.release(), Delete<RunState>);
}

void OnThread(Handle info) {
  // DuckDB gives a local init no way to the global one: the thread is opened at the first Fill.
  TheApi().init_set_init_data(info, new ThreadState, Delete<ThreadState>);
}

void OnFill(Handle info, Handle chunk) {
  auto& run = *static_cast<RunState*>(TheApi().function_get_init_data(info));
  auto& local = *static_cast<ThreadState*>(TheApi().function_get_local_init_data(info));
  if (local.thread == nullptr) {
    Result<std::unique_ptr<ScanThread>> thread = run.run->OpenThread();
    if (!thread.ok()) return TheApi().function_set_error(info, thread.status().ToString().c_str());
    local.thread = std::move(thread).value();
  }
  ChunkOut out;
  out.columns.reserve(run.types.size());
  for (size_t i = 0; i < run.types.size(); ++i) {
    out.columns.emplace_back(TheApi(), *run.types[i], TheApi().data_chunk_get_vector(chunk, i));
  }
  const Result<size_t> rows = local.thread->Fill(out);
  if (!rows.ok()) return TheApi().function_set_error(info, rows.status().ToString().c_str());
  TheApi().data_chunk_set_size(chunk, *rows);
}

}  // namespace

Status RegisterScan(Connection& connection, const std::string& name, Scan& scan) {
  const Api& api = connection.api();
  Handle function = api.create_table_function();
  api.table_function_set_name(function, name.c_str());
  api.table_function_set_extra_info(function, new Registered{&scan}, Delete<Registered>);
  api.table_function_set_bind(function, OnBind);
  api.table_function_set_init(function, OnInit);
  api.table_function_set_local_init(function, OnThread);
  api.table_function_set_function(function, OnFill);
  api.table_function_supports_projection_pushdown(function, true);
  const State state = api.register_table_function(static_cast<Handle>(connection.handle()), function);
  api.destroy_table_function(&function);
  if (state != 0) return Failed("QN-1807", "DuckDB refuses our table function '" + name + "'.");
  return Ok();
}

}  // namespace qn::duck
