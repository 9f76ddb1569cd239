// Text functions as DuckDB scalar functions. DuckDB flattens the argument and deals with its NULLs.
#include "duck/text_function.h"

#include "duck/types.h"
#include "duck/vector.h"

namespace qn::duck {
namespace {

// Calls `apply(row, text)` for every row that is not NULL; NULL rows become NULL.
template <typename Apply>
void ForEachText(Handle chunk, Handle out, const Apply& apply) {
  const Api& api = TheApi();
  const Handle vector = api.data_chunk_get_vector(chunk, 0);
  const ColumnIn column{api.vector_get_data(vector), api.vector_get_validity(vector), {}};
  const auto* texts = column.as<String>();
  const uint64_t rows = api.data_chunk_get_size(chunk);
  uint64_t* validity = nullptr;
  for (uint64_t row = 0; row < rows; ++row) {
    if (!column.IsNull(row)) {
      apply(row, texts[row].view());
      continue;
    }
    if (validity == nullptr) {
      api.vector_ensure_validity_writable(out);
      validity = api.vector_get_validity(out);
    }
    validity[row / 64] &= ~(uint64_t{1} << (row % 64));
  }
}

template <typename Function>
const Function& FunctionOf(Handle info) {
  return **static_cast<const Function* const*>(TheApi().scalar_function_get_extra_info(info));
}

void OnTest(Handle info, Handle chunk, Handle out) {
  const auto& test = FunctionOf<TextTest>(info);
  auto* values = static_cast<bool*>(TheApi().vector_get_data(out));
  ForEachText(chunk, out, [&](uint64_t row, std::string_view text) { values[row] = test.Test(text); });
}

void OnPart(Handle info, Handle chunk, Handle out) {
  const Api& api = TheApi();
  const auto& part = FunctionOf<TextPart>(info);
  auto* values = static_cast<String*>(api.vector_get_data(out));
  ForEachText(chunk, out, [&](uint64_t row, std::string_view text) {
    const std::string_view found = part.Part(text);
    if (found.size() > 12) {
      api.unsafe_vector_assign_string_element_len(out, row, found.data(), found.size());
      return;
    }
    values[row].size = static_cast<uint32_t>(found.size());
    std::memset(values[row].prefix, 0, 12);
    std::memcpy(values[row].prefix, found.data(), found.size());
  });
}

template <typename Function>
Status Register(Connection& connection, const std::string& name, const Function& function, TypeId result,
                ScalarCallback callback) {
  const Api& api = connection.api();
  Handle made = api.create_scalar_function();
  api.scalar_function_set_name(made, name.c_str());
  api.scalar_function_set_special_handling(made);
  api.scalar_function_add_parameter(made, ToDuck(api, Type::Of(TypeId::kVarchar)).get());
  api.scalar_function_set_return_type(made, ToDuck(api, Type::Of(result)).get());
  api.scalar_function_set_extra_info(made, new const Function*(&function),
                                     [](void* pointer) { delete static_cast<const Function**>(pointer); });
  api.scalar_function_set_function(made, callback);
  const State state = api.register_scalar_function(connection.handle(), made);
  api.destroy_scalar_function(&made);
  if (state != 0) return Failed("QN-1807", "DuckDB refuses our function '" + name + "'.");
  return Ok();
}

}  // namespace

Status RegisterTextTest(Connection& connection, const std::string& name, const TextTest& test) {
  return Register(connection, name, test, TypeId::kBoolean, OnTest);
}

Status RegisterTextPart(Connection& connection, const std::string& name, const TextPart& part) {
  return Register(connection, name, part, TypeId::kVarchar, OnPart);
}

}  // namespace qn::duck
