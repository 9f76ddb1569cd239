// Hands the structs over as PyCapsules, as the Arrow PyCapsule interface says: whoever takes a struct out of
// a capsule sets the struct's release to null.
#include "bind/functions.h"

#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace qn::bind {
namespace {

template <typename T>
void Release(void* pointer) noexcept {
  auto* value = static_cast<T*>(pointer);
  if (value->release != nullptr) value->release(value);
  delete value;
}

// Moves `*from` into a capsule.
template <typename T>
nb::capsule Capsule(T* from, const char* name) {
  auto* value = new T(*from);
  from->release = nullptr;
  return nb::capsule(value, name, Release<T>);
}

template <typename T>
void TakeOut(nb::handle capsule, const char* name, T* into) {
  auto* value = static_cast<T*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (value == nullptr) throw nb::python_error();
  *into = *value;
  value->release = nullptr;
}

void TakeAnswer(const nb::object& answer, std::vector<duck::ArrowBatch>* out,
                std::vector<app::FunctionFailure>* failures) {
  for (const nb::handle pair : answer[0]) {
    duck::ArrowBatch batch;
    TakeOut(pair[0], "arrow_schema", batch.schema.get());
    TakeOut(pair[1], "arrow_array", batch.array.get());
    out->push_back(std::move(batch));
  }
  for (const nb::handle pair : answer[1]) {
    failures->push_back({nb::cast<std::string>(pair[0]), nb::cast<std::string>(pair[1])});
  }
}

}  // namespace

Status PythonFunctions::Call(int id, duck::ArrowBatch batch, ArrowSchema* wanted,
                             std::vector<duck::ArrowBatch>* out,
                             std::vector<app::FunctionFailure>* failures) {
  const nb::gil_scoped_acquire acquire;
  try {
    const nb::object call = nb::module_::import_("qanat._functions").attr("call");
    const nb::object answer =
        call(functions_[static_cast<size_t>(id)], Capsule(batch.schema.get(), "arrow_schema"),
             Capsule(batch.array.get(), "arrow_array"), Capsule(wanted, "arrow_schema"));
    TakeAnswer(answer, out, failures);
    return Ok();
  } catch (nb::python_error& error) {
    return Failed("QN-4101", "A Python function of the pipeline failed.").With(error.what());
  } catch (const std::exception& error) {
    return Failed("QN-4101", "A Python function of the pipeline failed.").With(error.what());
  }
}

}  // namespace qn::bind
