#include "app/portable_check.h"

#include <vector>

#include "base/json.h"
#include "portable/check.h"
#include "sql/value.h"

namespace pinflow::app {
namespace {

std::string as_json(const std::vector<portable::Finding>& findings) {
  JsonWriter json;
  json.begin_array();
  for (const portable::Finding& finding : findings) {
    json.begin_object().key("file").string(finding.file).key("line").number(int64_t{finding.line});
    json.key("column").number(int64_t{finding.column}).key("rule").string(finding.rule);
    json.key("what").string(finding.what).key("instead").string(finding.instead).end_object();
  }
  json.end_array();
  return json.take();
}

sql::Table as_table(const std::vector<portable::Finding>& findings) {
  sql::Table table;
  table.columns = {{"file", "VARCHAR"}, {"line", "BIGINT"},  {"column", "BIGINT"},
                   {"rule", "VARCHAR"}, {"what", "VARCHAR"}, {"instead", "VARCHAR"}};
  for (const portable::Finding& finding : findings) {
    table.rows.push_back({{finding.file},
                          {int64_t{finding.line}},
                          {int64_t{finding.column}},
                          {finding.rule},
                          {finding.what},
                          {finding.instead}});
  }
  return table;
}

}  // namespace

Result<int> check_pipeline(const Context& context) {
  const std::vector<portable::Finding> findings = portable::check(context.pipeline);
  const int status = findings.empty() ? 0 : 1;
  if (context.options.format == Format::json) {
    fmt::print("{}\n", as_json(findings));
    return status;
  }
  if (context.options.format == Format::csv) {
    fmt::print("{}", sql::as_csv(as_table(findings)));
    return status;
  }
  for (const portable::Finding& finding : findings) fmt::print("{}\n", finding.text());
  if (findings.empty()) {
    fmt::print(
        "{}: the SQL of {} record types, {} checks and {} queries means the same on DuckDB and on Spark, as far as is "
        "known\n",
        context.pipeline.id, context.pipeline.records.size(), context.pipeline.checks.size(),
        context.pipeline.queries.size());
  }
  return status;
}

}  // namespace pinflow::app
