// Fills the source tables from JSON lines, and counts them: `pinflow source load` and `pinflow source count`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "source/progress.h"
#include "source/url.h"

namespace pinflow::source {

inline constexpr size_t max_line_bytes = 64 << 20;

struct TableCount {
  std::string table;
  int64_t rows = 0;
};
// The rows of each source table, in the pipeline's order; not_found where one is missing.
Result<std::vector<TableCount>> count_rows(const SourceUrl& url, const pipeline::Pipeline& pipeline);

struct Loaded {
  std::string table;
  int64_t read = 0;      // lines
  int64_t added = 0;     // rows with a key that was not there
  int64_t replaced = 0;  // the rest: later lines and re-loading replace rows by key
  int64_t rows = 0;      // in the table now
};
// FOLDER/<source_table>.jsonl into each source table, which is made where it is absent: one JSON object a line, with
// the table's columns; one that is missing is NULL. All or nothing, in one transaction. A line that is wrong (no JSON
// object, an unknown or repeated column, no key, a value that does not fit its column) is an error with file and line.
// cancelled where a stop was asked for.
Result<std::vector<Loaded>> load_folder(const SourceUrl& url, const pipeline::Pipeline& pipeline,
                                        const std::filesystem::path& folder, const Progress& progress = {});

}  // namespace pinflow::source
