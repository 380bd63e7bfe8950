// What the .cc files of this room share of a Database and a Connection. Private to the room.
#pragma once

#include <duckdb.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "sql/duckdb.h"
#include "sql/row_source.h"

namespace pinflow::sql {

// The row sources of a database, by name. From any thread.
class Sources {
 public:
  std::shared_ptr<RowSource> find(const std::string& name);  // nullptr where there is none
  void put(const std::string& name, std::shared_ptr<RowSource> source);
  void drop(const std::string& name);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<RowSource>> sources_;  // guarded by mutex_
};

// Makes pinflow_rows known to the database of this connection; `sources` outlives it.
Result<> register_rows(duckdb_connection connection, Sources& sources);

struct Database::Impl {
  ~Impl();

  Sources sources;
  duckdb_database database = nullptr;
};

struct Connection::Impl {
  ~Impl();

  duckdb_connection connection = nullptr;
  Watch watch;
};

// DuckDB's message as an error: its kind as a Code, its "LINE n" as the user's file and line where `origin` tells it.
Error error_of(duckdb_error_type kind, std::string_view message, const Origin& origin);

}  // namespace pinflow::sql
