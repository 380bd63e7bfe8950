// Names in a table's _delta_log (PROTOCOL.md, "File Types"). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/store.h"

namespace pinflow::delta {

std::string log_folder(std::string_view table);                    // "tables/pin/_delta_log/"
std::string commit_name(std::string_view table, int64_t version);  // "tables/pin/_delta_log/00000000000000000007.json"
std::string checkpoint_name(std::string_view table, int64_t version);
std::string hint_name(std::string_view table);  // _last_checkpoint
// Less than every name of this version, and greater than those of lower ones: for Store::list's `after`.
std::string before_version(std::string_view table, int64_t version);

struct LogFile {
  enum class Kind { commit, checkpoint, checkpoint_part, checkpoint_v2, other } kind = Kind::other;
  int64_t version = -1;
  int64_t part = 0;  // of `parts`, from 1
  int64_t parts = 0;
};
// `name` without the folder.
LogFile parse_log_name(std::string_view name);

// What a log holds, by version.
struct LogListing {
  std::map<int64_t, object::ObjectInfo> commits;
  std::map<int64_t, std::vector<std::string>> checkpoints;  // whole ones: one name, or all the parts
  std::map<int64_t, int64_t> checkpoint_times;              // modified_ms
  std::map<int64_t, int64_t> checkpoint_bytes;
  bool has_v2_checkpoint = false;  // one of the feature v2Checkpoint

  bool empty() const { return commits.empty() && checkpoints.empty() && !has_v2_checkpoint; }
  int64_t newest() const;  // -1 where it is empty
  int64_t oldest() const;  // that can be read: commit 0, or the first whole checkpoint; -1 where there is none
};
LogListing sort_listing(std::string_view table, const std::vector<object::ObjectInfo>& objects);

}  // namespace pinflow::delta
