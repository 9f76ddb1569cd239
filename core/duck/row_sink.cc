// Row sinks as DuckDB scalar functions with a state a thread.
#include "duck/row_sink.h"

#include <algorithm>

#include "duck/types.h"

namespace qn::duck {
namespace {

struct Registered {
  RowSink* sink;
  std::vector<Type> arguments;
};

void OnThread(Handle info) {
  const auto& registered =
      *static_cast<const Registered*>(TheApi().scalar_function_init_get_extra_info(info));
  Result<std::unique_ptr<RowSinkThread>> thread = registered.sink->OpenThread();
  if (!thread.ok()) return TheApi().scalar_function_init_set_error(info, thread.status().ToString().c_str());
  TheApi().scalar_function_init_set_state(info, std::move(thread).value().release(),
                                          [](void* pointer) { delete static_cast<RowSinkThread*>(pointer); });
}

void OnTake(Handle info, Handle chunk, Handle out) {
  const Api& api = TheApi();
  const auto& registered = *static_cast<const Registered*>(api.scalar_function_get_extra_info(info));
  auto& thread = *static_cast<RowSinkThread*>(api.scalar_function_get_state(info));
  std::vector<ColumnIn> columns;
  columns.reserve(registered.arguments.size());
  for (size_t i = 0; i < registered.arguments.size(); ++i) {
    columns.push_back(ReadColumn(api, registered.arguments[i], api.data_chunk_get_vector(chunk, i)));
  }
  const size_t rows = api.data_chunk_get_size(chunk);
  auto* keep = static_cast<bool*>(api.vector_get_data(out));
  std::fill(keep, keep + rows, false);
  const Status status = thread.Take(columns, rows);
  if (!status.ok()) api.scalar_function_set_error(info, status.ToString().c_str());
}

}  // namespace

Status RegisterRowSink(Connection& connection, const std::string& name, const std::vector<Type>& arguments,
                       RowSink& sink) {
  const Api& api = connection.api();
  Handle function = api.create_scalar_function();
  api.scalar_function_set_name(function, name.c_str());
  api.scalar_function_set_volatile(function);
  api.scalar_function_set_special_handling(function);  // NULLs are ours to see
  for (const Type& argument : arguments)
    api.scalar_function_add_parameter(function, ToDuck(api, argument).get());
  api.scalar_function_set_return_type(function, ToDuck(api, Type::Of(TypeId::kBoolean)).get());
  api.scalar_function_set_extra_info(function, new Registered{&sink, arguments},
                                     [](void* pointer) { delete static_cast<Registered*>(pointer); });
  api.scalar_function_set_init(function, OnThread);
  api.scalar_function_set_function(function, OnTake);
  const State state = api.register_scalar_function(connection.handle(), function);
  api.destroy_scalar_function(&function);
  if (state != 0) return Failed("QN-1807", "DuckDB refuses our function '" + name + "'.");
  return Ok();
}

}  // namespace qn::duck
