// The lake's tables, to be shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/schema.h"
#include "lake/versions.h"
#include "object/store.h"
#include "sql/value.h"

namespace pinflow::lake {

struct TableInfo {
  std::string name;
  int64_t version = 0;
  int64_t records = 0;  // -1 where the table's statistics do not say
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t changed_ms = 0;  // when the version was committed
  std::vector<delta::Column> columns;
};

// All tables of the lake, by name.
Result<std::vector<TableInfo>> list_tables(object::Store& store);

struct TableShown {
  TableInfo info;
  sql::Table rows;  // the first few of its files, in their order; all, where the table has no more
};
inline constexpr int kRowsShown = 5;

// The newest version, or the one chosen. not_found names the tables that there are.
Result<TableShown> show_table(object::Store& store, const std::string& name, const VersionChoice& choice = {});

}  // namespace pinflow::lake
