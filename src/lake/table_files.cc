#include "lake/table_files.h"

#include <fmt/format.h>

#include <utility>

#include "object/prefetch.h"
#include "sql/duckdb.h"

namespace pinflow::lake {
namespace {

// DuckDB's name of a Delta type.
std::string sql_type(std::string_view type) {
  if (const std::string_view element = delta::element_of(type); !element.empty()) return sql_type(element) + "[]";
  if (type == "string") return "VARCHAR";
  if (type == "long") return "BIGINT";
  if (type == "integer") return "INTEGER";
  if (type == "short") return "SMALLINT";
  if (type == "byte") return "TINYINT";
  if (type == "float") return "FLOAT";
  if (type == "binary") return "BLOB";
  return std::string(type);  // double, boolean, date, timestamp, decimal(p,s): the same words
}

}  // namespace

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

Result<PinnedTable> pin_files(object::Store& store, const std::string& table, std::optional<delta::Snapshot> snapshot) {
  PinnedTable pinned{table, std::move(snapshot), {}};
  if (!pinned.snapshot) return pinned;
  std::vector<object::Prefetch::Wanted> wanted;
  for (const delta::DataFile& file : pinned.snapshot->files)
    wanted.push_back({table_folder(table) + "/" + file.path, file.size});
  auto files = object::fetch_all(store, std::move(wanted));
  if (!files) return pass(files.error(), "table {}, version {}", table, pinned.version());
  pinned.files = std::move(*files);
  return pinned;
}

std::string scan_of(const PinnedTable& table) {
  std::vector<std::string> paths;
  for (const object::LocalFile& file : table.files) paths.push_back(file.path().string());
  return "read_parquet(" + sql::quote_list(paths) + ")";
}

std::string select_of(const PinnedTable& table, const std::vector<delta::Column>& columns) {
  std::string list;
  for (const delta::Column& column : columns) {
    const std::string name = sql::quote_name(column.name);
    if (!list.empty()) list += ", ";
    if (table.files.empty()) list += fmt::format("CAST(NULL AS {}) AS {}", sql_type(column.type), name);
    else if (column.type == "timestamp") list += fmt::format("make_timestamp(epoch_us({0})) AS {0}", name);
    else list += name;
  }
  if (table.files.empty()) return "SELECT " + list + " WHERE false";
  return "SELECT " + list + " FROM " + scan_of(table);
}

}  // namespace pinflow::lake
