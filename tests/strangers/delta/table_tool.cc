// Writes and reads Delta tables by the room `delta`, for the tests in which other programs read and write them too.
//
//   table_tool write ROOT TABLE FIRST COMMITS ROWS   appends COMMITS commits of ROWS rows each; row FIRST is the first
//   table_tool widen ROOT TABLE FIRST COMMITS ROWS   the same with a column `extra` at the end: extra = 'e<i>'
//   table_tool show ROOT TABLE [VERSION]             one JSON value: version, rows, schema, files, txns
//   table_tool fold ROOT TABLE                       folds all small files; how many
//   table_tool race ROOT TABLE APP FIRST COMMITS     a commit of one row each by an open table, rows FIRST, FIRST + 1,
//   …,
//                                                    as fast as it can; the versions and the races that were lost
//   table_tool commits ROOT TABLE COUNT              commits of one and the same file's bytes under new names, without
//                                                    its rows being made again; seconds of each hundredth
//
// ROOT is a folder or s3://BUCKET/PREFIX, with the endpoint in AWS_ENDPOINT_URL_S3 and keys in the environment.
// Row i is: id = i, n = i % 1000 (null for each seventh), name = 'name-<i> é', score = i / 8, made = 2020-01-01 + i
// seconds, spots = [i + 0.5, -i], flag = (i is even), day = 2020-01-01 + i % 365 days.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "aws/default_credentials.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "delta/data_file.h"
#include "delta/table.h"
#include "delta/upkeep.h"
#include "delta/writer.h"
#include "object/directory_store.h"
#include "object/s3_store.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

const std::vector<Column> kColumns = {{"id", "long"},      {"n", "integer"},      {"name", "string"},
                                      {"score", "double"}, {"made", "timestamp"}, {"spots", "array<double>"},
                                      {"flag", "boolean"}, {"day", "date"}};

std::vector<Column> columns_of(bool wide) {
  std::vector<Column> columns = kColumns;
  if (wide) columns.push_back({"extra", "string"});
  return columns;
}

Result<std::unique_ptr<object::Store>> open_store(const std::string& root) {
  if (!root.starts_with("s3://")) return object::open_directory(root);
  auto options = object::parse_s3_url(root);
  if (!options) return pass(options.error());
  if (const char* endpoint = std::getenv("AWS_ENDPOINT_URL_S3")) options->endpoint = endpoint;
  if (const char* region = std::getenv("AWS_REGION")) options->region = region;
  options->path_style = true;
  options->spool = std::filesystem::temp_directory_path() / fmt::format("table-tool-{}", getpid());
  return object::open_s3(std::move(*options), aws::default_credentials());
}

Result<> write_rows(sql::Connection& sql, const std::filesystem::path& file, int64_t first, int64_t rows,
                    bool wide = false) {
  return sql.execute(fmt::format(
      "COPY (SELECT range AS id, CASE WHEN range % 7 <> 0 THEN CAST(range % 1000 AS INTEGER) END AS n, "
      "'name-' || range || ' é' AS name, "
      "range / 8 AS score, TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds(range) AS made, "
      "[CAST(range + 0.5 AS DOUBLE), CAST(-range AS DOUBLE)] AS spots, range % 2 = 0 AS flag, "
      "DATE '2020-01-01' + CAST(range % 365 AS INTEGER) AS day{} FROM range({}, {})) TO {} (FORMAT parquet)",
      wide ? ", 'e' || range AS extra" : "", first, first + rows, sql::quote_text(file.string())));
}

Result<> write(object::Store& store, const std::string& table, int64_t first, int64_t commits, int64_t rows,
               bool wide) {
  const std::vector<Column> columns = columns_of(wide);
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  std::optional<Snapshot> base;
  for (int64_t i = 0; i < commits; ++i) {
    const auto local = store.staging() / "rows.parquet";
    if (auto written = write_rows(*sql, local, first + i * rows, rows, wide); !written) return written;
    auto file = put_data_file(store, table, local, columns);
    if (!file) return pass(file.error());
    Append request;
    request.table = table;
    request.columns = columns;
    request.files = {std::move(*file)};
    request.txn = {"table_tool", first + i * rows};
    request.commit_info = R"({"pinflow":{"rows":)" + std::to_string(rows) + "}}";
    request.base = std::move(base);
    auto outcome = append(store, request);
    if (!outcome) return pass(outcome.error());
    base = std::move(outcome->snapshot);
  }
  return {};
}

