// What the .cc files of this room share of a Database and a Connection. Private to the room.
#pragma once

#include <duckdb.h>

#include <filesystem>

#include "sql/duckdb.h"

namespace pinflow::sql {

struct Database::Impl {
  ~Impl();

  duckdb_database database = nullptr;
  std::filesystem::path spill;
};

struct Connection::Impl {
  ~Impl();

  duckdb_connection connection = nullptr;
  Watch watch;
};

// DuckDB's message as an error: its kind as a Code, its "LINE n" as the user's file and line where `origin` tells it.
Error error_of(duckdb_error_type kind, std::string_view message, const Origin& origin);

}  // namespace pinflow::sql
