// DuckDB's column vectors to values. Private to this room; void pointers stand for DuckDB's handles, so that its
// header stays out of ours.
#pragma once

#include <string>

#include "base/error.h"
#include "sql/value.h"

namespace pinflow::sql {

// A duckdb_logical_type's name as DuckDB prints it: "BIGINT", "DOUBLE[]", "STRUCT(a INTEGER)".
std::string type_name(void* logical_type);

// Appends the rows of one duckdb_data_chunk to the table, whose columns are filled in already.
// unsupported where a column has a type that Value has no place for (an INTERVAL, say): the user casts it to VARCHAR.
Result<> append_chunk(Table& table, void* chunk);

}  // namespace pinflow::sql
