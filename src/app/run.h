// `pinflow run`: one pass of everything, in one process.
#pragma once

#include "app/context.h"
#include "app/progress.h"
#include "app/run_report.h"
#include "base/error.h"
#include "lake/batch.h"

namespace pinflow::app {

// Source, broker, gateway, posting, sink, batch, answers; each part is stopped before it returns. The report's counts
// are of this run, and say what earlier runs had left.
Result<RunReport> run_once(const Context& context, Progress& progress);

// Prints the report; 0 when everything was posted and acknowledged and the counts agree.
Result<int> run(const Context& context);

// What a batch by itself shares with it.
lake::BatchOptions batch_options(const Context& context, Progress& progress);
pipeline::Pipeline with_repeats(const Context& context);
void take(const lake::BatchReport& report, RunReport& into);

}  // namespace pinflow::app
