// Column types of Delta tables: which type a column gets in a table, and the schema string of the log.
#pragma once

#include <string>

#include "base/status.h"
#include "data/type.h"

namespace qn::delta {

// The type that a column of `type` has in a Delta table (Delta has no unsigned, UUID, TIME …): UTINYINT →
// SMALLINT, UBIGINT → DECIMAL(20,0), UUID → VARCHAR, TIMESTAMP_NS → TIMESTAMP, ARRAY → LIST and so on, also
// inside nested types. A stored type stays as it is. QN-3311 for types without a place in a table.
Result<Type> StoredType(const Type& type);
// The same for each column; refuses two names that differ only in case (Delta does).
Result<Schema> StoredSchema(const Schema& schema);

// The log's schemaString of stored types, and back. Comments are kept in the fields' metadata.
std::string SchemaToJson(const Schema& schema);
Result<Schema> SchemaFromJson(const std::string& text);

// Whether a TIMESTAMP (Delta's timestamp_ntz, a table feature) occurs anywhere.
bool UsesTimestampNtz(const Schema& schema);

}  // namespace qn::delta
