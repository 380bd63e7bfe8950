// The portability check: refuses, without any engine, SQL that DuckDB and Spark read differently or that only one of
// them has (docs/pipeline.md, "Portable SQL"). It knows constructs, not every meaning: what it passes can still differ
// by data; what it refuses has been seen to differ. Pure.
//
// Judged are the cleanings, queries and checks of a pipeline. A cleaning must also be row-local. Preludes are written
// for one engine and only compared: both must define the same functions with as many parameters.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"

namespace pinflow::portable {

struct Finding {
  std::string file;
  int line = 0;         // from 1
  int column = 0;       // from 1, in code points
  std::string rule;     // "text-cast", "null-order": docs/pipeline.md lists them
  std::string what;     // what stands there, and how the engines differ
  std::string instead;  // what to write

  std::string text() const;  // "FILE:LINE:COLUMN: what; write instead"
};

// In the order of the pipeline's files, then of the text.
std::vector<Finding> check(const pipeline::Pipeline& pipeline);

// Of the named queries (none: of all) and of the preludes alone.
std::vector<Finding> check_queries(const pipeline::Pipeline& pipeline, const std::vector<std::string>& names);

// For those who are about to run the SQL on Spark: invalid, with the first 20 findings.
Result<> require_portable(const pipeline::Pipeline& pipeline);
// … and run these queries only.
Result<> require_portable(const pipeline::Pipeline& pipeline, const std::vector<std::string>& queries);

}  // namespace pinflow::portable
