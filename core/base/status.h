// What a deed that may fail returns. Only for the world failing: a bug stops the process (check.h),
// a bad row is data (data/dead_letter.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace qn {

// How the caller may react. The text is for people, the kind is for code.
enum class Kind : unsigned char {
  kOk,
  kInvalid,    // the user's input or pipeline is wrong; trying again changes nothing
  kNotFound,   // the thing asked for is not there
  kConflict,   // somebody else was first (put-if-absent lost, another writer)
  kUnknown,    // it may or may not have happened: read back before doing anything else
  kRetryable,  // it did not happen and may work later (disk full, busy)
  kFailed,     // it did not happen and will not work by itself
};

// One failure, told as docs/guide/errors.md says: a code that `qanat explain` knows, one line in the
// user's words, then lines of where, found and expected, what was done, and one thing to do next.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Kind kind, std::string code, std::string text)
      : kind_(kind), code_(std::move(code)), text_(std::move(text)) {}

  bool ok() const { return kind_ == Kind::kOk; }
  Kind kind() const { return kind_; }
  const std::string& code() const { return code_; }
  const std::string& text() const { return text_; }
  const std::vector<std::string>& lines() const { return lines_; }

  // Adds one line below the first; returns itself so that a message is built in one expression.
  Status& With(std::string line) & {
    lines_.push_back(std::move(line));
    return *this;
  }
  Status&& With(std::string line) && {
    lines_.push_back(std::move(line));
    return std::move(*this);
  }

  // "QN-1203  Column ...\n  at ...\n  ..." as shown to people. Empty when ok.
  std::string ToString() const;

 private:
  Kind kind_ = Kind::kOk;
  std::string code_;
  std::string text_;
  std::vector<std::string> lines_;
};

inline Status Ok() { return {}; }
Status Invalid(std::string code, std::string text);
Status Failed(std::string code, std::string text);

// A value or the failure that took its place.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    QN_CHECK(!status_.ok());
  }

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  T& value() & {
    QN_CHECK(value_.has_value());
    return *value_;
  }
  const T& value() const& {
    QN_CHECK(value_.has_value());
    return *value_;
  }
  T&& value() && {
    QN_CHECK(value_.has_value());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }  // by value: a loop over *Call() must not dangle
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace qn

#define QN_CONCAT_INNER(a, b) a##b
#define QN_CONCAT(a, b) QN_CONCAT_INNER(a, b)

// Leaves the function with the failure of `expression`, if it failed.
#define QN_TRY(expression)                                                        \
  do {                                                                            \
    if (::qn::Status qn_status = (expression); !qn_status.ok()) return qn_status; \
  } while (false)

// `QN_GET(auto file, files.Open(name));` declares the value, or leaves with the failure.
#define QN_GET(declaration, expression) QN_GET_INNER(QN_CONCAT(qn_result_, __LINE__), declaration, expression)
#define QN_GET_INNER(result, declaration, expression) \
  auto result = (expression);                         \
  if (!result.ok()) return result.status();           \
  declaration = std::move(result).value()
