// Our types to DuckDB's and back. Only for core/duck.
#pragma once

#include "data/type.h"
#include "duck/api.h"

namespace qn::duck {

// A duckdb_logical_type that destroys itself.
class LogicalType {
 public:
  LogicalType(const Api& api, Handle handle) : api_(&api), handle_(handle) {}
  LogicalType(LogicalType&& other) noexcept : api_(other.api_), handle_(other.handle_) {
    other.handle_ = nullptr;
  }
  LogicalType(const LogicalType&) = delete;
  LogicalType& operator=(const LogicalType&) = delete;
  LogicalType& operator=(LogicalType&&) = delete;
  ~LogicalType() {
    if (handle_ != nullptr) api_->destroy_logical_type(&handle_);
  }
  Handle get() const { return handle_; }

 private:
  const Api* api_;
  Handle handle_;
};

LogicalType ToDuck(const Api& api, const Type& type);
Type FromDuck(const Api& api, Handle logical_type);

}  // namespace qn::duck
