// What the tests of this room share: a folder that goes away, Parquet files made by SQL, files of a table by number.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "delta/actions.h"
#include "delta/schema.h"
#include "delta/table.h"
#include "object/store.h"

namespace pinflow::delta {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The rows of a SELECT as a Parquet file.
void make_parquet(const std::filesystem::path& path, const std::string& select);

// The columns of the tables in these tests: id long, name string.
std::vector<Column> two_columns();

// A file of such a table that is only in the log: no bytes stand behind it.
DataFile file_named(const std::string& path, int64_t records = 1);

// An append of one such file.
Append append_of(const std::string& table, const std::string& path, int64_t txn_version,
                 const std::string& app_id = "app");

// Puts a commit whose lines are written by hand; quotes are written as ' and turned.
void put_commit(object::Store& store, const std::string& table, int64_t version, std::string lines);

// protocol and metaData of such a table, in that notation.
std::string first_lines();

std::vector<std::string> paths_of(const std::vector<DataFile>& files);

}  // namespace pinflow::delta
