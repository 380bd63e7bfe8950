// The embedded engine: DuckDB in this process, on files that the store's spool brings here (engine.h).
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "lake/engine.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

struct DuckDbOptions {
  int64_t memory_bytes = int64_t{1} << 30;  // beyond it it spills
  int threads = 0;                          // 0: one for each processor
  std::function<bool(double done)> watch;   // sql::Watch; may be empty
};

// The pipeline and the store outlive it. It holds about 20 MB when it is idle, and a folder beside the store's staging.
Result<std::unique_ptr<Engine>> open_duckdb_engine(const pipeline::Pipeline& pipeline, object::Store& store,
                                                   const DuckDbOptions& options);

}  // namespace pinflow::lake
