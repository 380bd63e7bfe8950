// Fills the source tables with generated posts: `pinflow source generate`, and `pinflow run` where there is no source.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "source/progress.h"
#include "source/url.h"

namespace pinflow::source {

struct GenerateOptions {
  int64_t posts = 11'154;
  uint64_t seed = 100;
  bool replace = false;  // tables that hold rows are emptied first; without it they are an error (already_exists)
};

// Posts 0 to posts - 1 of the pipeline's profile, a row in each source table, which is made where it is absent. An
// SQLite file that was not there appears complete or not at all. Otherwise all or nothing, in one transaction.
// cancelled where a stop was asked for. Memory does not grow with the posts.
Result<> generate(const SourceUrl& url, const pipeline::Pipeline& pipeline, const GenerateOptions& options,
                  const Progress& progress = {});

}  // namespace pinflow::source
