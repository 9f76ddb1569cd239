// Text to a value of a declared type, written into a column's data. Refuses at schema time the types that
// text cannot give: see CheckScalar.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "data/type.h"
#include "duck/vector.h"
#include "formats/text/fault.h"
#include "formats/text/number.h"

namespace qn::text {

// As DuckDB's CAST: true, t, yes, y, 1 and their opposites, in any case.
Fault ParseBoolean(std::string_view text, bool* out);
// With hyphens, without, or in braces.
Fault ParseUuid(std::string_view text, duck::HugeInt* out);
// The usual spelling, 36 readable bytes with hyphens: false when it is not that.
bool ParseUuid36(const char* p, duck::HugeInt* out);

// Whether text can give this scalar type. Refused with a reason for people: BLOB, BIT, ENUM, INTERVAL,
// TIMETZ, ARRAY, UNION and whatever else is not listed with PutText.
bool IsReadable(TypeId id);
// QN-2020 naming the column, the type, and what to declare in its place.
Status RefuseType(const std::string& column, const Type& type, std::string_view format);

// Writes `text` as a `type` into row `row` of `data` (a column's data()), or only checks it where `data` is
// nullptr. VARCHAR and JSON longer than 12 bytes are not copied; JSON is checked to be valid JSON. Takes
// BOOLEAN, every integer, FLOAT, DOUBLE, DECIMAL, VARCHAR, JSON, UUID, DATE, TIME and every TIMESTAMP.
Fault PutText(const Type& type, std::string_view text, void* data, size_t row);

// Writes an unscaled value into a DECIMAL's physical type.
void PutDecimal(const Type& type, Int128 unscaled, void* data, size_t row);

duck::String MakeString(const char* bytes, size_t size);

// `text` as part of one line of a message: cut to 60 bytes, control characters and what is not UTF-8 as
// \\x1f.
std::string Excerpt(std::string_view text);
// " (out of range)" and the like; empty for kForm.
std::string_view FaultNote(Fault fault);

}  // namespace qn::text
