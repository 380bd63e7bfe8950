// The lake as Spark reaches it: how a batch or a query is told to work on Spark, and what a session must be like.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "spark/session.h"

namespace pinflow::lake {

// Which Spark, and where it finds the lake. Empty (`open` is not set): the work is done embedded.
struct SparkChoice {
  std::function<Result<std::unique_ptr<spark::Session>>()> open;  // with spark_settings()
  std::string lake;                                               // "/data/lake", "s3a://bucket/prefix"

  explicit operator bool() const { return static_cast<bool>(open); }
};

// What every session needs so that its files and answers are as the embedded engine's: timestamps of microseconds in
// Parquet, no calendar but one, names of columns as they are.
spark::Options spark_settings();

// A store's url as Spark shall name it: by the longest prefix of `paths` (engine.paths of a profile) that the url
// begins with; without one a folder stays, made absolute, and s3:// becomes s3a://. Pure but for the working folder.
std::string spark_path_of(const std::string& url, const std::vector<std::pair<std::string, std::string>>& paths);

// Spark's error, with a question behind it where Spark missed something in the lake: is `lake`, as Spark has it, the
// store at `url`? Pure.
Error at_lake(Error error, const std::string& lake, const std::string& url);

// `path` for a reader that takes patterns: {, [, * and the like stand for themselves.
std::string spark_literal_path(std::string_view path);

// Makes the prelude's functions known to the session.
Result<> run_spark_prelude(spark::Session& session, const pipeline::Pipeline& pipeline);

// The share of a statement's work that is done, 0 to 1; -1 where Spark has not said anything.
double share_of(const spark::Progress& progress);

// delta.`<lake>/tables/<table>` VERSION AS OF n
std::string spark_table(const std::string& lake, const std::string& table, int64_t version);

}  // namespace pinflow::lake
