#include "lake/spark_lake.h"

#include <fmt/format.h>

#include <filesystem>

#include "lake/table_files.h"

namespace pinflow::lake {

spark::Options spark_settings() {
  return {{"spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"},
          {"spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED"},
          {"spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED"},
          {"spark.sql.parquet.writeLegacyFormat", "false"},
          // Databricks refuses to put files below a table's folder unless told that it is meant.
          {"spark.databricks.delta.formatCheck.enabled", "false"},
          // Plans as text, for a page that nobody looks at, would take longer than many a statement.
          {"spark.sql.ui.explainMode", "simple"},
          {"spark.sql.maxPlanStringLength", "1024"},
          {"spark.sql.debug.maxToStringFields", "5"},
          // Objects are small: a task takes hundreds of them.
          {"spark.sql.files.openCostInBytes", "131072"}};
}

std::string spark_path_of(const std::string& url, const std::vector<std::pair<std::string, std::string>>& paths) {
  std::string from = url;
  if (from.find("://") == std::string::npos) from = std::filesystem::absolute(from).lexically_normal().string();
  while (from.size() > 1 && from.ends_with('/')) from.pop_back();
  // The url is a folder: "s3://b/" stands for the whole bucket, and also for "s3://b".
  const auto begins = [&](const std::string& prefix) { return from.starts_with(prefix) || from + "/" == prefix; };
  for (const auto& [prefix, to] : paths) {
    if (prefix.empty() || !begins(prefix)) continue;
    std::string path = to + (from.size() > prefix.size() ? from.substr(prefix.size()) : "");
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  }
  if (from.starts_with("s3://")) return "s3a://" + from.substr(5);
  return from;
}

Error at_lake(Error error, const std::string& lake, const std::string& url) {
  const auto says = [&error](std::string_view part) { return error.message.contains(part); };
  const bool missed = error.code == Code::not_found || says("does not exist") || says("DELTA_VERSION");
  if (!missed || !says(lake) || says("engine.paths")) return error;
  error.message += fmt::format(
      "; is {} there the lake that is {} here? Look at engine.paths in the profile (docs/spark.md)", lake, url);
  return error;
}

std::string spark_literal_path(std::string_view path) {
  std::string out;
  for (const char byte : path) {
    if (std::string_view("{}[]*?\\").find(byte) != std::string_view::npos) out += '\\';
    out += byte;
  }
  return out;
}

Result<> run_spark_prelude(spark::Session& session, const pipeline::Pipeline& pipeline) {
  const auto prelude = pipeline.preludes.find("spark");
  if (prelude == pipeline.preludes.end()) return {};
  return session.execute(prelude->second.text, {prelude->second.file.string()});
}

double share_of(const spark::Progress& progress) {
  if (progress.tasks <= 0) return -1;
  return static_cast<double>(progress.tasks_done) / static_cast<double>(progress.tasks);
}

std::string spark_table(const std::string& lake, const std::string& table, int64_t version) {
  return fmt::format("delta.{} VERSION AS OF {}", spark::quote_name(lake + "/" + table_folder(table)), version);
}

}  // namespace pinflow::lake
