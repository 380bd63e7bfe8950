// Which engine cleans and answers: DuckDB in this process, or Spark.
#pragma once

#include "app/context.h"
#include "base/error.h"
#include "lake/spark_lake.h"
#include "object/store.h"

namespace pinflow::app {

// Whether --engine or the setting `engine` names something else than duckdb.
bool names_an_engine(const Context& context);

// --engine, else the setting `engine`, else duckdb: an empty choice. sc://… is Spark, which reaches the lake by what
// engine.paths of the profile says. invalid: neither of both, or SQL that means something else on Spark.
Result<lake::SparkChoice> engine_of(const Context& context, const object::Store& lake);

}  // namespace pinflow::app
