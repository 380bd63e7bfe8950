// The state of a table at one version: the log's actions replayed in order (PROTOCOL.md, "Action Reconciliation").
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "delta/actions.h"

namespace pinflow::delta {

struct Snapshot {
  int64_t version = -1;
  Protocol protocol;
  Metadata metadata;
  // In the order in which their rows were added: a file of a commit that changes no data is where the last of those
  // stood that the commit removed.
  std::vector<DataFile> files;
  std::map<std::string, Txn, std::less<>> txns;  // by appId
  std::vector<Removed> tombstones;
  int64_t timestamp_ms = 0;         // of the version's commit
  int64_t checkpoint_version = -1;  // the newest checkpoint known; -1 where there is none
  int64_t checkpoint_bytes = 0;     // its size
  int64_t log_bytes = 0;            // of the commits after it

  // Of the schema in `metadata`, which was checked when the snapshot was made.
  std::vector<Column> columns() const;

  // Rows of all files; -1 where the stats of one do not say.
  int64_t records() const;
  int64_t bytes() const;

  // The last version that `app_id` committed; -1 where there is none.
  int64_t txn_version(std::string_view app_id) const;
};

// The files of `now` that `before` has not, in order: what others added meanwhile.
std::vector<DataFile> added_since(const Snapshot& before, const Snapshot& now);

// Replays commits onto a snapshot, one after another. Used by one thread.
class Replay {
 public:
  Replay() = default;              // of an empty log
  explicit Replay(Snapshot from);  // of a snapshot; goes on after its version

  // Applies the actions of version `version`, a checkpoint's where it is the first. A bug where it is not the next one.
  void apply(int64_t version, Actions actions, int64_t file_time_ms);
  void apply_checkpoint(int64_t version, Actions actions, int64_t file_time_ms);

  // corrupt where no protocol or no metaData was seen, or the schema is none; unsupported where we cannot read the
  // table. `table` is for messages.
  Result<Snapshot> finish(std::string_view table) &&;

 private:
  void add(DataFile file, std::vector<size_t>& left);
  void remove(Removed removed, std::vector<size_t>& left);

  Snapshot state_;
  bool has_protocol_ = false;
  bool has_metadata_ = false;
  std::vector<bool> gone_;                          // beside state_.files
  std::unordered_map<std::string, size_t> places_;  // path to its place in state_.files
  std::unordered_map<std::string, Removed> tombstones_;
};

}  // namespace pinflow::delta
