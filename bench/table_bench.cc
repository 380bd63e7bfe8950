// Drives Delta tables for bench/tables.py: one JSON value on standard output for each command.
//
//   table_bench commits ROOT TABLE COUNT EVERY   COUNT commits of one file each (of one file's bytes under new names;
//   on
//        S3 the commits alone), with a step of the upkeep, without folding, after each EVERY: what hundreds of commits
//        cost at several versions, what the log and the checkpoints weigh
//   table_bench read ROOT TABLE                  the newest snapshot, and three queries over it
//   table_bench fold ROOT TABLE                  folds all
//
// ROOT is a folder or s3://BUCKET/PREFIX; AWS_ENDPOINT_URL_S3 and keys are in the environment.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "aws/default_credentials.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "delta/data_file.h"
#include "delta/log_names.h"
#include "delta/scan.h"
#include "delta/table.h"
#include "delta/upkeep.h"
#include "delta/writer.h"
#include "object/directory_store.h"
#include "object/prefetch.h"
#include "object/s3_store.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

// As wide as the posts' widest table.
const std::vector<Column> kColumns = {{"ind", "long"},
                                      {"unique_id", "string"},
                                      {"title", "string"},
                                      {"description", "string"},
                                      {"follower_count", "long"},
                                      {"poster_name", "string"},
                                      {"tag_list", "string"},
                                      {"is_image_or_video", "string"},
                                      {"image_src", "string"},
                                      {"save_location", "string"},
                                      {"category", "string"}};
constexpr int kRows = 100;  // of a file

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Result<std::unique_ptr<object::Store>> open_store(const std::string& root) {
  if (!root.starts_with("s3://")) return object::open_directory(root);
  auto options = object::parse_s3_url(root);
  if (!options) return pass(options.error());
  if (const char* endpoint = std::getenv("AWS_ENDPOINT_URL_S3")) options->endpoint = endpoint;
  if (const char* region = std::getenv("AWS_REGION")) options->region = region;
  options->path_style = true;
  options->spool = std::filesystem::temp_directory_path() / fmt::format("table-bench-{}", getpid());
  return object::open_s3(std::move(*options), aws::default_credentials());
}

Result<> write_rows(const std::filesystem::path& file) {
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  return sql->execute(fmt::format(
      "COPY (SELECT range AS ind, md5(CAST(range AS VARCHAR)) AS unique_id, 'Title ' || md5(CAST(range + 1 AS "
      "VARCHAR)) AS "
      "title, repeat('words of a description ', 4) || range AS description, range * 7 AS follower_count, 'User ' || "
      "range % 50 AS poster_name, repeat('tag,', 9) AS tag_list, 'image' AS is_image_or_video, "
      "'https://example.com/' || md5(CAST(range AS VARCHAR)) AS image_src, '/data/art' AS save_location, "
      "['art', 'travel', 'quotes', 'beauty'][1 + range % 4] AS category FROM range({})) TO {} (FORMAT parquet)",
      kRows, sql::quote_text(file.string())));
}

Result<> commits(object::Store& store, const std::string& table, int64_t count, int64_t every) {
  const auto local = store.staging() / "rows.parquet";
  if (auto written = write_rows(local); !written) return written;
  const auto bytes = read_file(local);
  if (!bytes) return pass(bytes.error());
  auto file = describe_file(local, new_file_name(), kColumns);
  if (!file) return pass(file.error());
  auto writer = TableWriter::open(store, {table, kColumns, "bench", {}});
  if (!writer) return pass(writer.error());
  UpkeepOptions options;
  options.look_every_ms = 0;
  options.fold = options.clean = options.vacuum = false;
  Upkeep upkeep(store, table, options);
  const bool files = !store.url().starts_with("s3://");
  JsonWriter json;
  json.begin_object().key("commits").begin_array();
  std::vector<double> times;
  double cpu = 0, upkeep_cpu = 0, upkeep_seconds = 0;
  for (int64_t i = 0; i < count; ++i) {
    file->path = new_file_name();
    if (files) {
      if (auto put = store.put_if_absent(table + "/" + file->path, *bytes); !put) return put;
    }
    const double before = cpu_seconds();
    const Stopwatch clock;
    const auto committed = (*writer)->append({i, {*file}, {}});
    if (!committed) return pass(committed.error());
    times.push_back(clock.seconds());
    cpu += cpu_seconds() - before;
    const int64_t made = i + 1;
    if (made == 10 || made == 100 || made == 1'000 || made == 10'000 || made == count) {
      std::ranges::sort(times);  // of the last ones, a hundred at most
      json.begin_object().key("version").number(i).key("median_ms").number(times[times.size() / 2] * 1e3);
      json.key("p99_ms").number(times[times.size() * 99 / 100] * 1e3);
      json.key("cpu_us").number(cpu / static_cast<double>(times.size()) * 1e6).end_object();
    }
    if (times.size() >= 100 || made == 10) times.clear(), cpu = 0;
    if (made % every != 0) continue;
    const double upkeep_before = cpu_seconds();
    const Stopwatch upkeep_clock;
    const auto step = upkeep.step();
    if (!step) return pass(step.error());
    upkeep_cpu += cpu_seconds() - upkeep_before;
    upkeep_seconds += upkeep_clock.seconds();
  }
  json.end_array();
  int64_t log = 0, checkpoints = 0, checkpoint_bytes = 0;
  const auto objects = store.list(log_folder(table));
  if (!objects) return pass(objects.error());
  for (const object::ObjectInfo& object : *objects) {
    if (object.name.ends_with(".json")) log += object.size;
    if (!object.name.ends_with(".checkpoint.parquet")) continue;
    ++checkpoints;
    checkpoint_bytes += object.size;
  }
  json.key("log_bytes").number(log).key("checkpoints").number(checkpoints);
  json.key("checkpoint_bytes").number(checkpoint_bytes);
  json.key("upkeep_seconds").number(upkeep_seconds).key("upkeep_cpu_seconds").number(upkeep_cpu);
  std::puts(json.end_object().text().c_str());
  return {};
}

