// What every commit of this room is made of: its commitInfo, the put of its entry, the wait after a lost race.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "object/store.h"

namespace pinflow::delta {

// commitInfo as other programs read it.
struct CommitInfo {
  int64_t timestamp_ms = 0;
  std::string operation;                                        // "WRITE", "OPTIMIZE"
  std::vector<std::pair<std::string, std::string>> parameters;  // values are texts
  int64_t read_version = -1;                                    // -1: there was no table
  bool blind = true;
  std::vector<std::pair<std::string, int64_t>> metrics;
  std::string id;       // txnId: by it a commit is known again
  std::string members;  // of a JSON object, put at the end; empty for none
};
std::string write_commit_info(const CommitInfo& info);

// Of an append of these files.
CommitInfo append_info(const std::vector<DataFile>& files, bool blind, int64_t read_version, const std::string& members,
                       std::string id, int64_t timestamp_ms);

// A commit's time is never before that of the one before it, so that a time tells a version.
int64_t next_timestamp(int64_t before_ms);

// invalid where a file is given twice, was not held against the columns or is older than kOldestFileMs (vacuum.h), or
// where the commit information is no object.
Result<> check_files(std::string_view table, const std::vector<DataFile>& files, const std::vector<Column>& columns,
                     const Txn& txn, const std::string& commit_info);

// The metaData of a new table.
Result<Metadata> new_metadata(std::string_view table, const std::vector<Column>& columns);

// May we append files of these columns to the table? Its schema as the commit has to declare it where the columns have
// new ones at the end, empty where they are the table's.
Result<std::string> fit_columns(std::string_view table, const Protocol& protocol, const Metadata& metadata,
                                const std::vector<Column>& columns);

enum class Put { ours, others };

// Puts the entry, and finds out whose it is where the answer does not say. After a lost answer the same bytes are put
// under the same name again, never under the next one: the first put may still arrive.
Result<Put> put_entry(object::Store& store, const std::string& name, const std::string& bytes, const std::string& id);

// Among many writers, a wait at random lets one of them through instead of all of them lose. Who lost more often waits
// less, so that nobody starves. `put_ms`: what a put takes here.
void let_others_pass(int races, double put_ms);

}  // namespace pinflow::delta
