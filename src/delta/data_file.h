// A new Parquet file of a table: described by its footer, held against the table's schema, put into the store.
// Thread-safe (no state).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "object/store.h"

namespace pinflow::delta {

// A file's name is unique for ever: "part-00000-<uuid>.parquet".
std::string new_file_name();

// Reads the footer of a finished local Parquet file: records, size and stats of the table's columns. `name` is its
// path in the table. invalid, naming file and column, where a column's physical or logical type is not what the table's
// type asks for (DECIMAL for double, INT32 for long, a TIMESTAMP that is not adjusted to UTC), or where a column is
// missing or one too many; corrupt where the file is no Parquet file.
Result<DataFile> describe_file(const std::filesystem::path& local, std::string name,
                               const std::vector<Column>& columns);

// The columns of a local Parquet file, by its footer.
Result<std::vector<std::string>> column_names(const std::filesystem::path& local);

// describe_file, then the file is put into the table's folder ("tables/pin") under a new name and is gone from where
// it lay. It belongs to the table only once a commit adds it; where none ever does, it is litter and harmless.
Result<DataFile> put_data_file(object::Store& store, const std::string& table, const std::filesystem::path& local,
                               const std::vector<Column>& columns);

}  // namespace pinflow::delta
