#include "notebook/databricks.h"

#include <fmt/format.h>

#include "lake/spark_raw.h"
#include "notebook/cells.h"
#include "notebook/templates.h"

namespace pinflow::notebook {
namespace {

std::string widget(std::string_view name, std::string_view value, std::string_view label) {
  return fmt::format("dbutils.widgets.text({}, {}, {})\n", python_text(name), python_text(value), python_text(label));
}

// The raw view over {lines}: each field as text, and origin, which hands through what the notebook needs of the line.
std::string raw_of(const pipeline::RecordType& record) {
  std::string fields;
  for (size_t i = 0; i < record.fields.size(); ++i) fields += fmt::format("field_{} AS `{}`, ", i, record.fields[i]);
  return fmt::format(
      "SELECT {}struct(* EXCEPT ({})) AS origin FROM ({})", fields,
      [&] {
        std::string all;
        for (size_t i = 0; i < record.fields.size(); ++i) all += fmt::format("{}field_{}", i == 0 ? "" : ", ", i);
        return all;
      }(),
      lake::spark_raw_sql("SELECT * FROM {lines}", record.fields));
}

std::string records_of(const pipeline::Pipeline& pipeline) {
  std::string text = "RECORDS = {\n";
  for (const pipeline::RecordType& record : pipeline.records) {
    std::string columns, fields;
    for (const pipeline::Column& column : record.columns) {
      columns += fmt::format("{}{}: {}", columns.empty() ? "" : ", ", python_text(column.name),
                             python_text(pipeline::name_of(column.type)));
    }
    const auto pattern = [&](const char* name) { return python_text(record.patterns.at(name)); };
    text += fmt::format("    {}: {{\n        \"topic\": {}, \"stream\": {}, \"table\": {}, \"stream_table\": {}, ",
                        python_text(record.name), pattern("topic"), pattern("stream"), pattern("table"),
                        pattern("stream_table"));
    text += fmt::format("\"partition_key\": {}, \"clean\": {},\n", python_text(record.partition_key),
                        python_text(record.cleaning.file.lexically_relative(pipeline.folder).generic_string()));
    text += fmt::format(
        "        \"columns\": {{{}}},\n        # The raw view: a line taken apart by patterns, as Pinflow does it.\n   "
        "     \"raw\": {},\n    }},\n",
        columns, python_text(raw_of(record)));
  }
  return text + "}\nSHOWN = " + python_text(lake::spark_shown_sql("origin.value", "origin.fault")) +
         "  # a dead letter's text";
}

Notebook objects(const pipeline::Pipeline& pipeline, std::string_view bucket) {
  Cells cells;
  cells.markdown(
      fmt::format("# {}: the objects\nWhat the other notebooks begin with: where the lake is, what the pipeline's "
                  "names are, the raw view "
                  "of a line, and the functions that its SQL uses. Made by `pinflow export databricks`; make it anew "
                  "rather than change it here. It needs Databricks Runtime 15.4 LTS or newer.",
                  pipeline.id));
  std::string widgets =
      widget("bucket", bucket.empty() ? "BUCKET" : bucket,
             "1 The bucket, with a prefix where there is one: BUCKET/PREFIX; or a path: /mnt/NAME, dbfs:/…");
  widgets += widget("id", pipeline.user_id, "2 {id} in names");
  widgets += widget("date", "", "3 $date in SQL: 2026-01-31; empty: today, UTC");
  cells.python(widgets + std::string(kWidgets));
  cells.python(kLake);
  cells.python(records_of(pipeline));
  cells.python(kLines);
  if (const auto prelude = pipeline.preludes.find("spark"); prelude != pipeline.preludes.end())
    cells.sql(prelude->second.text);
  return {"1_objects.py", cells.text()};
}

// A cell for each record type that calls `function` with its cleaning.
void add_cleanings(const pipeline::Pipeline& pipeline, std::string_view function, Cells& cells) {
  for (const pipeline::RecordType& record : pipeline.records) {
    cells.python(
        fmt::format("{}({}, {})", function, python_text(record.name), python_text(trimmed_sql(record.cleaning.text))));
  }
}

Notebook clean(const pipeline::Pipeline& pipeline) {
  Cells cells;
  cells.markdown(
      fmt::format("# {}: clean\nObjects to tables. It may be run again at any time, and by two jobs at once: a table "
                  "gets each row once.",
                  pipeline.id));
  cells.run("1_objects");
  cells.python(widget("record", "all", "7 The record type, or all") + "\n" + std::string(kClean));
  add_cleanings(pipeline, "clean", cells);
  cells.python(kCleanEnd);
  return {"2_clean.py", cells.text()};
}

Notebook queries(const pipeline::Pipeline& pipeline) {
  Cells cells;
  cells.markdown(fmt::format("# {}: queries\nThe checks, then the queries.", pipeline.id));
  cells.run("1_objects");
  cells.python(std::string(kChecks) +
               "\n\n\n# `:date` of the queries below is the widget's.\nif not dbutils.widgets.get(\"date\"):\n    "
               "dbutils.widgets.remove(\"date\")\n"
               "    dbutils.widgets.text(\"date\", DATE)");
  for (const pipeline::Check& check : pipeline.checks) {
    cells.python(fmt::format("check({}, {}, {})", python_text(check.name), check.fails ? "True" : "False",
                             python_text(trimmed_sql(check.sql.text))));
  }
  for (const pipeline::Query& query : pipeline.queries) {
    cells.markdown(fmt::format("### {}\n{}", query.name, query.title));
    cells.sql(query.sql.text);
  }
  return {"3_queries.py", cells.text()};
}

std::string seen_text(int64_t minutes) {
  return fmt::format(
      "\n\nA repeat, a row equal in all columns to one that arrived {} minutes before or less, is left out. No record "
      "is "
      "left out for being late: beside each table, the table NAME_seen holds a mark of each row written and when its "
      "record arrived. In the worst case (the marks deleted, a run cut off) a repeat stays; nothing is lost. Marks "
      "older "
      "than the streams keep their records may be deleted: `DELETE FROM NAME_seen WHERE arrived < …`.",
      minutes);
}

Notebook stream(const pipeline::Pipeline& pipeline) {
  Cells cells;
  cells.markdown(fmt::format(
      "# {}: stream\nKinesis to tables. A table belongs to these queries for good: its checkpoint says what it has.{}",
      pipeline.id, pipeline.repeats.stream_drop ? seen_text(pipeline.repeats.stream_minutes) : ""));
  cells.run("1_objects");
  cells.python(widget("record", "all", "7 The record type, or all") +
               fmt::format("DROP_REPEATS, STREAM_MINUTES = {}, {}\n", pipeline.repeats.stream_drop ? "True" : "False",
                           pipeline.repeats.stream_minutes) +
               std::string(kStream));
  add_cleanings(pipeline, "start", cells);
  cells.python(kStreamEnd);
  return {"4_stream.py", cells.text()};
}

}  // namespace

Result<std::vector<Notebook>> databricks_notebooks(const pipeline::Pipeline& pipeline, std::string_view bucket) {
  if (!pipeline.repeats.batch_drop) {
    return unsupported(
        "{}: with 'repeats: batch: keep' a notebook that is run again would double the rows; drop repeats, or use "
        "`pinflow batch --engine sc://…`",
        (pipeline.folder / "pipeline.yaml").string());
  }
  return std::vector<Notebook>{objects(pipeline, bucket), clean(pipeline), queries(pipeline), stream(pipeline)};
}

}  // namespace pinflow::notebook
