#include "delta/test_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "delta/log_names.h"
#include "sql/duckdb.h"

namespace pinflow::delta {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "pinflow-delta-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void make_parquet(const std::filesystem::path& path, const std::string& select) {
  const auto database = sql::Database::open({});
  ASSERT_TRUE(database) << database.error().message;
  auto connection = (*database)->connect();
  ASSERT_TRUE(connection) << connection.error().message;
  const auto made =
      connection->execute(fmt::format("COPY ({}) TO {} (FORMAT parquet)", select, sql::quote_text(path.string())));
  ASSERT_TRUE(made) << made.error().message;
}

std::vector<Column> two_columns() { return {{"id", "long"}, {"name", "string"}}; }

DataFile file_named(const std::string& path, int64_t records) {
  DataFile file;
  file.path = path;
  file.size = 100;
  file.modification_ms = now_ms();
  file.records = records;
  file.stats_json = fmt::format(R"({{"numRecords":{}}})", records);
  file.held_against = schema_mark(two_columns());
  return file;
}

Append append_of(const std::string& table, const std::string& path, int64_t txn_version, const std::string& app_id) {
  Append append;
  append.table = table;
  append.columns = two_columns();
  append.files = {file_named(path)};
  append.txn = {app_id, txn_version};
  return append;
}

void put_commit(object::Store& store, const std::string& table, int64_t version, std::string lines) {
  std::ranges::replace(lines, '\'', '"');
  const auto put = store.put_if_absent(commit_name(table, version), lines);
  ASSERT_TRUE(put) << put.error().message;
}

std::string first_lines() {
  return "{'protocol':{'minReaderVersion':1,'minWriterVersion':2}}\n"
         R"({'metaData':{'id':'7a0c9d0e-0000-4000-8000-000000000000','format':{'provider':'parquet','options':{}},)"
         R"('schemaString':'{\'type\':\'struct\',\'fields\':[{\'name\':\'id\',\'type\':\'long\',\'nullable\':true,\'metadata\':{}},)"
         R"({\'name\':\'name\',\'type\':\'string\',\'nullable\':true,\'metadata\':{}}]}','partitionColumns':[],'configuration':{}}})"
         "\n";
}

std::vector<std::string> paths_of(const std::vector<DataFile>& files) {
  std::vector<std::string> paths;
  for (const DataFile& file : files) paths.push_back(file.path);
  return paths;
}

}  // namespace pinflow::delta
