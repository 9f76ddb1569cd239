# simdjson 3.12 or newer: a system package where it is new enough, otherwise the amalgamation that the
# pysimdjson source package on PyPI carries, checked by its hash. Debian 12 has 3.0.1, a third slower.
set(QANAT_SIMDJSON_DIR "" CACHE PATH "Folder with simdjson.h and simdjson.cpp")

if(NOT QANAT_SIMDJSON_DIR)
  find_package(simdjson 3.12 QUIET CONFIG)
endif()
if(simdjson_FOUND)
  add_library(qanat_simdjson INTERFACE)
  target_link_libraries(qanat_simdjson INTERFACE simdjson::simdjson)
else()
  if(NOT QANAT_SIMDJSON_DIR)
    find_package(Python 3.11 REQUIRED COMPONENTS Interpreter)
    set(QANAT_SIMDJSON_DIR "${CMAKE_BINARY_DIR}/simdjson")
    execute_process(COMMAND "${Python_EXECUTABLE}" "${CMAKE_SOURCE_DIR}/cmake/fetch_simdjson.py"
                            "${QANAT_SIMDJSON_DIR}"
                    COMMAND_ERROR_IS_FATAL ANY)
  endif()
  add_library(qanat_simdjson STATIC "${QANAT_SIMDJSON_DIR}/simdjson.cpp")
  target_include_directories(qanat_simdjson SYSTEM PUBLIC "${QANAT_SIMDJSON_DIR}")
  target_compile_options(qanat_simdjson PRIVATE -w)
endif()
