// A scalar function of ours over one VARCHAR argument; NULL in, NULL out.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "duck/database.h"

namespace qn::duck {

// Pure; called from DuckDB's threads at the same time.
class TextTest {
 public:
  virtual ~TextTest() = default;
  virtual bool Test(std::string_view text) const = 0;
};

class TextPart {
 public:
  virtual ~TextPart() = default;
  // Valid UTF-8; copied before the next call.
  virtual std::string_view Part(std::string_view text) const = 0;
};

// After this, SQL may say: name(text). The objects are borrowed.
Status RegisterTextTest(Connection& connection, const std::string& name, const TextTest& test);
Status RegisterTextPart(Connection& connection, const std::string& name, const TextPart& part);

}  // namespace qn::duck
