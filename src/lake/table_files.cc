#include "lake/table_files.h"

#include <fmt/format.h>

#include <utility>

#include "object/prefetch.h"
#include "sql/duckdb.h"

namespace pinflow::lake {

std::string table_folder(const std::string& table) { return "tables/" + table; }

std::vector<delta::Column> delta_columns(const std::vector<pipeline::Column>& columns) {
  std::vector<delta::Column> out;
  for (const pipeline::Column& column : columns) out.push_back({column.name, std::string(name_of(column.type))});
  return out;
}

const std::vector<delta::Column>& dead_columns() {
  static const std::vector<delta::Column> columns = {
      {"table", "string"},  {"reason", "string"}, {"topic", "string"},  {"partition", "integer"},
      {"object", "string"}, {"offset", "long"},   {"record", "string"}, {"plan", "long"}};
  return columns;
}

const std::vector<delta::Column>& dead_stream_columns() {
  static const std::vector<delta::Column> columns = {
      {"table", "string"},           {"reason", "string"}, {"stream", "string"}, {"shard", "string"},
      {"sequence_number", "string"}, {"record", "string"}, {"plan", "long"}};
  return columns;
}

Result<std::optional<delta::Snapshot>> find_snapshot(object::Store& store, const std::string& table) {
  auto snapshot = delta::read_snapshot(store, table_folder(table));
  if (snapshot) return std::move(*snapshot);
  if (snapshot.error().code == Code::not_found) return std::nullopt;
  return pass(snapshot.error(), "table {}", table);
}

Result<PinnedTable> pin_files(object::Store& store, const std::string& table, std::optional<delta::Snapshot> snapshot,
                              std::vector<delta::Column> columns) {
  PinnedTable pinned{table, std::move(snapshot), std::move(columns), {}, {}};
  if (!pinned.snapshot) return pinned;
  if (pinned.columns.empty()) pinned.columns = pinned.snapshot->columns();
  std::vector<object::Prefetch::Wanted> wanted;
  for (const delta::DataFile& file : pinned.snapshot->files)
    wanted.push_back({table_folder(table) + "/" + file.path, file.size});
  auto files = object::fetch_all(store, std::move(wanted));
  if (!files && files.error().code == Code::not_found) {
    return pass(files.error(),
                "table {}, version {}: one of its files is gone; files that the table no longer has are kept for "
                "delta.deletedFileRetentionDuration, 7 days by default",
                table, pinned.version());
  }
  if (!files) return pass(files.error(), "table {}, version {}", table, pinned.version());
  pinned.files = std::move(*files);
  std::vector<std::filesystem::path> paths;
  for (const object::LocalFile& file : pinned.files) paths.push_back(file.path());
  auto groups = delta::group_files(pinned.columns, pinned.snapshot->files, paths);
  if (!groups) return pass(groups.error(), "table {}, version {}", table, pinned.version());
  pinned.groups = std::move(*groups);
  return pinned;
}

std::string scan_of(const PinnedTable& table) { return delta::scan_sql(table.columns, table.groups); }

std::string select_of(const PinnedTable& table, const std::vector<delta::Column>& columns) {
  std::string list;
  for (const delta::Column& column : columns) {
    const std::string name = sql::quote_name(column.name);
    if (!list.empty()) list += ", ";
    if (table.files.empty()) {
      list += fmt::format("CAST(NULL AS {}) AS {}",
                          column.type == "timestamp" ? "TIMESTAMP" : delta::sql_type(column.type), name);
    } else if (column.type == "timestamp") list += fmt::format("make_timestamp(epoch_us({0})) AS {0}", name);
    else list += name;
  }
  if (table.files.empty()) return "SELECT " + list + " WHERE false";
  return "SELECT " + list + " FROM " + scan_of(table);
}

}  // namespace pinflow::lake
