// What the pipeline knows of a topic's records, as columns of Parquet objects. Pure.
#pragma once

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "sink/sink.h"

namespace pinflow::app {

// Gives a sink that writes Parquet the schemas of the pipeline's topics: the source table's columns, integers as
// BIGINT, floats as DOUBLE, all others as text. invalid: one of the topics that the sink names has none.
Result<> give_schemas(const pipeline::Pipeline& pipeline, sink::SinkOptions& options);

}  // namespace pinflow::app
