// A Delta table as DuckDB reads it: the files of one version, on this machine, behind read_parquet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/scan.h"
#include "delta/table.h"
#include "object/store.h"
#include "pipeline/pipeline.h"

namespace pinflow::lake {

// "tables/pin"
std::string table_folder(const std::string& table);

// A record type's columns as the Delta table declares them, and the dead letters' of both legs.
std::vector<delta::Column> delta_columns(const std::vector<pipeline::Column>& columns);
const std::vector<delta::Column>& dead_columns();
const std::vector<delta::Column>& dead_stream_columns();
inline constexpr const char* kDeadTable = "dead";
inline constexpr const char* kDeadStreamTable = "dead_stream";

// A table at one version, its files held for as long as this lives.
struct PinnedTable {
  std::string name;
  std::optional<delta::Snapshot> snapshot;  // nothing: there is no such table yet
  std::vector<delta::Column> columns;       // that are read
  std::vector<object::LocalFile> files;
  std::vector<delta::ScanGroup> groups;  // the same files, by the columns that they have

  int64_t version() const { return snapshot ? snapshot->version : -1; }
  int64_t records() const { return snapshot ? snapshot->records() : 0; }
};

// The newest snapshot, or none where there is no table.
Result<std::optional<delta::Snapshot>> find_snapshot(object::Store& store, const std::string& table);

// Brings the snapshot's files to this machine. `columns` are those to be read, NULL where a file has one not; without
// any, the snapshot's.
Result<PinnedTable> pin_files(object::Store& store, const std::string& table, std::optional<delta::Snapshot> snapshot,
                              std::vector<delta::Column> columns = {});

// What stands after FROM, by delta::scan_sql. The table has files.
std::string scan_of(const PinnedTable& table);

// A SELECT of the table's rows for queries, its columns as `columns` say: a timestamp is a TIMESTAMP in UTC (which is
// what Delta's timestamp is in a session in UTC, and far faster than a TIMESTAMPTZ); without files no rows, but types.
std::string select_of(const PinnedTable& table, const std::vector<delta::Column>& columns);

}  // namespace pinflow::lake
