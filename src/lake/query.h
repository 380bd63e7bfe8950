// The pipeline's queries over its tables, each table at one version for all of them. A table is a view of its name, and
// of its record type's name where no table has that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "lake/checks.h"
#include "lake/spark_lake.h"
#include "lake/versions.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "sql/value.h"

namespace pinflow::lake {

struct QueryOptions {
  std::string date;  // what $date stands for; empty: today (UTC)
  int64_t memory_bytes = int64_t{1} << 30;
  int threads = 0;      // 0: one for each processor
  bool checks = false;  // run the pipeline's checks first; where one fails, no query is answered
  std::function<void(std::string_view step, double done)>
      progress;            // done: 0 to 1, -1 unknown; from the calling thread
  SparkChoice spark;       // where it is set, Spark answers
  VersionChoice versions;  // of the past; the newest without
};

struct Answer {
  std::string query;  // its name
  std::string title;
  sql::Table rows;
  double seconds = 0;
};

struct Answers {
  std::map<std::string, int64_t> versions;  // of each table when it was read; -1: there was none, it counts as empty
  std::string date;
  std::vector<Answer> all;  // in the order asked for
  std::vector<CheckResult> checks;
};

// The named queries, or all of them. not_found where a name is none of the pipeline's (the message names those there
// are); errors in a query name its file and line.
Result<Answers> run_queries(const pipeline::Pipeline& pipeline, object::Store& store,
                            const std::vector<std::string>& names, const QueryOptions& options = {});

// One SELECT of the user's own over the same views.
Result<sql::Table> run_sql(const pipeline::Pipeline& pipeline, object::Store& store, const std::string& sql,
                           const QueryOptions& options = {});

// answers/<key>/<query>.json: {"query","title","date","tables":{"pin":3},"rows":[{…}]}. Replaces what was there.
Result<> store_answers(object::Store& store, const std::string& key, const Answers& answers);

}  // namespace pinflow::lake
