// `pinflow export databricks DIR`: the pipeline as Databricks notebooks.
#pragma once

#include "app/context.h"
#include "base/error.h"

namespace pinflow::app {

// Writes the notebooks, over those of an earlier export. invalid: SQL that Spark would read differently.
Result<int> export_databricks(const Context& context);

}  // namespace pinflow::app
