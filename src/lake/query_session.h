// What answers queries: a session in which each table of the lake is a view of its name, pinned to one version. The
// embedded one is DuckDB over the version's files, the other Spark over `VERSION AS OF`. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "delta/schema.h"
#include "delta/snapshot.h"
#include "lake/spark_lake.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "sql/duckdb.h"
#include "sql/value.h"

namespace pinflow::lake {

class QuerySession {
 public:
  virtual ~QuerySession() = default;

  // A view of the table at the snapshot's version; without one it has these columns and no rows.
  virtual Result<> add_view(const std::string& table, std::optional<delta::Snapshot> snapshot,
                            const std::vector<delta::Column>& columns) = 0;
  // Another name for such a view.
  virtual Result<> add_name(const std::string& name, const std::string& table) = 0;
  // One SELECT.
  virtual Result<sql::Table> ask(const std::string& sql, const sql::Origin& origin) = 0;
  // From now on `progress` (done: 0 to 1, -1 unknown) is told what runs under this name; a stop ends it.
  virtual void watch(const std::function<void(std::string_view step, double done)>& progress,
                     const std::string& step) = 0;
};

// With the prelude's functions. `memory_bytes` and `threads` are as of QueryOptions.
Result<std::unique_ptr<QuerySession>> open_duckdb_queries(const pipeline::Pipeline& pipeline, object::Store& store,
                                                          int64_t memory_bytes, int threads);
Result<std::unique_ptr<QuerySession>> open_spark_queries(const pipeline::Pipeline& pipeline, const object::Store& store,
                                                         const SparkChoice& choice);

}  // namespace pinflow::lake
