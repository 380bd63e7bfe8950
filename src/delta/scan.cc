#include "delta/scan.h"

#include <simdjson.h>

#include <algorithm>
#include <map>

#include "delta/data_file.h"
#include "delta/stats.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

namespace dom = simdjson::dom;

// The last column has statistics and these name it.
bool stats_name_last(dom::parser& parser, const std::vector<Column>& columns, const DataFile& file) {
  if (columns.empty() || columns.size() > kMaxStatsColumns || file.stats_json.empty()) return false;
  dom::element root, count;
  if (parser.parse(file.stats_json).get(root) != simdjson::SUCCESS) return false;
  return root["nullCount"][columns.back().name].get(count) == simdjson::SUCCESS;
}

}  // namespace

bool ScanGroup::has_all() const {
  return std::ranges::all_of(has, [](bool one) { return one; });
}

Result<std::vector<ScanGroup>> group_files(const std::vector<Column>& columns, const std::vector<DataFile>& files,
                                           const std::vector<std::filesystem::path>& paths) {
  std::map<std::vector<bool>, std::vector<std::filesystem::path>> groups;
  const std::vector<bool> all(columns.size(), true);
  dom::parser parser;
  for (size_t i = 0; i < files.size(); ++i) {
    if (stats_name_last(parser, columns, files[i])) {
      groups[all].push_back(paths[i]);
      continue;
    }
    const auto names = column_names(paths[i]);
    if (!names) return pass(names.error());
    std::vector<bool> has;
    for (const Column& column : columns) has.push_back(std::ranges::find(*names, column.name) != names->end());
    groups[std::move(has)].push_back(paths[i]);
  }
  std::vector<ScanGroup> out;
  for (auto& [has, of] : groups) out.push_back({std::move(of), has});
  return out;
}

std::string sql_type(std::string_view type) {
  if (const std::string_view element = element_of(type); !element.empty()) return sql_type(element) + "[]";
  if (type == "string") return "VARCHAR";
  if (type == "long") return "BIGINT";
  if (type == "integer") return "INTEGER";
  if (type == "short") return "SMALLINT";
  if (type == "byte") return "TINYINT";
  if (type == "float") return "FLOAT";
  if (type == "binary") return "BLOB";
  if (type == "timestamp") return "TIMESTAMPTZ";
  return std::string(type);  // double, boolean, date, decimal(p,s): the same words
}

std::string scan_sql(const std::vector<Column>& columns, const std::vector<ScanGroup>& groups) {
  const auto read = [](const ScanGroup& group) {
    std::vector<std::string> texts;
    for (const auto& path : group.files) texts.push_back(path.string());
    return "read_parquet(" + sql::quote_list(texts) + ")";
  };
  if (groups.size() == 1 && groups.front().has_all()) return read(groups.front());
  std::string all;
  for (const ScanGroup& group : groups) {
    std::string list;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string name = sql::quote_name(columns[i].name);
      list += list.empty() ? "" : ", ";
      if (group.has[i]) list += name;
      else list += fmt::format("CAST(NULL AS {}) AS {}", sql_type(columns[i].type), name);
    }
    all += fmt::format("{}SELECT {} FROM {}", all.empty() ? "" : " UNION ALL ", list, read(group));
  }
  return "(" + all + ")";
}

}  // namespace pinflow::delta
