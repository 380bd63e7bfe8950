// Makes the plan of a micro-batch: pure but for the clock.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "stream/batch.h"
#include "stream/feed.h"
#include "stream/plan.h"
#include "stream/plan_run.h"

namespace pinflow::stream {

// The plan with this number that takes the batch. `before`: the newest one, nullptr where there is none; `progress`:
// where each shard was read to before the batch.
Plan plan_of(const Workplace& place, const Batch& batch, const Reading& reading, const Plan* before, int64_t number,
             const std::map<std::string, Progress>& progress);

}  // namespace pinflow::stream
