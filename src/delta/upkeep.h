// The upkeep of a table: checkpoints, folding of small files, clean-up of what is past its retention. Each step is one
// bounded piece of work and leaves a table that reads the same; a kill at any moment leaves at most litter that a later
// step removes. Any number of processes may append, read and keep up the same table meanwhile.
//
//   checkpoint   when the commits since the last one weigh as much as it does (and are 10 at least): all checkpoints
//                together then cost a constant share of the log
//   fold         small files into one, in a commit that changes no data (dataChange=false on both sides)
//   clean        old commits and checkpoints (delta.logRetentionDuration, 30 days by default), up to a checkpoint that
//                the oldest version kept begins with
//   vacuum       files that were removed from the table longer than delta.deletedFileRetentionDuration ago (7 days by
//                default), and files that no commit ever named and that are older than that and than a day
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "object/store.h"

namespace pinflow::delta {

struct UpkeepOptions {
  bool checkpoint = true, fold = true, clean = true, vacuum = true;

  int64_t look_every_ms = 10'000;      // a step that comes sooner answers at once that there is nothing to do
  int64_t clean_every_ms = 3'600'000;  // so often the log and the folder are looked through for what is too old

  int64_t fold_before_ms = -1;          // files older than this; -1: than the hour that has begun
  int64_t fold_below_bytes = 32 << 20;  // files smaller than this
  int64_t fold_bytes = 128 << 20;       // into files of at most so much
  int fold_least_files = 8;             // fewer are left
  bool fold_evenly = true;              // leave a file that weighs more than all smaller ones together
  int fold_most_files = 4'000;          // in one step

  int removals = 2'000;                      // of log entries and of files in one step
  std::optional<int64_t> log_retention_ms;   // instead of the table's own
  std::optional<int64_t> file_retention_ms;  // instead of the table's own, where it is shorter
  int64_t memory_bytes = 512 << 20;          // the engine's, for folding
};

struct UpkeepReport {
  int checkpoints = 0;
  int64_t files_folded = 0, files_made = 0, bytes_folded = 0;
  int64_t log_entries_removed = 0;
  int64_t files_removed = 0, bytes_removed = 0;
  bool more = false;  // there is more to do: call again

  bool nothing() const;
  UpkeepReport& operator+=(const UpkeepReport& other);
};

// Used by one thread at a time; the store outlives it.
class Upkeep {
 public:
  Upkeep(object::Store& store, std::string table, UpkeepOptions options = {});

  // The next piece of work, if it is time for one. At idle moments of a writer, or on a thread of its own: beside a
  // TableWriter on another thread it only costs that one an occasional lost race. unavailable, full and the like: what
  // was done stays done, and a later call goes on. A table that is not there is nothing to do.
  Result<UpkeepReport> step();

 private:
  Result<> work(int64_t now, UpkeepReport& report);
  Result<> fold_some(int64_t now, UpkeepReport& report);
  Result<> remove_some(int64_t now, UpkeepReport& report);

  object::Store& store_;
  const std::string table_;
  const UpkeepOptions options_;
  int64_t next_look_ms_ = 0, next_clean_ms_ = 0;
  int64_t folded_hour_ = -1;
};

// Steps until there is nothing more to do, or a stop is requested.
Result<UpkeepReport> maintain(object::Store& store, const std::string& table, UpkeepOptions options = {});

}  // namespace pinflow::delta
