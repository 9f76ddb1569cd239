// DuckDB's C API, found at run time: the functions we use, declared by us, in one table. Nothing else in
// Qanat knows a duckdb_ name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

// The Arrow C data interface; the structs are fixed by its specification.
struct ArrowSchema;
struct ArrowArray;

namespace qn::duck {

inline constexpr const char* kVersionWanted = "2.0";  // pinned: the plan's form belongs to a version

using Handle = void*;  // every opaque duckdb_* pointer
using State = int;     // 0 is success

struct RawResult {  // duckdb_result; the first five members are kept for compatibility by DuckDB
  uint64_t columns_unused;
  uint64_t rows_unused;
  uint64_t changed_unused;
  void* columns_pointer_unused;
  char* error_unused;
  void* internal;
};

using Destroy = void (*)(void*);
using BindCallback = void (*)(Handle bind_info);
using InitCallback = void (*)(Handle init_info);
using FunctionCallback = void (*)(Handle function_info, Handle chunk);
using ScalarCallback = void (*)(Handle function_info, Handle chunk, Handle out_vector);

// X(return type, name without "duckdb_", (parameters))
#define QN_DUCKDB_FUNCTIONS(X)                                                                \
  X(const char*, library_version, ())                                                         \
  X(uint64_t, vector_size, ())                                                                \
  X(void, free, (void*))                                                                      \
  X(State, create_config, (Handle*))                                                          \
  X(State, set_config, (Handle, const char*, const char*))                                    \
  X(void, destroy_config, (Handle*))                                                          \
  X(State, open_ext, (const char*, Handle*, Handle, char**))                                  \
  X(void, close, (Handle*))                                                                   \
  X(State, connect, (Handle, Handle*))                                                        \
  X(void, disconnect, (Handle*))                                                              \
  X(void, interrupt, (Handle))                                                                \
  X(State, query, (Handle, const char*, RawResult*))                                          \
  X(void, destroy_result, (RawResult*))                                                       \
  X(const char*, result_error, (RawResult*))                                                  \
  X(uint64_t, column_count, (RawResult*))                                                     \
  X(const char*, column_name, (RawResult*, uint64_t))                                         \
  X(Handle, column_logical_type, (RawResult*, uint64_t))                                      \
  X(Handle, fetch_chunk, (RawResult))                                                         \
  X(State, prepare, (Handle, const char*, Handle*))                                           \
  X(void, destroy_prepare, (Handle*))                                                         \
  X(const char*, prepare_error, (Handle))                                                     \
  X(State, execute_prepared, (Handle, RawResult*))                                            \
  X(State, execute_prepared_streaming, (Handle, RawResult*))                                  \
  X(uint64_t, prepared_statement_column_count, (Handle))                                      \
  X(const char*, prepared_statement_column_name, (Handle, uint64_t))                          \
  X(Handle, prepared_statement_column_logical_type, (Handle, uint64_t))                       \
  X(Handle, create_data_chunk, (Handle*, uint64_t))                                           \
  X(void, destroy_data_chunk, (Handle*))                                                      \
  X(uint64_t, data_chunk_get_column_count, (Handle))                                          \
  X(Handle, data_chunk_get_vector, (Handle, uint64_t))                                        \
  X(uint64_t, data_chunk_get_size, (Handle))                                                  \
  X(void, data_chunk_set_size, (Handle, uint64_t))                                            \
  X(void, data_chunk_reset, (Handle))                                                         \
  X(void*, vector_get_data, (Handle))                                                         \
  X(uint64_t*, vector_get_validity, (Handle))                                                 \
  X(void, vector_ensure_validity_writable, (Handle))                                          \
  X(void, vector_reference_vector, (Handle, Handle))                                          \
  X(void, unsafe_vector_assign_string_element_len, (Handle, uint64_t, const char*, uint64_t)) \
  X(Handle, list_vector_get_child, (Handle))                                                  \
  X(State, list_vector_reserve, (Handle, uint64_t))                                           \
  X(State, list_vector_set_size, (Handle, uint64_t))                                          \
  X(uint64_t, list_vector_get_size, (Handle))                                                 \
  X(Handle, struct_vector_get_child, (Handle, uint64_t))                                      \
  X(Handle, array_vector_get_child, (Handle))                                                 \
  X(Handle, create_logical_type, (int))                                                       \
  X(Handle, create_decimal_type, (uint8_t, uint8_t))                                          \
  X(Handle, create_list_type, (Handle))                                                       \
  X(Handle, create_array_type, (Handle, uint64_t))                                            \
  X(Handle, create_map_type, (Handle, Handle))                                                \
  X(Handle, create_struct_type, (Handle*, const char**, uint64_t))                            \
  X(Handle, create_enum_type, (const char**, uint64_t))                                       \
  X(void, logical_type_set_alias, (Handle, const char*))                                      \
  X(char*, logical_type_get_alias, (Handle))                                                  \
  X(void, destroy_logical_type, (Handle*))                                                    \
  X(int, get_type_id, (Handle))                                                               \
  X(uint8_t, decimal_width, (Handle))                                                         \
  X(uint8_t, decimal_scale, (Handle))                                                         \
  X(Handle, list_type_child_type, (Handle))                                                   \
  X(Handle, array_type_child_type, (Handle))                                                  \
  X(uint64_t, array_type_array_size, (Handle))                                                \
  X(Handle, map_type_key_type, (Handle))                                                      \
  X(Handle, map_type_value_type, (Handle))                                                    \
  X(uint64_t, struct_type_child_count, (Handle))                                              \
  X(char*, struct_type_child_name, (Handle, uint64_t))                                        \
  X(Handle, struct_type_child_type, (Handle, uint64_t))                                       \
  X(uint32_t, enum_dictionary_size, (Handle))                                                 \
  X(char*, enum_dictionary_value, (Handle, uint64_t))                                         \
  X(Handle, create_table_function, ())                                                        \
  X(void, destroy_table_function, (Handle*))                                                  \
  X(void, table_function_set_name, (Handle, const char*))                                     \
  X(void, table_function_set_extra_info, (Handle, void*, Destroy))                            \
  X(void, table_function_set_bind, (Handle, BindCallback))                                    \
  X(void, table_function_set_init, (Handle, InitCallback))                                    \
  X(void, table_function_set_local_init, (Handle, InitCallback))                              \
  X(void, table_function_set_function, (Handle, FunctionCallback))                            \
  X(void, table_function_supports_projection_pushdown, (Handle, bool))                        \
  X(State, register_table_function, (Handle, Handle))                                         \
  X(void*, bind_get_extra_info, (Handle))                                                     \
  X(void, bind_add_result_column, (Handle, const char*, Handle))                              \
  X(void, bind_set_bind_data, (Handle, void*, Destroy))                                       \
  X(void, bind_set_error, (Handle, const char*))                                              \
  X(void*, init_get_bind_data, (Handle))                                                      \
  X(void*, init_get_extra_info, (Handle))                                                     \
  X(uint64_t, init_get_column_count, (Handle))                                                \
  X(uint64_t, init_get_column_index, (Handle, uint64_t))                                      \
  X(void, init_set_init_data, (Handle, void*, Destroy))                                       \
  X(void, init_set_max_threads, (Handle, uint64_t))                                           \
  X(void, init_set_error, (Handle, const char*))                                              \
  X(void*, function_get_extra_info, (Handle))                                                 \
  X(void*, function_get_bind_data, (Handle))                                                  \
  X(void*, function_get_init_data, (Handle))                                                  \
  X(void*, function_get_local_init_data, (Handle))                                            \
  X(void, function_set_error, (Handle, const char*))                                          \
  X(Handle, create_scalar_function, ())                                                       \
  X(void, destroy_scalar_function, (Handle*))                                                 \
  X(void, scalar_function_set_name, (Handle, const char*))                                    \
  X(void, scalar_function_set_special_handling, (Handle))                                     \
  X(void, scalar_function_set_volatile, (Handle))                                             \
  X(void, scalar_function_add_parameter, (Handle, Handle))                                    \
  X(void, scalar_function_set_return_type, (Handle, Handle))                                  \
  X(void, scalar_function_set_extra_info, (Handle, void*, Destroy))                           \
  X(void, scalar_function_set_function, (Handle, ScalarCallback))                             \
  X(State, register_scalar_function, (Handle, Handle))                                        \
  X(void*, scalar_function_get_extra_info, (Handle))                                          \
  X(void, scalar_function_set_init, (Handle, InitCallback))                                   \
  X(void, scalar_function_init_set_state, (Handle, void*, Destroy))                           \
  X(void*, scalar_function_init_get_extra_info, (Handle))                                     \
  X(void, scalar_function_init_set_error, (Handle, const char*))                              \
  X(void*, scalar_function_get_state, (Handle))                                               \
  X(void, scalar_function_set_error, (Handle, const char*))                                   \
  X(void, connection_get_arrow_options, (Handle, Handle*))                                    \
  X(void, destroy_arrow_options, (Handle*))                                                   \
  X(Handle, to_arrow_schema, (Handle, Handle*, const char**, uint64_t, ArrowSchema*))         \
  X(Handle, data_chunk_to_arrow, (Handle, Handle, ArrowArray*))                               \
  X(Handle, schema_from_arrow, (Handle, ArrowSchema*, Handle*))                               \
  X(Handle, data_chunk_from_arrow, (Handle, ArrowArray*, Handle, Handle*))                    \
  X(void, destroy_arrow_converted_schema, (Handle*))                                          \
  X(const char*, error_data_message, (Handle))                                                \
  X(bool, error_data_has_error, (Handle))                                                     \
  X(void, destroy_error_data, (Handle*))

class Api {
 public:
#define QN_DUCKDB_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  QN_DUCKDB_FUNCTIONS(QN_DUCKDB_MEMBER)
#undef QN_DUCKDB_MEMBER

  std::string library;  // the file it came from
  std::string version;  // as the library says it, without the "v"
};

// The one library of this process: DuckDB's C callbacks give us nothing to find it by. After LoadApi only.
const Api& TheApi();

// Opens the shared object (libduckdb.so or the one inside DuckDB's Python wheel), finds every function above
// and checks the version. Failure: QN-1802 (cannot be opened), QN-1803 (a function is missing), QN-1804
// (another version), QN-1808 (another library is loaded already). Stays loaded until the process ends; asking
// again for the same one gives the same table.
Result<std::shared_ptr<const Api>> LoadApi(const std::string& library);

}  // namespace qn::duck