Result<> read(object::Store& store, const std::string& table) {
  JsonWriter json;
  const Stopwatch clock;
  const auto snapshot = read_snapshot(store, table);
  if (!snapshot) return pass(snapshot.error());
  json.begin_object().key("version").number(snapshot->version);
  json.key("files").number(static_cast<int64_t>(snapshot->files.size()));
  json.key("snapshot_seconds").number(clock.seconds());
  const Stopwatch open_clock;
  auto writer = TableWriter::open(store, {table, kColumns, "bench", {}});
  if (!writer) return pass(writer.error());
  json.key("open_writer_seconds").number(open_clock.seconds());
  const Stopwatch fetch_clock;
  std::vector<object::Prefetch::Wanted> wanted;
  for (const DataFile& file : snapshot->files) wanted.push_back({table + "/" + file.path, file.size});
  const auto files = object::fetch_all(store, std::move(wanted));
  if (!files) return pass(files.error());
  std::vector<std::filesystem::path> paths;
  for (const object::LocalFile& file : *files) paths.push_back(file.path());
  const auto groups = group_files(kColumns, snapshot->files, paths);
  if (!groups) return pass(groups.error());
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  if (auto made = sql->execute("CREATE VIEW t AS SELECT * FROM " + scan_sql(kColumns, *groups)); !made) return made;
  json.key("view_seconds").number(fetch_clock.seconds());
  for (const auto& [name, text] : {std::pair{"count_seconds", "SELECT count(*) FROM t"},
                                   std::pair{"group_seconds", "SELECT category, max(follower_count) FROM t GROUP BY 1"},
                                   std::pair{"text_seconds", "SELECT max(length(title || description)) FROM t"}}) {
    const Stopwatch query;
    const auto rows = sql->query(text);
    if (!rows) return pass(rows.error());
    json.key(name).number(query.seconds());
  }
  json.key("cpu_seconds").number(cpu_seconds());
  std::puts(json.end_object().text().c_str());
  return {};
}

Result<> fold_all(object::Store& store, const std::string& table) {
  UpkeepOptions options;
  options.fold_before_ms = now_ms() + 1;
  options.clean = options.vacuum = false;
  const Stopwatch clock;
  const auto report = maintain(store, table, options);
  if (!report) return pass(report.error());
  JsonWriter json;
  json.begin_object().key("files").number(report->files_folded).key("into").number(report->files_made);
  json.key("bytes").number(report->bytes_folded).key("seconds").number(clock.seconds());
  std::puts(json.key("cpu_seconds").number(cpu_seconds()).end_object().text().c_str());
  return {};
}

Result<> run(const std::vector<std::string>& words) {
  if (words.size() < 3) return invalid("usage: table_bench commits|read|fold ROOT TABLE …");
  const auto store = open_store(words[1]);
  if (!store) return pass(store.error());
  if (words[0] == "commits" && words.size() == 5)
    return commits(**store, words[2], std::stoll(words[3]), std::stoll(words[4]));
  if (words[0] == "read") return read(**store, words[2]);
  if (words[0] == "fold") return fold_all(**store, words[2]);
  return invalid("table_bench: no such command: {}", words[0]);
}

}  // namespace
}  // namespace pinflow::delta

int main(int argc, char** argv) {
  const auto done = pinflow::delta::run(std::vector<std::string>(argv + 1, argv + argc));
  if (done) return 0;
  std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return 1;
}
