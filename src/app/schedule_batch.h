// `pinflow batch`: the batch leg by itself, as one run of the history: by a person, by a scheduler, by Airflow.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

// Takes its place in the history, works, and records how it ended. 0 when all was done, the counts agree and no check
// failed; also when --date has succeeded before.
Result<int> run_batch_command(const Context& context);

// The log of this machine, or of the cluster that is named, into the lake, until all that it holds is there. Where
// another process serves the log, its sink does that.
Result<> load_lake(const Context& context);

}  // namespace pinflow::app
