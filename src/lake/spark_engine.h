// The engine for plans that outgrow this machine: Spark, by Spark Connect (engine.h). Spark reads the plan's objects in
// the lake, cleans them with the same SQL and writes Parquet files into a new folder below the table's; nothing of them
// is seen by Delta until our own commit adds them, after their schema and row counts were held against the table.
//
//   tables/pin/plan-0000000003-<uuid>/part-00000-….parquet
//
// So both engines commit in one way, and a statement that goes on in Spark after its run was killed can harm nothing:
// it leaves a folder that belongs to no version.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "lake/engine.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "spark/session.h"

namespace pinflow::lake {

// The session, the pipeline and the store outlive it; `lake` is the store as Spark reaches it. The session was opened
// with spark_settings(); its watch is the caller's.
Result<std::unique_ptr<Engine>> open_spark_engine(spark::Session& session, const pipeline::Pipeline& pipeline,
                                                  object::Store& store, const std::string& lake);

}  // namespace pinflow::lake
