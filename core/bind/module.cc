// The Python module qanat._core: translation only.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "app/engine.h"
#include "app/tables.h"
#include "base/fail_point.h"
#include "base/version.h"
#include "bind/functions.h"

namespace nb = nanobind;

namespace {

const char* KindName(qn::Kind kind) {
  switch (kind) {
    case qn::Kind::kOk:
      return "ok";
    case qn::Kind::kInvalid:
      return "invalid";
    case qn::Kind::kNotFound:
      return "not_found";
    case qn::Kind::kConflict:
      return "conflict";
    case qn::Kind::kUnknown:
      return "unknown";
    case qn::Kind::kRetryable:
      return "retryable";
    case qn::Kind::kFailed:
      return "failed";
  }
  return "failed";
}

// CoreError(message) with code, kind, text and lines as attributes. Needs the GIL.
[[noreturn]] void Raise(const qn::Status& status) {
  const nb::object type = nb::module_::import_("qanat._core").attr("CoreError");
  const nb::object error = type(status.ToString());
  error.attr("code") = status.code();
  error.attr("kind") = KindName(status.kind());
  error.attr("text") = status.text();
  error.attr("lines") = status.lines();
  PyErr_SetObject(type.ptr(), error.ptr());
  throw nb::python_error();
}

void Check(const qn::Status& status) {
  if (!status.ok()) Raise(status);
}

class Engine {
 public:
  Engine(const std::string& spec, nb::list functions) : functions_(std::move(functions)) {
    qn::Result<std::unique_ptr<qn::app::Engine>> engine = Build(spec);
    Check(engine.status());
    engine_ = std::move(engine).value();
  }

  std::string Describe() const { return engine_->Describe().Dump(); }
  std::string Progress() const { return engine_->ProgressJson().Dump(); }
  void Stop(bool now) { engine_->Stop(now); }

  void Run(const std::string& options) {
    qn::Result<qn::app::RunOptions> parsed = qn::app::RunOptions::Parse(options);
    Check(parsed.status());
    qn::Status status;
    {
      const nb::gil_scoped_release release;
      status = engine_->Run(*parsed);
    }
    Check(status);
  }

 private:
  qn::Result<std::unique_ptr<qn::app::Engine>> Build(const std::string& spec) {
    const nb::gil_scoped_release release;
    return qn::app::Engine::Build(spec, &functions_);
  }

  qn::bind::PythonFunctions functions_;
  std::unique_ptr<qn::app::Engine> engine_;
};

}  // namespace

NB_MODULE(_core, module) {
  module.doc() = "Qanat's engine. Use the package qanat; this module is its inside and may change.";
  module.attr("__version__") = qn::Version();
  module.attr("CoreError") =
      nb::steal(PyErr_NewException("qanat._core.CoreError", PyExc_RuntimeError, nullptr));

  nb::class_<Engine>(module, "Engine", "One pipeline: built from its description (JSON), checked, run.")
      .def(nb::init<const std::string&, nb::list>(), nb::arg("spec"), nb::arg("functions"))
      .def("describe", &Engine::Describe, "The checked pipeline as JSON.")
      .def("run", &Engine::Run, nb::arg("options"),
           "Runs until the sources end or stop(); the GIL is released.")
      .def("stop", &Engine::Stop, nb::arg("now"), "Ends the run after the step in hand, or at once.")
      .def("progress", &Engine::Progress, "Counters as JSON; from any thread.");

  module.def(
      "snapshot",
      [](const std::string& library, const std::string& folder, int64_t version) {
        qn::Result<std::string> snapshot = qn::app::SnapshotJson(library, folder, version);
        Check(snapshot.status());
        return *snapshot;
      },
      nb::arg("library"), nb::arg("folder"), nb::arg("version") = -1,
      "A Delta table's files and schema as JSON; version -1 is the newest.");
  module.def(
      "changes",
      [](const std::string& library, const std::string& folder, int64_t first, int64_t last) {
        qn::Result<std::string> changes = qn::app::ChangesJson(library, folder, first, last);
        Check(changes.status());
        return *changes;
      },
      nb::arg("library"), nb::arg("folder"), nb::arg("first") = 0, nb::arg("last") = -1,
      "What versions of a Delta table have changed, as JSON; version -1 is the newest.");
  module.def(
      "infer_json_schema",
      [](const std::string& sample) {
        qn::Result<std::string> columns = qn::app::InferJsonColumns(sample);
        Check(columns.status());
        return *columns;
      },
      nb::arg("sample"), "The SQL column list that fits a sample of JSON lines.");
  module.def(
      "arm_fail_points", [](const std::string& text) { Check(qn::ArmFailPoints(text)); }, nb::arg("text"),
      "Arms fail points: 'name=kill@2,other=error'. For tests.");
  module.def("fail_points_passed", &qn::FailPointsPassed,
             "Fail points passed since they were armed. For tests.");
}
