// Delta tables in an object store: read at a version, append with a transaction id. The log's rules are PROTOCOL.md's
// of delta-io/delta, for tables of reader version 1 and writer version 2; others are refused by name.
//
//   <table>/_delta_log/00000000000000000007.json                 a commit: lines of actions, put if absent
//   <table>/_delta_log/00000000000000000007.checkpoint.parquet   everything up to it
//   <table>/_delta_log/_last_checkpoint                          a hint
//   <table>/part-00000-<uuid>.parquet                            rows
//
// Thread-safe (no state but the store's); any number of processes may append to the same table.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "delta/snapshot.h"
#include "object/store.h"

namespace pinflow::delta {

// The newest version, or the one asked for. `table` is the folder in the store: "tables/pin". not_found where there is
// no table or no such version; corrupt where the log has a hole; unsupported where the table needs what we cannot do.
Result<Snapshot> read_snapshot(object::Store& store, const std::string& table);
Result<Snapshot> read_snapshot(object::Store& store, const std::string& table, int64_t version);

// The newest version, reading only the commits after `base`.
Result<Snapshot> refresh(object::Store& store, const std::string& table, const Snapshot& base);

// One commit that adds files.
struct Append {
  std::string table;            // "tables/pin"
  std::vector<Column> columns;  // the table is made with these where there is none; else they must be the table's
  std::vector<DataFile> files;  // of put_data_file; may be empty: the txn alone is then committed
  Txn txn;                      // app_id and version; last_updated is set here
  std::string commit_info;      // a JSON object whose members go into commitInfo: our counts; empty for none

  // Set where the files depend on what the table held (repeats were looked up): a commit of others that adds files
  // is then handed back as raced. Else losing a race only means the next version.
  bool has_read = false;

  // What was read before; nothing where there was no table. With has_read this is what was looked at.
  std::optional<Snapshot> base;
};

struct Outcome {
  enum class Kind {
    committed,     // by this call, as `version`
    already_done,  // the table's txn of this app is at or beyond ours: throw the files away. Nothing was written
    raced,         // others added files since `base` (has_read): do it again against added_since(base, snapshot)
  };
  Kind kind = Kind::committed;
  int64_t version = -1;  // of `snapshot`
  Snapshot snapshot;     // the table after the commit, or as it was found
};

// Commits at the next version, by put_if_absent of its log entry; a lost answer is found out by reading the entry back
// (commitInfo.txnId). When it returns committed, the commit is durable. After it, now and then, a checkpoint is
// written; failing at that is only a warning. Errors: invalid (the columns are not the table's, a file is given twice),
// unsupported (protocol, partitions, invariants), conflict (the table's schema or protocol changed meanwhile, or
// kMaxRaces commits of others in a row), unavailable (kMaxTries).
Result<Outcome> append(object::Store& store, const Append& append);

inline constexpr int kMaxRaces = 1000;  // lost in one append
inline constexpr int kMaxTries = 6;     // of one put whose answer was lost, with back-off from 20 ms to 1 s

// Tables below a folder of the store ("tables"), by name: folders that have a _delta_log.
Result<std::vector<std::string>> list_tables(object::Store& store, const std::string& folder);

// One line of a table's history, from commitInfo.
struct HistoryEntry {
  int64_t version = 0;
  int64_t timestamp_ms = 0;
  std::string operation;    // "WRITE"; empty where the commit does not say
  std::string commit_info;  // the whole JSON object; empty where there is none
  int64_t files_added = 0;
  int64_t files_removed = 0;
  int64_t records_added = -1;  // -1 where the stats do not say
  std::vector<Txn> txns;
};

// The newest `limit` commits that the log still holds, newest first.
Result<std::vector<HistoryEntry>> history(object::Store& store, const std::string& table, size_t limit);

}  // namespace pinflow::delta
