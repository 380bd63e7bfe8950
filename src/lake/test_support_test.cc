#include "lake/test_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "lake/query.h"
#include "pipeline/load.h"

namespace pinflow::lake {

pipeline::Pipeline sensors() {
  using pipeline::Type;
  pipeline::Pipeline pipeline;
  pipeline.id = "sensors";
  pipeline.user_id = "here";
  pipeline::RecordType reading;
  reading.name = "reading";
  reading.topic = "here.reading";
  reading.fields = {"sensor", "value", "taken"};
  reading.cleaning = {"clean/reading.sql", R"(SELECT
  CASE WHEN regexp_extract(sensor, '^[0-9]{1,9}$', 0) = sensor THEN CAST(sensor AS INT) END AS sensor,
  CASE WHEN regexp_extract(value, '^-?[0-9]{1,9}([.][0-9]{1,9})?$', 0) = value THEN CAST(value AS DOUBLE) END AS value,
  TRY_CAST(taken AS TIMESTAMP) AS taken,
  CASE WHEN sensor IS NULL THEN 'no sensor' END AS reason,
  CASE WHEN value = 'bad' THEN 1 ELSE 0 END AS count_bad_value,
  origin
FROM raw -- the end
;
)"};
  reading.table = "readings";
  reading.stream_table = "readings_stream";
  reading.key = "sensor";
  reading.columns = {{"sensor", Type::long_}, {"value", Type::double_}, {"taken", Type::timestamp}};
  pipeline::RecordType note;
  note.name = "note";
  note.topic = "here.note";
  note.fields = {"id", "words"};
  note.cleaning = {"clean/note.sql",
                   "SELECT id, CASE WHEN words IS NOT NULL THEN split(words, ' ') END AS words,\n"
                   "  CASE WHEN words = 'refused' THEN 'refused words' END AS reason, origin\nFROM raw"};
  note.table = "notes";
  note.stream_table = "notes_stream";
  note.key = "id";
  note.columns = {{"id", Type::string}, {"words", Type::array_of_string}};
  pipeline.records = {reading, note};
  pipeline.queries = {{"mean", "Mean value", {"queries/mean.sql", "SELECT avg(value) AS mean FROM readings"}},
                      {"labelled",
                       "Sensors, with the day's label",
                       {"queries/labelled.sql", "SELECT $date AS label, count(*) AS readings FROM readings"}}};
  return pipeline;
}

pipeline::Pipeline posts() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  auto loaded = pipeline::load(root / "pipelines/pinterest");
  if (!loaded) ADD_FAILURE() << loaded.error().message;
  return loaded.value();
}

void put_bytes(object::Store& store, const std::string& topic, int64_t first_offset, std::string_view bytes,
               int partition) {
  const auto name = fmt::format("topics/{0}/partition={1}/{0}+{1}+{2:010}.json", topic, partition, first_offset);
  const auto put = store.put_if_absent(name, bytes);
  ASSERT_TRUE(put) << put.error().message;
}

void put_object(object::Store& store, const std::string& topic, int64_t first_offset,
                const std::vector<std::string>& lines, int partition) {
  put_bytes(store, topic, first_offset, fmt::format("{}\n", fmt::join(lines, "\n")), partition);
}

void put_marker(object::Store& store, const std::string& topic, const std::string& cluster_id,
                const std::string& topic_id) {
  const auto put =
      store.put("state/topics/" + topic + ".json",
                fmt::format(R"({{"cluster_id":{},"topic_id":{}}})", json_string(cluster_id), json_string(topic_id)));
  ASSERT_TRUE(put) << put.error().message;
}

std::string reading(int sensor, const std::string& value) {
  return fmt::format(R"({{"sensor":{},"value":"{}","taken":"2026-11-20 10:00:00"}})", sensor, value);
}

std::string rows(const pipeline::Pipeline& pipeline, object::Store& store, const std::string& sql) {
  const auto table = run_sql(pipeline, store, sql);
  if (!table) return "error: " + table.error().message;
  std::string out;
  for (const auto& row : table->rows) {
    for (size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "|") + (row[i].null() ? "NULL" : text_of(row[i]));
    out += "\n";
  }
  return out;
}

std::string counts(const BatchReport& report, const std::string& table, bool noted) {
  for (const RecordReport& record : report.records) {
    if (record.table != table) continue;
    std::string out = fmt::format("{} raw={} clean={} duplicates={} dead={} {}->{}", table, record.raw, record.clean,
                                  record.duplicates, record.dead, record.before, record.after);
    for (const auto& [name, count] : record.noted) {
      if (noted && count != 0) out += fmt::format(" {}={}", name, count);
    }
    return out;
  }
  return "no table " + table;
}

BatchReport batch(const pipeline::Pipeline& pipeline, object::Store& store) {
  BatchOptions options;
  options.answers = false;
  auto report = run_batch(pipeline, store, options);
  if (!report) {
    ADD_FAILURE() << report.error().message;
    return {};
  }
  return std::move(*report);
}

}  // namespace pinflow::lake
