// One process a storage folder: an flock on `_qanat/lock`. Guards against a second run on the same machine;
// on a network file system the table's own fence (QN-3301) remains.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"

namespace qn {

// Held until destroyed or until the process ends, however it ends.
class StorageLock {
 public:
  // Creates `folder`/lock when absent. QN-3201 (kConflict) when another process holds it: says which and
  // since when. QN-3202 when this file system has no locks.
  static Result<std::unique_ptr<StorageLock>> Take(const std::string& folder, const Clock& clock);
  ~StorageLock();
  StorageLock(const StorageLock&) = delete;
  StorageLock& operator=(const StorageLock&) = delete;

 private:
  explicit StorageLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace qn
