// `pinflow check`: whether a pipeline's SQL means the same on DuckDB and on Spark. No engine is started.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

// Prints what differs, with file, line and what to write instead. 0 when nothing does, else 1.
Result<int> check_pipeline(const Context& context);

}  // namespace pinflow::app
