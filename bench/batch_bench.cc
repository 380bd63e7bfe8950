// What bench/batch.py drives: the batch from the objects in LAKE to tables and answers, once; or the same work as one
// would do it by hand in DuckDB. One JSON object on standard output.
//   batch_bench LAKE PIPELINE MEMORY_MB
//   batch_bench LAKE PIPELINE MEMORY_MB by_hand.sql OUT
#include <cstdlib>
#include <iostream>
#include <string>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "lake/batch.h"
#include "object/directory_store.h"
#include "pipeline/load.h"
#include "sql/duckdb.h"

namespace {

using namespace pinflow;

Result<std::string> batch(const std::string& lake, const pipeline::Pipeline& pipeline, int64_t memory) {
  const auto store = object::open_directory(lake);
  if (!store) return pass(store.error());
  lake::BatchOptions options;
  options.memory_bytes = memory;
  const auto report = lake::run_batch(pipeline, **store, options);
  if (!report) return pass(report.error());
  JsonWriter json;
  json.begin_object().key("plans").number(static_cast<int64_t>(report->plans.size()));
  json.key("seconds").begin_object();
  for (const auto& [step, seconds] : report->seconds) json.key(step).number(seconds);
  json.end_object().key("tables").begin_object();
  for (const auto& record : report->records) json.key(record.table).number(record.after);
  json.end_object().end_object();
  return json.take();
}

void replace(std::string& text, const std::string& word, const std::string& by) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

Result<std::string> by_hand(const std::string& lake, const pipeline::Pipeline& pipeline, int64_t memory,
                            const std::string& script, const std::string& out) {
  auto sql = read_file(script);
  if (!sql) return pass(sql.error());
  replace(*sql, "LAKE", lake);
  replace(*sql, "OUT", out);
  auto database = sql::Database::open({memory, 0, out + "/spilled"});
  if (!database) return pass(database.error());
  auto connection = (*database)->connect();
  if (!connection) return pass(connection.error());
  JsonWriter json;
  const Stopwatch writing;
  if (auto done = connection->execute(*sql, {script}); !done) return pass(done.error());
  json.begin_object().key("seconds").begin_object().key("tables").number(writing.seconds());
  const Stopwatch asking;
  for (const pipeline::Query& query : pipeline.queries) {
    if (auto rows = connection->query(query.sql.text, {query.sql.file.string()}); !rows) return pass(rows.error());
  }
  json.key("answers").number(asking.seconds()).end_object().end_object();
  return json.take();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) {
    std::cerr << "batch_bench LAKE PIPELINE MEMORY_MB [by_hand.sql OUT]\n";
    return 2;
  }
  const auto pipeline = pipeline::load(argv[2]);
  if (!pipeline) return std::cerr << pipeline.error().message << "\n", 1;
  const int64_t memory = std::strtoll(argv[3], nullptr, 10) << 20;
  const auto json =
      argc == 4 ? batch(argv[1], *pipeline, memory) : by_hand(argv[1], *pipeline, memory, argv[4], argv[5]);
  if (!json) return std::cerr << json.error().message << "\n", 1;
  std::cout << *json << "\n";
  return 0;
}
