// What a scheduler does at a moment, as pure functions: which of the schedule's times are due, and when a failed run is
// tried again. The clock is a number; it may stand still, leap, or go back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/schedule.h"
#include "schedule/history.h"
#include "schedule/times.h"

namespace pinflow::schedule {

// The schedule's times; errors with the file and line of the cron expression.
Result<Times> times_of(const pipeline::Schedule& schedule);

// At most so many missed times are caught up with at once; of more, the latest.
inline constexpr size_t kMaxCatchUp = 1000;

struct Due {
  std::vector<int64_t> times;  // to be run, in order; at most kMaxCatchUp
  size_t left_out = 0;         // missed, and not run: before them (counted up to kMaxCatchUp)
  int64_t until = 0;           // planned up to here, for the next call
};
// Those after `planned_until` and up to `now`. Where the clock was set back behind the mark, nothing is due and the
// mark goes back with it: what comes again then is known by its slot in the history.
Due due(const Times& times, bool catchup, int64_t planned_until, int64_t now_ms);

NewRun run_at(const Times& times, const pipeline::Schedule& schedule, int64_t due_ms);

// The next try of a run that failed, or nothing where it had them all. The wait doubles from try to try.
std::optional<NewRun> retry_of(const Run& run, const pipeline::Schedule& schedule, int64_t now_ms);

// A number from 0 to `most`, the same for the same text: so a start that was put off is not put off anew after a crash.
int64_t jitter(const std::string& text, int64_t most);

}  // namespace pinflow::schedule
