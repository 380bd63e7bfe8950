// The plans that the lake holds of one partition, and whether the last one is finished. I/O; no state.
// A sink puts a plan only when everything of the one before is durable, so only the last can be unfinished.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "object/store.h"
#include "sink/plan.h"

namespace pinflow::sink {

// The plan with the highest offsets. `near` is an offset that the search may begin at: where a plan stands at or after
// it, those before are not listed. Nothing where there is no plan at all.
Result<std::optional<Plan>> last_plan(object::Store& store, std::string_view topic, int32_t partition, int64_t near);

// Are all objects of the plan there? Says false where its dead letters went to a topic, which cannot be asked.
Result<bool> is_finished(object::Store& store, const Plan& plan, bool dead_letter_topic);

}  // namespace pinflow::sink