Result<> show(object::Store& store, const std::string& table, const char* version) {
  const auto snapshot = version ? read_snapshot(store, table, std::atoll(version)) : read_snapshot(store, table);
  if (!snapshot) return pass(snapshot.error());
  JsonWriter json;
  json.begin_object().key("version").number(snapshot->version).key("checkpoint").number(snapshot->checkpoint_version);
  json.key("records").number(snapshot->records());
  json.key("columns").begin_object();
  for (const Column& column : snapshot->columns()) json.key(column.name).string(column.type);
  json.end_object().key("files").begin_array();
  for (const DataFile& file : snapshot->files) json.string(file.path);
  json.end_array().key("txns").begin_object();
  for (const auto& [app, txn] : snapshot->txns) json.key(app).number(txn.version);
  json.end_object().end_object();
  std::puts(json.text().c_str());
  return {};
}

Result<> fold_all(object::Store& store, const std::string& table) {
  UpkeepOptions options;
  options.fold_before_ms = now_ms() + 1;
  options.fold_least_files = 2;
  const auto report = maintain(store, table, options);
  if (!report) return pass(report.error());
  std::puts(fmt::format("{}", report->files_folded).c_str());
  return {};
}

Result<> race(object::Store& store, const std::string& table, const std::string& app, int64_t first, int64_t commits) {
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  auto writer = TableWriter::open(store, {table, kColumns, app, {}});
  if (!writer) return pass(writer.error());
  JsonWriter json;
  json.begin_array();
  for (int64_t i = 0; i < commits; ++i) {
    const auto local = store.staging() / fmt::format("rows-{}.parquet", app);
    if (auto written = write_rows(*sql, local, first + i, 1); !written) return written;
    auto file = put_data_file(store, table, local, kColumns);
    if (!file) return pass(file.error());
    const auto committed = (*writer)->append({i, {std::move(*file)}, {}});
    if (!committed) return pass(committed.error());
    if (committed->kind != Committed::Kind::committed) return invalid("the txn {} of {} was there already", i, app);
    json.begin_array().number(committed->version).number(int64_t{committed->races}).end_array();
  }
  std::puts(json.end_array().text().c_str());
  return {};
}

Result<> commits(object::Store& store, const std::string& table, int64_t count) {
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  const auto local = store.staging() / "rows.parquet";
  if (auto written = write_rows(*sql, local, 0, 10); !written) return written;
  const auto bytes = read_file(local);
  if (!bytes) return pass(bytes.error());
  auto file = describe_file(local, new_file_name(), kColumns);
  if (!file) return pass(file.error());
  auto writer = TableWriter::open(store, {table, kColumns, "commits", {}});
  if (!writer) return pass(writer.error());
  double seconds = 0;
  for (int64_t i = 1; i <= count; ++i) {
    file->path = new_file_name();
    if (auto put = store.put_if_absent(table + "/" + file->path, *bytes); !put) return put;
    const Stopwatch clock;
    const auto committed = (*writer)->append({(*writer)->txn_version() + 1, {*file}, {}});
    if (!committed) return pass(committed.error());
    seconds += clock.seconds();
    if (i % 100 == 0) {
      std::puts(fmt::format("version {}: {:.3f} ms a commit", committed->version, seconds * 10).c_str());
      seconds = 0;
    }
  }
  return {};
}

Result<> run(const std::vector<std::string>& words) {
  if (words.size() < 3) return invalid("usage: table_tool COMMAND ROOT TABLE …");
  const auto store = open_store(words[1]);
  if (!store) return pass(store.error());
  const std::string &command = words[0], &table = words[2];
  const auto number = [&](size_t i) { return std::stoll(words[i]); };
  if (command == "show") return show(**store, table, words.size() > 3 ? words[3].c_str() : nullptr);
  if (command == "fold") return fold_all(**store, table);
  if ((command == "write" || command == "widen") && words.size() == 6)
    return write(**store, table, number(3), number(4), number(5), command == "widen");
  if (command == "race" && words.size() == 6) return race(**store, table, words[3], number(4), number(5));
  if (command == "commits" && words.size() == 4) return commits(**store, table, number(3));
  return invalid("table_tool: no such command, or of another number of words: {}", command);
}

}  // namespace
}  // namespace pinflow::delta

int main(int argc, char** argv) {
  const auto done = pinflow::delta::run(std::vector<std::string>(argv + 1, argv + argc));
  if (done) return 0;
  std::fprintf(stderr, "%s: %s\n", std::string(pinflow::name_of(done.error().code)).c_str(),
               done.error().message.c_str());
  return 1;
}
