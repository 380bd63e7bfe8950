// Writes and reads Delta tables by the room `delta`, for the tests in which other programs read and write them too.
//
//   table_tool write ROOT TABLE FIRST COMMITS ROWS   appends COMMITS commits of ROWS rows each; row FIRST is the first
//   table_tool show ROOT TABLE [VERSION]             one JSON value: version, rows, schema, files, txns
//
// Row i is: id = i, n = i % 1000 (null for each seventh), name = 'name-<i> é', score = i / 8, made = 2020-01-01 + i
// seconds, spots = [i + 0.5, -i], flag = (i is even), day = 2020-01-01 + i % 365 days.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/json.h"
#include "delta/data_file.h"
#include "delta/table.h"
#include "object/directory_store.h"
#include "sql/duckdb.h"

namespace pinflow::delta {
namespace {

const std::vector<Column> kColumns = {{"id", "long"},      {"n", "integer"},      {"name", "string"},
                                      {"score", "double"}, {"made", "timestamp"}, {"spots", "array<double>"},
                                      {"flag", "boolean"}, {"day", "date"}};

Result<> write_rows(sql::Connection& sql, const std::filesystem::path& file, int64_t first, int64_t rows) {
  return sql.execute(
      fmt::format("COPY (SELECT range AS id, CASE WHEN range % 7 <> 0 THEN CAST(range % 1000 AS INTEGER) END AS n, "
                  "'name-' || range || ' é' AS name, "
                  "range / 8 AS score, TIMESTAMPTZ '2020-01-01 00:00:00Z' + to_seconds(range) AS made, "
                  "[CAST(range + 0.5 AS DOUBLE), CAST(-range AS DOUBLE)] AS spots, range % 2 = 0 AS flag, "
                  "DATE '2020-01-01' + CAST(range % 365 AS INTEGER) AS day FROM range({}, {})) TO {} (FORMAT parquet)",
                  first, first + rows, sql::quote_text(file.string())));
}

Result<> write(object::Store& store, const std::string& table, int64_t first, int64_t commits, int64_t rows) {
  auto database = sql::Database::open({});
  if (!database) return pass(database.error());
  auto sql = (*database)->connect();
  if (!sql) return pass(sql.error());
  std::optional<Snapshot> base;
  for (int64_t i = 0; i < commits; ++i) {
    const auto local = store.staging() / "rows.parquet";
    if (auto written = write_rows(*sql, local, first + i * rows, rows); !written) return written;
    auto file = put_data_file(store, table, local, kColumns);
    if (!file) return pass(file.error());
    Append request;
    request.table = table;
    request.columns = kColumns;
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

Result<> run(const std::vector<std::string>& words) {
  if (words.size() < 3) return invalid("usage: table_tool write|show ROOT TABLE …");
  const auto store = object::open_directory(words[1]);
  if (!store) return pass(store.error());
  if (words[0] == "show") return show(**store, words[2], words.size() > 3 ? words[3].c_str() : nullptr);
  if (words[0] != "write" || words.size() != 6) return invalid("usage: table_tool write ROOT TABLE FIRST COMMITS ROWS");
  return write(**store, words[2], std::stoll(words[3]), std::stoll(words[4]), std::stoll(words[5]));
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
