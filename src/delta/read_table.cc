#include <algorithm>

#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/table.h"

namespace pinflow::delta {
namespace {

Result<LogListing> list_log(object::Store& store, const std::string& table,
                            std::optional<int64_t> from = std::nullopt) {
  const auto objects = store.list(log_folder(table), from ? before_version(table, *from) : std::string());
  if (!objects) return pass(objects.error(), "listing the log of {}", table);
  return sort_listing(table, *objects);
}

// The version that _last_checkpoint names. A hint that is missing, broken or unreadable is none.
std::optional<int64_t> read_hint(object::Store& store, const std::string& table) {
  const auto text = store.get(hint_name(table));
  return text ? parse_hint(*text) : std::nullopt;
}

bool has_checkpoint_up_to(const LogListing& listing, int64_t version) {
  return !listing.checkpoints.empty() && listing.checkpoints.begin()->first <= version;
}

// The part of the log that is needed, by the hint where it holds; else all of it.
Result<LogListing> find_log(object::Store& store, const std::string& table, std::optional<int64_t> target) {
  const auto hint = read_hint(store, table);
  if (hint && (!target || *hint <= *target)) {
    auto listing = list_log(store, table, hint);
    if (!listing) return listing;
    if (has_checkpoint_up_to(*listing, target.value_or(listing->newest()))) return listing;
  }
  return list_log(store, table);
}

// The newest checkpoint up to `target` that can be read, replayed; an empty replay where there is none.
Result<std::pair<Replay, int64_t>> start_of(object::Store& store, const std::string& table, const LogListing& listing,
                                            int64_t target) {
  for (auto at = listing.checkpoints.upper_bound(target); at != listing.checkpoints.begin();) {
    --at;
    auto actions = read_checkpoint(store, at->second);
    if (!actions) {
      if (actions.error().code == Code::unsupported) return pass(actions.error());
      const std::string& message = actions.error().message;  // its first line: the engine quotes the query below it
      warn("delta: the checkpoint of {} at version {} cannot be read and is passed over: {}", table, at->first,
           message.substr(0, message.find('\n')));
      continue;
    }
    const auto commit = listing.commits.find(at->first);
    const int64_t time =
        commit != listing.commits.end() ? commit->second.modified_ms : listing.checkpoint_times.at(at->first);
    Replay replay;
    replay.apply_checkpoint(at->first, std::move(*actions), time);
    return std::pair(std::move(replay), at->first);
  }
  return std::pair(Replay(), int64_t{-1});
}

// Applies the commits after `version` up to `target`. A listing may have missed a file that came while it was made, so
// each one is asked for by its name.
Result<> apply_commits(object::Store& store, const std::string& table, const LogListing& listing, Replay& replay,
                       int64_t version, int64_t target) {
  while (version < target) {
    ++version;
    const std::string name = commit_name(table, version);
    const auto bytes = store.get(name);
    if (!bytes && bytes.error().code == Code::not_found) {
      if (listing.has_v2_checkpoint)
        return unsupported("{} needs the Delta feature 'v2Checkpoint' to be read, which this program does not have",
                           table);
      return corrupt("the log of {} has a hole: version {} of {} is missing, and no checkpoint after it can be read",
                     table, version, target);
    }
    if (!bytes) return pass(bytes.error(), "reading {}", name);
    auto actions = parse_actions(*bytes, name);
    if (!actions) return pass(actions.error());
    const auto listed = listing.commits.find(version);
    replay.apply(version, std::move(*actions), listed == listing.commits.end() ? 0 : listed->second.modified_ms);
  }
  return {};
}

Result<Snapshot> replay_log(object::Store& store, const std::string& table, const LogListing& listing, int64_t target) {
  auto start = start_of(store, table, listing, target);
  if (!start) return pass(start.error());
  auto& [replay, version] = *start;
  if (auto applied = apply_commits(store, table, listing, replay, version, target); !applied)
    return pass(applied.error());
  return std::move(replay).finish(table);
}

Result<Snapshot> read_at(object::Store& store, const std::string& table, std::optional<int64_t> wanted) {
  auto listing = find_log(store, table, wanted);
  if (!listing) return pass(listing.error());
  if (listing->empty()) return not_found("there is no Delta table at {}/{}", store.url(), table);
  const int64_t target = wanted.value_or(listing->newest());
  if (target < 0 || target > listing->newest()) {
    return not_found("{} has no version {}; its newest is {}", table, target, listing->newest());
  }
  auto snapshot = replay_log(store, table, *listing, target);
  if (snapshot || snapshot.error().code != Code::corrupt) return snapshot;
  // The hint's part of the log would not do: an older checkpoint, or the commits from the first on, may.
  const auto whole = list_log(store, table);
  if (!whole) return pass(whole.error());
  return replay_log(store, table, *whole, wanted.value_or(whole->newest()));
}

}  // namespace

Result<Snapshot> read_snapshot(object::Store& store, const std::string& table) {
  return read_at(store, table, std::nullopt);
}

Result<Snapshot> read_snapshot(object::Store& store, const std::string& table, int64_t version) {
  return read_at(store, table, version);
}

Result<Snapshot> refresh(object::Store& store, const std::string& table, const Snapshot& base) {
  const auto listing = list_log(store, table, base.version);
  if (!listing) return pass(listing.error());
  // Where the base's own commit is gone, the log was cleaned or the table made anew: from the start.
  if (!listing->commits.contains(base.version)) return read_snapshot(store, table);
  Replay replay(base);
  const int64_t newest = listing->commits.rbegin()->first;
  if (newest > base.version && !listing->commits.contains(base.version + 1)) return read_snapshot(store, table);
  if (auto applied = apply_commits(store, table, *listing, replay, base.version, newest); !applied)
    return pass(applied.error());
  auto snapshot = std::move(replay).finish(table);
  if (snapshot && !listing->checkpoints.empty()) {
    snapshot->checkpoint_version = std::max(snapshot->checkpoint_version, listing->checkpoints.rbegin()->first);
  }
  return snapshot;
}

}  // namespace pinflow::delta
