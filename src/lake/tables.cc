#include "lake/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "delta/table.h"
#include "lake/table_files.h"
#include "sql/duckdb.h"

namespace pinflow::lake {
namespace {

TableInfo info_of(const std::string& name, const delta::Snapshot& snapshot) {
  return {name,
          snapshot.version,
          snapshot.records(),
          static_cast<int64_t>(snapshot.files.size()),
          snapshot.bytes(),
          snapshot.timestamp_ms,
          snapshot.columns()};
}

}  // namespace

Result<std::vector<TableInfo>> list_tables(object::Store& store) {
  const auto names = delta::list_tables(store, "tables");
  if (!names) return pass(names.error());
  std::vector<TableInfo> tables;
  for (const std::string& name : *names) {
    const auto snapshot = delta::read_snapshot(store, table_folder(name));
    if (!snapshot) return pass(snapshot.error(), "table {}", name);
    tables.push_back(info_of(name, *snapshot));
  }
  return tables;
}

Result<TableShown> show_table(object::Store& store, const std::string& name, const VersionChoice& choice) {
  auto settled = settle(choice, {name});
  if (!settled) return pass(settled.error());
  auto snapshot = find_snapshot(store, name);
  if (snapshot && *snapshot && !settled->newest()) snapshot = find_snapshot(store, name, *settled);
  if (!snapshot) return pass(snapshot.error());
  if (!*snapshot) {
    const auto names = delta::list_tables(store, "tables");
    if (!names) return pass(names.error());
    if (names->empty()) return not_found("there is no table '{}', nor any other: nothing has been cleaned yet", name);
    return not_found("there is no table '{}'; there are: {}", name, fmt::join(*names, ", "));
  }
  TableShown shown{info_of(name, **snapshot), {}};
  delta::Snapshot few = std::move(**snapshot);
  std::erase_if(few.files, [](const delta::DataFile& file) { return file.records == 0; });
  size_t files = 0;  // as many as hold the rows; one that does not say how many it has holds one at least
  for (int64_t rows = 0; files < few.files.size() && rows < kRowsShown; ++files)
    rows += std::max<int64_t>(few.files[files].records, 1);
  few.files.resize(files);
  const auto pinned = pin_files(store, name, std::move(few));
  if (!pinned) return pass(pinned.error());
  auto database = sql::Database::open();
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  auto rows = connection->query(fmt::format("{} LIMIT {}", select_of(*pinned, shown.info.columns), kRowsShown));
  if (!rows) return pass(rows.error(), "table {}", name);
  shown.rows = std::move(*rows);
  return shown;
}

}  // namespace pinflow::lake
