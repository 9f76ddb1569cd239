// Finds out the columns of sources, references and declared schemas.
#pragma once

#include <string>

#include "app/pipeline.h"

namespace qn::app {

class Columns {
 public:
  // `probe` is a connection for throw-away temporary tables.
  Columns(duck::Connection& probe, Files& files) : probe_(probe), files_(files) {}

  Result<Source> OfSource(const SourceSpec& spec);
  Result<Schema> OfReference(const ReferenceSpec& spec);
  // An SQL column list: "id BIGINT NOT NULL, ts TIMESTAMP". Failure QN-1106, naming `what` and `where`.
  Result<Schema> OfText(const std::string& text, const std::string& where, const std::string& what);

 private:
  Result<Schema> OfFiles(const SourceSpec& spec, const Format* format);
  Status SettleEventTime(Source& source);

  duck::Connection& probe_;
  Files& files_;
};

// The column list that declares a schema.
std::string SchemaText(const Schema& schema);

// "30 seconds", "2 minutes", "1h", "500 ms" in microseconds. Failure QN-1108.
Result<int64_t> ParseDuration(const std::string& text, const std::string& where);

}  // namespace qn::app
