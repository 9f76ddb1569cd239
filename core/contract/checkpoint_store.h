// Where checkpoints are kept. A checkpoint is one JSON document, durable before Put returns.
#pragma once

#include <optional>

#include "base/status.h"
#include "contract/sink.h"
#include "data/json.h"

namespace qn {

struct Checkpoint {
  Epoch epoch = 0;
  Json body;
};

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  // The newest sound one; none on a first start. A damaged newest one is refused loudly: falls back to the
  // one before and says so in `warning`; fails with QN-3401 when no sound one is left.
  virtual Result<std::optional<Checkpoint>> Load(std::string* warning) = 0;
  // kConflict when this epoch is there already: another process runs this pipeline.
  virtual Status Put(const Checkpoint& checkpoint) = 0;
};

}  // namespace qn
