// `pinflow run`: one pass of everything, in one process. `pinflow batch`: its last third by itself.
#pragma once

#include "app/context.h"
#include "app/progress.h"
#include "app/run_report.h"
#include "base/error.h"

namespace pinflow::app {

// Source, broker, gateway, posting, sink, batch, answers; each part is stopped before it returns. The report's counts
// are of this run, and say what earlier runs had left.
Result<RunReport> run_once(const Context& context, Progress& progress);

// Prints the report; 0 when everything was posted and acknowledged and the counts agree.
Result<int> run(const Context& context);
Result<int> run_batch_command(const Context& context);

}  // namespace pinflow::app
