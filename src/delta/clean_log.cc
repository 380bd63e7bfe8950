#include "delta/clean_log.h"

#include <algorithm>
#include <charconv>

#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/log_reader.h"

namespace pinflow::delta {
namespace {

// The newest version that was committed before `cutoff_ms`; -1 where there is none. A version counts as no older than
// those before it.
int64_t newest_before(const LogListing& listing, int64_t cutoff_ms) {
  int64_t time = 0, found = -1;
  for (const auto& [version, commit] : listing.commits) {
    time = std::max(time + 1, commit.modified_ms);
    if (time >= cutoff_ms) break;
    found = version;
  }
  return found;
}

// The newest checkpoint up to `version` that can be read and was itself written before the cutoff; -1: none.
int64_t checkpoint_to_begin_with(object::Store& store, const LogListing& listing, int64_t version, int64_t cutoff_ms) {
  for (auto at = listing.checkpoints.upper_bound(version); at != listing.checkpoints.begin();) {
    --at;
    if (listing.checkpoint_times.at(at->first) >= cutoff_ms) continue;
    const auto rules = read_checkpoint(store, at->second, true);
    if (rules && rules->protocol && rules->metadata) return at->first;
    warn("delta: the checkpoint {} cannot be read; no log entry before it is removed on its account",
         at->second.front());
  }
  return -1;
}

// Belongs to versions before `first` alone.
bool is_before(std::string_view name, int64_t first) {
  const LogFile file = parse_log_name(name);
  if (file.kind == LogFile::Kind::commit || file.kind == LogFile::Kind::checkpoint ||
      file.kind == LogFile::Kind::checkpoint_part)
    return file.version < first;
  constexpr size_t kDigits = 20;
  int64_t version = -1;
  if (name.size() != kDigits + 4 || !name.ends_with(".crc")) return false;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, version);
  return error == std::errc() && end == name.data() + kDigits && version < first;
}

}  // namespace

Result<LogCleaned> clean_log(object::Store& store, const std::string& table, int64_t retention_ms, int64_t now_ms,
                             int64_t most) {
  const auto objects = store.list(log_folder(table));
  if (!objects) return pass(objects.error(), "listing the log of {}", table);
  const LogListing listing = sort_listing(table, *objects);
  LogCleaned cleaned;
  if (listing.commits.empty() || listing.has_v2_checkpoint) return cleaned;
  cleaned.oldest = listing.commits.begin()->first;
  const int64_t cutoff_ms = now_ms - std::max(retention_ms, kLeastLogAgeMs);
  const int64_t before = newest_before(listing, cutoff_ms);
  const int64_t first = checkpoint_to_begin_with(store, listing, before, cutoff_ms);
  if (first < 0) return cleaned;
  if (const auto hint = store.get(hint_name(table)); hint && parse_hint(*hint).value_or(first) < first) {
    const auto put = store.put(hint_name(table), write_hint(first, 0, listing.checkpoint_bytes.at(first), 0));
    if (!put) return pass(put.error());
  }
  std::vector<std::string> names;
  for (const object::ObjectInfo& object : *objects) {  // by name: by version
    if (!is_before(std::string_view(object.name).substr(log_folder(table).size()), first)) continue;
    if (static_cast<int64_t>(names.size()) == most) {
      cleaned.more = true;
      break;
    }
    names.push_back(object.name);
  }
  if (auto removed = store.remove_all(names); !removed) return pass(removed.error(), "cleaning the log of {}", table);
  cleaned.removed = static_cast<int64_t>(names.size());
  if (!cleaned.more) cleaned.oldest = first;
  return cleaned;
}

}  // namespace pinflow::delta
