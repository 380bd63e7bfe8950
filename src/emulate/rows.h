// Where the emulator's posts come from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace pinflow::source {
class PostReader;
}

namespace pinflow::emulate {

// Called from several threads at once.
class RowSource {
 public:
  virtual ~RowSource() = default;
  // How many posts there are.
  virtual Result<int64_t> count() = 0;
  // Post n, 0 to count() - 1: one JSON object for each record type of the pipeline, in its order; an empty string where
  // the source lacks that record. unavailable is tried again.
  virtual Result<std::vector<std::string>> post(int64_t n) = 0;
};

// The source tables' posts. The reader outlives it.
std::unique_ptr<RowSource> rows_of(source::PostReader& reader);

}  // namespace pinflow::emulate
