// What this engine is called: in files that it writes, and to Python.
#pragma once

#include <string>

namespace qn {

// "1.2.3", of python/qanat/_version.py.
std::string Version();

// "qanat version 1.2.3 (build 0123abcdef01)", in the form that Parquet's footers ask for; without the build
// where it was not made from a git checkout.
std::string WriterName();

}  // namespace qn
