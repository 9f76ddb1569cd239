// Finds DuckDB's functions in a shared object.
#include "duck/api.h"

#include <dlfcn.h>

#include <mutex>

#include "duck/vector.h"

namespace qn::duck {
namespace {

// The wheel's object needs Python's symbols. Inside Python they are there; elsewhere (C++ tests) libpython is
// loaded first, for all to see.
void* OpenWithPython(const std::string& library) {
  if (void* object = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) return object;
  for (const char* python : {"libpython3.11.so.1.0", "libpython3.12.so.1.0", "libpython3.13.so.1.0"}) {
    const std::string tag = std::string("cpython-3") + std::string(python).substr(11, 2);
    if (library.find(tag) == std::string::npos) continue;
    if (dlopen(python, RTLD_NOW | RTLD_GLOBAL) != nullptr)
      return dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  return dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);  // again, so that dlerror tells the first reason
}

Status CannotOpen(const std::string& library, const char* reason) {
  return Invalid("QN-1802", "DuckDB's library cannot be opened.")
      .With("library: " + library)
      .With(std::string("the loader says: ") + (reason != nullptr ? reason : "nothing"))
      .With(
          "Install it with  pip install 'duckdb>=2.0,<2.1'  or name one with "
          "QANAT_DUCKDB=/path/to/libduckdb.so.");
}

template <typename Function>
bool Find(void* object, const char* name, Function*& out) {
  out = reinterpret_cast<Function*>(dlsym(object, name));
  return out != nullptr;
}

Status FindAll(void* object, Api& api) {
  const char* missing = nullptr;
#define QN_DUCKDB_FIND(result, name, parameters) \
  if (!Find(object, "duckdb_" #name, api.name) && missing == nullptr) missing = "duckdb_" #name;
  QN_DUCKDB_FUNCTIONS(QN_DUCKDB_FIND)
#undef QN_DUCKDB_FIND
  if (missing == nullptr) return Ok();
  return Invalid("QN-1803", std::string("DuckDB's library lacks the function '") + missing + "'.")
      .With("library: " + api.library)
      .With(std::string("Qanat needs DuckDB ") + kVersionWanted + ".x:  pip install 'duckdb>=2.0,<2.1'");
}

Status CheckVersion(const Api& api) {
  const std::string wanted = std::string(kVersionWanted) + ".";
  if (api.version.rfind(wanted, 0) == 0 && api.vector_size() == kChunkRows) return Ok();
  return Invalid("QN-1804", "DuckDB " + api.version + " is not the version that Qanat was made for.")
      .With("library: " + api.library)
      .With("found: " + api.version + ", needed: " + kVersionWanted + ".x with vectors of 2048 rows")
      .With("Install it with  pip install 'duckdb>=2.0,<2.1'");
}

std::mutex g_mutex;
std::shared_ptr<const Api> g_api;  // NOLINT(cert-err58-cpp): a null pointer cannot throw

Result<std::shared_ptr<const Api>> LoadFirst(const std::string& library) {
  if (library.empty()) return CannotOpen(library, "no library was named");
  void* object = OpenWithPython(library);
  if (object == nullptr) return CannotOpen(library, dlerror());
  auto api = std::make_shared<Api>();
  api->library = library;
  QN_TRY(FindAll(object, *api));
  const std::string version = api->library_version();
  api->version = version.rfind('v', 0) == 0 ? version.substr(1) : version;
  QN_TRY(CheckVersion(*api));
  return std::shared_ptr<const Api>(std::move(api));
}

}  // namespace

const Api& TheApi() {
  QN_CHECK(g_api != nullptr);
  return *g_api;
}

Result<std::shared_ptr<const Api>> LoadApi(const std::string& library) {
  const std::lock_guard lock(g_mutex);
  if (g_api == nullptr) {
    QN_GET(g_api, LoadFirst(library));
  } else if (g_api->library != library) {
    return Invalid("QN-1808", "This process uses another DuckDB library already.")
        .With("in use: " + g_api->library)
        .With("asked for: " + library)
        .With("Start a new process to change it.");
  }
  return g_api;
}

}  // namespace qn::duck
