// The connections whose statements end when a run is given up at once.
#pragma once

#include <mutex>
#include <vector>

#include "duck/database.h"

namespace qn::app {

class Interrupts {
 public:
  void Add(duck::Connection& connection) {
    const std::lock_guard lock(mutex_);
    connections_.push_back(&connection);
  }
  // Before the connection goes; fine when it was never added.
  void Remove(const duck::Connection* connection) {
    const std::lock_guard lock(mutex_);
    std::erase(connections_, connection);
  }
  void All() {
    const std::lock_guard lock(mutex_);
    for (duck::Connection* connection : connections_) connection->Interrupt();
  }

 private:
  std::mutex mutex_;
  std::vector<duck::Connection*> connections_;
};

}  // namespace qn::app
