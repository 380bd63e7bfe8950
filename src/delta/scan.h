// A table's data files as one DuckDB relation. Files that were written before a column was added have it not: they are
// read apart, with NULL in its place.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"

namespace pinflow::delta {

// Files of the same columns.
struct ScanGroup {
  std::vector<std::filesystem::path> files;
  std::vector<bool> has;  // beside the table's columns
  bool has_all() const;
};

// `files` lie at `paths`, in the same order. What columns a file has is told by its statistics where they name the last
// column (columns are only ever added at the end; DuckDB refuses a file for which that is not so), else by its footer.
Result<std::vector<ScanGroup>> group_files(const std::vector<Column>& columns, const std::vector<DataFile>& files,
                                           const std::vector<std::filesystem::path>& paths);

// DuckDB's name of a Delta type: "BIGINT[]". A map or struct has none here and stays as it is.
std::string sql_type(std::string_view type);

// What stands after FROM: "read_parquet([…])", or the union of the groups in brackets. There is a group at least.
std::string scan_sql(const std::vector<Column>& columns, const std::vector<ScanGroup>& groups);

}  // namespace pinflow::delta
