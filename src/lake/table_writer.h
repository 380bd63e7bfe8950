// From a cleaned batch to the Parquet file that a table's commit will add: good rows, without repeats where they are
// dropped. A repeat is a row equal in all columns, NULL equal to NULL, to another of the batch or of the table.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"
#include "lake/cleaning.h"
#include "lake/table_files.h"
#include "pipeline/pipeline.h"
#include "sql/duckdb.h"

namespace pinflow::lake {

struct Written {
  int64_t clean = 0;       // rows in the file; 0: no file was made
  int64_t duplicates = 0;  // rows left out
};

// `before` is the table as it is compared with; its files are read only where they can hold a key of the batch.
Result<Written> write_rows(sql::Connection& sql, const pipeline::RecordType& record, const Cleaned& cleaned,
                           bool drop_repeats, const PinnedTable& before, const std::filesystem::path& file);

}  // namespace pinflow::lake
