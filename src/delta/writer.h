// A table that is held open for appending, for writers that commit many times a second. It keeps what an append needs
// (version, protocol, schema, the transaction ids, the log's size; not the files) and finds what others committed by
// asking for the entries after its own, so that a commit costs one put-if-absent, at version 10 as at 36,000.
//
// Owned and used by one thread. Any number of writers, of any program, may work on the same table. Checkpoints, folding
// and clean-up are not done here but by Upkeep (upkeep.h), from any thread or process.
//
// Conflicts: an append depends on no row, so losing the race for a version only means to read the entries of others and
// to try the next one. It fails where one of them changed the protocol or the schema, or is of our own application.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "object/store.h"

namespace pinflow::delta {

struct LogListing;

struct WriterOptions {
  std::string table;            // "tables/pin_stream"
  std::vector<Column> columns;  // what the files hold
  std::string app_id;           // of the txn of each commit
  // Of the table, where this writer makes it: {"delta.logRetentionDuration", "interval 2 days"}, …
  std::map<std::string, std::string> properties;
};

struct Commit {
  int64_t txn_version = 0;      // greater than the last one
  std::vector<DataFile> files;  // of put_data_file with the same columns; may be empty: the txn alone is committed
  std::string commit_info;      // a JSON object whose members go into commitInfo; empty for none
};

struct Committed {
  enum class Kind {
    committed,     // by this call, as `version`, and durable
    already_done,  // the table's txn of our application is at or beyond ours: throw the files away
  };
  Kind kind = Kind::committed;
  int64_t version = -1;
  int races = 0;  // lost by this call
};

class TableWriter {
 public:
  // Reads the table's rules (a checkpoint's few rows that are no files, then the commits after it). Where there is no
  // table, the first append makes it. invalid where the columns are not the table's, and not the table's with new ones
  // at the end: the message names the column and what to do. New ones are added by the first append, in its own commit.
  static Result<std::unique_ptr<TableWriter>> open(object::Store& store, WriterOptions options);

  // One commit. Errors: invalid (the files, or the columns); conflict (protocol or schema were changed by others, or a
  // commit of our own application with a lower txn came meanwhile: another writer is at work; or kMaxRaces);
  // unavailable (no answer in kMaxTries: whether it was committed is found out by the same call again, or by the next
  // open, from txn_version()); full, denied. After conflict and unavailable, open anew.
  Result<Committed> append(const Commit& commit);

  // Reads what others committed.
  Result<> refresh();

  int64_t version() const { return version_; }  // -1: there is no table yet
  int64_t txn_version() const;                  // of our application; -1: none
  // The table's (metaData.id), as of version(); empty: there is no table yet.
  std::string table_id() const { return version_ < 0 ? "" : metadata_.id; }
  // Of any application, as of version().
  const std::map<std::string, Txn, std::less<>>& txns() const { return txns_; }

 private:
  TableWriter(object::Store& store, WriterOptions options);

  Result<> check(const Commit& commit) const;
  Result<> read_from_start();
  Result<> replay(const LogListing& listing);
  Result<int> read_on();
  Result<bool> still_there();
  Result<> catch_up(int64_t txn_wanted);
  Result<> fit();
  void take(int64_t version, const Actions& actions, int64_t file_time_ms);
  Result<Actions> actions_for(const Commit& commit, const std::string& id) const;

  object::Store& store_;
  const WriterOptions options_;
  int64_t version_ = -1;
  Protocol protocol_;
  Metadata metadata_;
  std::map<std::string, Txn, std::less<>> txns_;
  int64_t timestamp_ms_ = 0;  // of the version's commit: ours are never before it
  std::string widened_;       // the schema that the next commit declares; empty where the table's is ours
  int contended_ = 0;         // appends for which others are still expected to be at work
  int64_t seen_ms_ = 0;       // of the boot's clock: when the log was last seen to hold version_
  double put_ms_ = 1;         // what a put takes here
};

}  // namespace pinflow::delta
