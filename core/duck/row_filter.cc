// Row filters as DuckDB scalar functions.
#include "duck/row_filter.h"

#include "duck/types.h"

namespace qn::duck {
namespace {

struct Registered {
  RowFilter* filter;
};

void OnApply(Handle info, Handle chunk, Handle out) {
  const auto& registered = *static_cast<const Registered*>(TheApi().scalar_function_get_extra_info(info));
  std::vector<ColumnIn> columns(TheApi().data_chunk_get_column_count(chunk));
  for (size_t i = 0; i < columns.size(); ++i) {
    const Handle vector = TheApi().data_chunk_get_vector(chunk, i);
    columns[i] = {TheApi().vector_get_data(vector), TheApi().vector_get_validity(vector), {}};
  }
  auto* keep = static_cast<bool*>(TheApi().vector_get_data(out));
  const Status status = registered.filter->Apply(columns, TheApi().data_chunk_get_size(chunk), keep);
  if (!status.ok()) TheApi().scalar_function_set_error(info, status.ToString().c_str());
}

}  // namespace

Status RegisterRowFilter(Connection& connection, const std::string& name, const std::vector<Type>& arguments,
                         RowFilter& filter) {
  const Api& api = connection.api();
  Handle function = api.create_scalar_function();
  api.scalar_function_set_name(function, name.c_str());
  api.scalar_function_set_volatile(function);
  api.scalar_function_set_special_handling(function);  // NULLs are ours to see
  for (const Type& argument : arguments) {
    const LogicalType type = ToDuck(api, argument);
    api.scalar_function_add_parameter(function, type.get());
  }
  const LogicalType boolean = ToDuck(api, Type::Of(TypeId::kBoolean));
  api.scalar_function_set_return_type(function, boolean.get());
  api.scalar_function_set_extra_info(function, new Registered{&filter},
                                     [](void* pointer) { delete static_cast<Registered*>(pointer); });
  api.scalar_function_set_function(function, OnApply);
  const State state = api.register_scalar_function(static_cast<Handle>(connection.handle()), function);
  api.destroy_scalar_function(&function);
  if (state != 0) return Failed("QN-1807", "DuckDB refuses our function '" + name + "'.");
  return Ok();
}

}  // namespace qn::duck
