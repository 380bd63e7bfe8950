#include "app/reading.h"

#include <fmt/format.h>

#include "app/answers.h"
#include "app/counts.h"
#include "app/engine.h"
#include "app/lake_store.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/logging.h"
#include "lake/query.h"
#include "lake/tables.h"

namespace pinflow::app {
namespace {

std::string as_json(const lake::TableInfo& table) {
  JsonWriter json;
  json.begin_object().key("name").string(table.name).key("version").number(table.version);
  json.key("records").number(table.records).key("files").number(table.files).key("bytes").number(table.bytes);
  json.key("changed").string(iso_time(table.changed_ms)).key("columns").begin_array();
  for (const delta::Column& column : table.columns) {
    json.begin_object().key("name").string(column.name).key("type").string(column.type).end_object();
  }
  json.end_array().end_object();
  return json.take();
}

sql::Table as_table(const std::vector<lake::TableInfo>& tables) {
  sql::Table out;
  for (const char* name : {"name", "version", "records", "files", "bytes", "changed"})
    out.columns.push_back({name, ""});
  for (const lake::TableInfo& table : tables) {
    out.rows.push_back({sql::Value{table.name}, sql::Value{table.version}, sql::Value{table.records},
                        sql::Value{table.files}, sql::Value{table.bytes}, sql::Value{iso_time(table.changed_ms)}});
  }
  return out;
}

}  // namespace

Result<int> query(const Context& context) {
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  lake::QueryOptions options;
  options.date = context.options.date;
  auto versions = lake::parse_choice(context.options.versions, context.options.at);
  if (!versions) return pass(versions.error());
  options.versions = std::move(*versions);
  auto engine = engine_of(context, **lake, &context.options.names);
  if (!engine) return pass(engine.error());
  options.spark = std::move(*engine);
  auto answers = lake::run_queries(context.pipeline, **lake, context.options.names, options);
  if (!answers) return pass(answers.error());
  for (const pipeline::RecordType& record : context.pipeline.records) {
    const auto version = answers->versions.find(record.table);
    if (version != answers->versions.end() && version->second < 0) {
      warn("the table {} is not there yet and counts as empty; `pinflow run` or `pinflow batch` makes it",
           record.table);
    }
  }
  const bool one = context.options.names.size() == 1;
  if (context.options.format == Format::json && !one) {
    JsonWriter json;
    json.begin_object();
    for (const lake::Answer& answer : answers->all) json.key(answer.query).raw(sql::as_json(answer.rows));
    json.end_object();
    fmt::print("{}\n", json.text());
    return 0;
  }
  for (const lake::Answer& answer : answers->all) {
    if (one) fmt::print("{}", in_format(answer.rows, context.options.format));
    else if (context.options.format == Format::csv)
      fmt::print("# {}\n{}\n", answer.query, in_format(answer.rows, Format::csv));
    else fmt::print("{}", titled(answer.query, answer.title, answer.rows, 0));
  }
  return 0;
}

Result<int> tables(const Context& context) {
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  auto all = lake::list_tables(**lake);
  if (!all) return pass(all.error());
  if (context.options.format == Format::json) {
    JsonWriter json;
    json.begin_array();
    for (const lake::TableInfo& table : *all) json.raw(as_json(table));
    json.end_array();
    fmt::print("{}\n", json.text());
    return 0;
  }
  if (context.options.format == Format::csv) {
    fmt::print("{}", sql::as_csv(as_table(*all)));
    return 0;
  }
  if (all->empty()) fmt::print("no tables yet in {}: `pinflow run` makes them\n", (*lake)->url());
  for (const lake::TableInfo& table : *all) {
    fmt::print("{:<14} version {:<5} {:>12} rows {:>6} files {:>10} KiB  {}\n", table.name, table.version,
               table.records < 0 ? "?" : grouped(table.records), grouped(table.files), grouped(table.bytes / 1024),
               iso_time(table.changed_ms));
  }
  return 0;
}

Result<int> show_table(const Context& context) {
  auto lake = open_lake(context);
  if (!lake) return pass(lake.error());
  const auto versions = lake::parse_choice(context.options.versions, context.options.at);
  if (!versions) return pass(versions.error());
  auto shown = lake::show_table(**lake, context.options.names.front(), *versions);
  if (!shown) return pass(shown.error());
  if (context.options.format == Format::json) {
    std::string json = as_json(shown->info);
    json.back() = ',';
    fmt::print("{}\"rows\":{}}}\n", json, sql::as_json(shown->rows));
    return 0;
  }
  if (context.options.format == Format::csv) {
    fmt::print("{}", sql::as_csv(shown->rows));
    return 0;
  }
  const lake::TableInfo& table = shown->info;
  fmt::print("{}: version {}, {} rows in {} files, {} KiB, changed {}\n\n", table.name, table.version,
             table.records < 0 ? "?" : grouped(table.records), grouped(table.files), grouped(table.bytes / 1024),
             iso_time(table.changed_ms));
  for (const delta::Column& column : table.columns) fmt::print("  {:<20} {}\n", column.name, column.type);
  fmt::print("\n{}", sql::as_text(shown->rows, 24));
  return 0;
}

}  // namespace pinflow::app
