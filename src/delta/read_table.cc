#include <algorithm>

#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/log_names.h"
#include "delta/log_reader.h"
#include "delta/table.h"

namespace pinflow::delta {
namespace {

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

// Applies the commits after `version` up to `target`; their bytes are added.
Result<> apply_commits(object::Store& store, const std::string& table, const LogListing& listing, Replay& replay,
                       int64_t version, int64_t target, int64_t& bytes) {
  return read_commits(store, table, listing, version + 1, target, [&](ReadCommit commit) -> Result<> {
    bytes += commit.bytes;
    replay.apply(commit.version, std::move(commit.actions), commit.file_time_ms);
    return {};
  });
}

Result<Snapshot> replay_log(object::Store& store, const std::string& table, const LogListing& listing, int64_t target) {
  auto start = start_of(store, table, listing, target);
  if (!start) return pass(start.error());
  auto& [replay, version] = *start;
  int64_t bytes = 0;
  const int64_t checkpoint = version;
  if (auto applied = apply_commits(store, table, listing, replay, version, target, bytes); !applied)
    return pass(applied.error());
  auto snapshot = std::move(replay).finish(table);
  if (!snapshot) return snapshot;
  snapshot->log_bytes = bytes;
  if (const auto size = listing.checkpoint_bytes.find(checkpoint); size != listing.checkpoint_bytes.end())
    snapshot->checkpoint_bytes = size->second;
  return snapshot;
}

Result<Snapshot> read_at(object::Store& store, const std::string& table, std::optional<int64_t> wanted) {
  auto listing = find_log(store, table, wanted);
  if (!listing) return pass(listing.error());
  if (listing->empty()) return not_found("there is no Delta table at {}/{}", store.url(), table);
  const int64_t target = wanted.value_or(listing->newest());
  if (target < 0 || target > listing->newest()) {
    return not_found("{} has no version {}; its newest is {}", table, target, listing->newest());
  }
  if (const int64_t oldest = listing->oldest(); oldest > target) {
    return not_found(
        "version {} of {} was cleaned away; the oldest that its log still holds is {} (delta.logRetentionDuration says "
        "how long versions are kept)",
        target, table, oldest);
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
  int64_t bytes = base.log_bytes;
  if (auto applied = apply_commits(store, table, *listing, replay, base.version, newest, bytes); !applied)
    return pass(applied.error());
  auto snapshot = std::move(replay).finish(table);
  if (!snapshot) return snapshot;
  snapshot->log_bytes = bytes;
  if (!listing->checkpoints.empty() && listing->checkpoints.rbegin()->first > snapshot->checkpoint_version) {
    snapshot->checkpoint_version = listing->checkpoints.rbegin()->first;
    snapshot->checkpoint_bytes = listing->checkpoint_bytes.at(snapshot->checkpoint_version);
    snapshot->log_bytes = commit_bytes_after(*listing, snapshot->checkpoint_version);
  }
  return snapshot;
}

}  // namespace pinflow::delta
