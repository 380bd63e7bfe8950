// What the lake says of a stream when a worker begins: its newest plan, whether that is done, which number comes next,
// and whether the tables are those of the plans.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "stream/plan.h"
#include "stream/plan_run.h"

namespace pinflow::stream {

struct Resume {
  std::optional<Plan> last;        // done
  std::optional<Plan> unfinished;  // the one behind it
  std::vector<int64_t> numbers;    // of the plans that are there, ascending
  int64_t next = 1;                // beyond each number that a table or dead_stream has of this stream

  const Plan* newest() const { return unfinished ? &*unfinished : last ? &*last : nullptr; }
};

// invalid where plans and tables are not of each other: a plan of another pipeline, tables whose plans are gone, a
// table that is gone or another one. Of an unfinished plan whose cleaning was changed since, the cleaning as it is now
// is put into it, where nothing of it is committed.
Result<Resume> resume(Workplace& place);

}  // namespace pinflow::stream
