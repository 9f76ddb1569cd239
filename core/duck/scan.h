// A table function whose rows are ours: a decoder, Arrow batches, dead letters. With projection push-down.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/status.h"
#include "duck/database.h"
#include "duck/vector.h"

namespace qn::duck {

// One DuckDB thread's part of one execution.
class ScanThread {
 public:
  virtual ~ScanThread() = default;
  // Fills rows 0..n-1 of `out` (n ≤ kChunkRows) and returns n; 0 when nothing is left. What strings point to
  // must stay until the next call.
  virtual Result<size_t> Fill(ChunkOut& out) = 0;
};

// One execution of a statement that reads the scan.
class ScanRun {
 public:
  virtual ~ScanRun() = default;
  virtual Result<std::unique_ptr<ScanThread>>
  OpenThread() = 0;  // called from DuckDB's threads, at the same time
  virtual int ThreadsMax() const = 0;
};

// Registered once; outlives the connection. `columns` are indexes into Columns(), in output order.
class Scan {
 public:
  virtual ~Scan() = default;
  virtual const Schema& Columns() const = 0;
  virtual Result<std::unique_ptr<ScanRun>> Begin(std::span<const int> columns) = 0;
};

// After this, SQL may say: SELECT … FROM name(). The scan is borrowed.
Status RegisterScan(Connection& connection, const std::string& name, Scan& scan);

}  // namespace qn::duck
