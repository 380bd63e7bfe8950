// `pinflow stream --engine sc://…`: the streaming leg on Spark.
#pragma once

#include "app/context.h"
#include "base/error.h"
#include "lake/spark_lake.h"
#include "object/store.h"

namespace pinflow::app {

// Until Ctrl-C, or with --until-caught-up until all that was there is in the tables. --from says where Spark reads: the
// lake's objects (the default), or kafka or kinesis, where the cluster has the connector; the client.properties of
// --command-config go to Spark's Kafka client as they are.
Result<int> run_stream_on_spark(const Context& context, object::Store& lake, lake::SparkChoice spark);

}  // namespace pinflow::app
