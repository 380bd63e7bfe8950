// Which engine cleans and answers: DuckDB in this process, or Spark.
#pragma once

#include <string>
#include <vector>

#include "app/context.h"
#include "base/error.h"
#include "lake/spark_lake.h"
#include "object/store.h"

namespace pinflow::app {

// Whether --engine or the setting `engine` names something else than duckdb.
bool names_an_engine(const Context& context);

// --engine, else the setting `engine`, else duckdb: an empty choice. sc://… is Spark, which reaches the lake by what
// engine.paths of the profile says. invalid: neither of both, or SQL that means something else on Spark; of the
// pipeline's SQL only those `queries` are looked at, where they are given (none in the list: all queries).
Result<lake::SparkChoice> engine_of(const Context& context, const object::Store& lake,
                                    const std::vector<std::string>* queries = nullptr);

}  // namespace pinflow::app
