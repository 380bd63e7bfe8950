// `pinflow runs`: the history of runs, shown and acted upon.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

Result<int> list_runs(const Context& context);
Result<int> show_run(const Context& context);
Result<int> retry_run(const Context& context);   // waits for its end
Result<int> cancel_run(const Context& context);  // waits until its process is gone

}  // namespace pinflow::app
