// The one DuckDB of all stream workers of a process, opened when the first record has to be cleaned, and the folder for
// the files that it writes on their way into tables. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "lake/spill.h"
#include "object/store.h"
#include "pipeline/pipeline.h"
#include "sql/duckdb.h"

namespace pinflow::stream {

class Engine {
 public:
  Engine(const pipeline::Pipeline& pipeline, object::Store& store, int64_t memory_bytes, int threads)
      : pipeline_(pipeline), store_(store), memory_bytes_(memory_bytes), threads_(threads) {}

  // A session that knows the pipeline's prelude.
  Result<sql::Connection> connect();
  // Behind the first connect().
  sql::Database& database() { return *database_; }
  // For a file that goes into a table: a path that no other call got.
  std::filesystem::path new_file();

 private:
  Result<> open();

  const pipeline::Pipeline& pipeline_;
  object::Store& store_;
  const int64_t memory_bytes_;
  const int threads_;
  std::mutex mutex_;  // of what follows
  std::unique_ptr<lake::Spill> spill_;
  std::unique_ptr<sql::Database> database_;
};

}  // namespace pinflow::stream
