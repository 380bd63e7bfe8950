// The streaming leg on Spark: for each record type a Structured Streaming query that cleans with the same SQL and
// appends the good rows to its stream table, and one that appends its dead letters to `dead_stream`, each with a
// checkpoint of its own in the lake (state/spark/stream/<table>). Exactly once is Delta's and the checkpoint's.
//
// What differs from the program's own stream workers: repeats are kept (a cleaning on a stream is row-local, and Spark
// has no window of rows), and a dead letter of an object says its object, not its line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "lake/spark_lake.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

struct SparkStreamOptions {
  SparkChoice spark;
  enum class From { objects, kafka, kinesis } from = From::objects;
  spark::Options source;                                // of the connector: kafka.bootstrap.servers, region, …
  std::string every;                                    // "10 seconds"; empty: as fast as it can
  bool until_caught_up = false;                         // take what is there, then end
  std::string date;                                     // $date in the cleanings
  std::function<void(std::string_view text)> report;    // once, when all queries run
  std::function<void(std::string_view text)> progress;  // now and then, one line: how many rows there are
};

struct SparkStreamCounts {
  std::string record;
  std::string table;
  int64_t before = 0;  // rows of the table
  int64_t after = 0;
};

// "pin_stream has 1200 rows, 300 of them new, geo_stream …"
std::string line_of(const std::vector<SparkStreamCounts>& counts);

// Runs until a stop is asked for (the queries are then stopped behind the batch that they are at), or all is in the
// tables. A stop is no error; where it comes before a table was looked at there are no counts. Errors: conflict (a
// table is the embedded workers': owners.h), unsupported (no such connector on the cluster), those of a cleaning with
// file and line, and Spark's own. The next run goes on at the checkpoints.
Result<std::vector<SparkStreamCounts>> run_spark_stream(const pipeline::Pipeline& pipeline, object::Store& store,
                                                        const SparkStreamOptions& options);

}  // namespace pinflow::lake
