// `pinflow schedule` and what belongs to it. Runs are child processes of this program (`pinflow batch --run N`): a run
// that hangs can be ended, one that crashes takes nobody along, and one whose scheduler is killed still says how it
// ended.
#pragma once

#include <string>
#include <vector>

#include "app/context.h"
#include "base/error.h"
#include "schedule/history.h"

namespace pinflow::app {

Result<int> run_schedule(const Context& context);     // until a stop is asked for; with --once, what is due now
Result<int> show_next_times(const Context& context);  // no I/O but the time zone's file
Result<int> pause_schedule(const Context& context);
Result<int> resume_schedule(const Context& context);
Result<int> backfill(const Context& context);

// Waits until the slots have settled: runs them here, or, where another scheduler has the lease, lets it. 0 when all
// succeeded.
Result<int> see_through(const Context& context, schedule::History& history, const std::vector<std::string>& slots);

}  // namespace pinflow::app
