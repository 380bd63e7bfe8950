#include "delta/travel.h"

#include <algorithm>

#include "base/clock.h"
#include "delta/log_reader.h"

namespace pinflow::delta {
namespace {

Result<int64_t> time_of(object::Store& store, const LogListing& listing, int64_t version) {
  const auto commit = listing.commits.find(version);
  if (commit == listing.commits.end())
    return corrupt("the log has a hole: version {} is missing, and no checkpoint tells its time", version);
  const auto bytes = store.get(commit->second.name);
  if (!bytes) return pass(bytes.error(), "reading {}", commit->second.name);
  const auto actions = parse_actions(*bytes, commit->second.name);
  // The time of a commit that we cannot read otherwise is still its own.
  if (!actions && actions.error().code != Code::unsupported) return pass(actions.error());
  return actions ? actions->timestamp_ms().value_or(commit->second.modified_ms) : commit->second.modified_ms;
}

}  // namespace

Result<int64_t> version_at(object::Store& store, const std::string& table, int64_t at_ms) {
  const auto listing = list_log(store, table);
  if (!listing) return pass(listing.error());
  if (listing->commits.empty()) return not_found("there is no Delta table at {}/{}", store.url(), table);
  const int64_t first = std::max(listing->commits.begin()->first, listing->oldest());
  int64_t low = first, high = listing->commits.rbegin()->first;
  const auto begin = time_of(store, *listing, first);
  if (!begin) return pass(begin.error(), "{}", table);
  if (*begin > at_ms) {
    if (first == 0)
      return not_found("{} was made at {}: there is nothing of it at {}", table, iso_time(*begin), iso_time(at_ms));
    return not_found(
        "what {} held at {} was cleaned away; its log begins with version {} of {} (delta.logRetentionDuration says "
        "how long versions are kept)",
        table, iso_time(at_ms), first, iso_time(*begin));
  }
  while (high - low > kExactCommits) {
    const int64_t middle = low + (high - low) / 2;
    const auto time = time_of(store, *listing, middle);
    if (!time) return pass(time.error(), "{}", table);
    if (*time <= at_ms) low = middle;
    else high = middle;
  }
  int64_t latest = -1, found = low;
  for (int64_t version = low; version <= high; ++version) {
    const auto time = time_of(store, *listing, version);
    if (!time) return pass(time.error(), "{}", table);
    latest = std::max(latest + 1, *time);
    if (latest > at_ms) break;
    found = version;
  }
  return found;
}

}  // namespace pinflow::delta
