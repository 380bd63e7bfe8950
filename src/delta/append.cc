#include <algorithm>
#include <cstdlib>

#include "base/clock.h"
#include "base/logging.h"
#include "delta/checkpoint.h"
#include "delta/commit.h"
#include "delta/log_names.h"
#include "delta/table.h"
#include "delta/uuid.h"

namespace pinflow::delta {
namespace {

Result<Actions> actions_for(const Append& append, const std::optional<Snapshot>& snapshot, const std::string& id) {
  Actions actions;
  const int64_t now = next_timestamp(snapshot ? snapshot->timestamp_ms : 0);
  if (!snapshot) {
    auto metadata = new_metadata(append.table, append.columns);
    if (!metadata) return pass(metadata.error());
    actions.protocol = Protocol{};
    actions.metadata = std::move(*metadata);
  } else {
    auto widened = fit_columns(append.table, snapshot->protocol, snapshot->metadata, append.columns);
    if (!widened) return pass(widened.error());
    if (!widened->empty()) {
      actions.metadata = snapshot->metadata;
      actions.metadata->schema_json = std::move(*widened);
    }
  }
  actions.txns = {{append.txn.app_id, append.txn.version, now}};
  actions.added = append.files;
  actions.commit_info = write_commit_info(
      append_info(append.files, !append.has_read, snapshot ? snapshot->version : -1, append.commit_info, id, now));
  return actions;
}

// What was given as read, or what is there now; nothing where there is no table.
Result<std::optional<Snapshot>> starting_point(object::Store& store, const Append& append) {
  if (append.base) {
    // A commit may only follow one that is there: where the base's is not, the log was cleaned or the table made anew.
    if (store.stat(commit_name(append.table, append.base->version))) return append.base;
  }
  auto snapshot = read_snapshot(store, append.table);
  if (snapshot) return std::move(*snapshot);
  if (snapshot.error().code == Code::not_found && !append.base) return std::nullopt;
  return pass(snapshot.error());
}

// Did others add files to what was read?
bool grew(const std::optional<Snapshot>& base, const Snapshot& now) {
  return base ? !added_since(*base, now).empty() : !now.files.empty();
}

bool same_rules(const std::optional<Snapshot>& base, const Snapshot& now) {
  return !base || (base->protocol == now.protocol && base->metadata == now.metadata);
}

Snapshot after_commit(std::optional<Snapshot> before, int64_t version, Actions actions, size_t bytes) {
  Replay replay = before ? Replay(std::move(*before)) : Replay();
  replay.apply(version, std::move(actions), 0);
  auto snapshot = std::move(replay).finish("");
  // It was read, or made by us, and passed all checks; our own actions change none of them.
  if (!snapshot) std::abort();
  snapshot->log_bytes += static_cast<int64_t>(bytes);
  return std::move(*snapshot);
}

void checkpoint_if_due(object::Store& store, const std::string& table, Snapshot& snapshot) {
  if (!checkpoint_due(snapshot)) return;
  const auto written = write_checkpoint(store, table, snapshot);
  if (written) {
    snapshot.checkpoint_version = snapshot.version;
    snapshot.checkpoint_bytes = *written;
    snapshot.log_bytes = 0;
  } else {
    warn("delta: {} has no checkpoint at version {}; it is read from its commits: {}", table, snapshot.version,
         written.error().message);
  }
}

}  // namespace

Result<Outcome> append(object::Store& store, const Append& append) {
  if (auto valid = check_files(append.table, append.files, append.columns, append.txn, append.commit_info); !valid)
    return pass(valid.error());
  auto start = starting_point(store, append);
  if (!start) return pass(start.error());
  std::optional<Snapshot> snapshot = std::move(*start);
  const std::string id = new_uuid();
  if (append.base && snapshot && !same_rules(append.base, *snapshot)) {
    return fail(Code::conflict, "the schema or protocol of {} changed since version {}: read it again", append.table,
                append.base->version);
  }
  for (int races = 0; races <= kMaxRaces; ++races) {
    if (snapshot) {
      if (snapshot->txn_version(append.txn.app_id) >= append.txn.version) {
        const int64_t version = snapshot->version;
        return Outcome{Outcome::Kind::already_done, version, std::move(*snapshot)};
      }
      if (append.has_read && grew(append.base, *snapshot)) {
        const int64_t version = snapshot->version;
        return Outcome{Outcome::Kind::raced, version, std::move(*snapshot)};
      }
    }
    auto actions = actions_for(append, snapshot, id);
    if (!actions) return pass(actions.error());
    const int64_t version = snapshot ? snapshot->version + 1 : 0;
    const std::string entry = write_actions(*actions);
    const Stopwatch clock;
    const auto put = put_entry(store, commit_name(append.table, version), entry, id);
    if (!put) return pass(put.error());
    if (*put == Put::ours) {
      Outcome outcome{Outcome::Kind::committed, version,
                      after_commit(std::move(snapshot), version, std::move(*actions), entry.size())};
      checkpoint_if_due(store, append.table, outcome.snapshot);
      return outcome;
    }
    let_others_pass(races, clock.seconds() * 1e3);
    auto now = snapshot ? refresh(store, append.table, *snapshot) : read_snapshot(store, append.table);
    if (!now) return pass(now.error());
    if (!same_rules(snapshot, *now)) {
      return fail(Code::conflict, "the schema or protocol of {} was changed by its version {} or before: read it again",
                  append.table, now->version);
    }
    const int64_t ours = snapshot ? snapshot->txn_version(append.txn.app_id) : -1;
    const int64_t theirs = now->txn_version(append.txn.app_id);
    if (theirs != ours && theirs < append.txn.version) {
      return fail(Code::conflict,
                  "another writer of the application {} committed its {} to {} while {} was on its way: read it again",
                  append.txn.app_id, theirs, append.table, append.txn.version);
    }
    snapshot = std::move(*now);
  }
  return fail(Code::conflict, "{} was committed to by others {} times in a row: try again later", append.table,
              kMaxRaces);
}

}  // namespace pinflow::delta
