#include "delta/snapshot.h"

#include <algorithm>
#include <cassert>
#include <unordered_set>

namespace pinflow::delta {

std::vector<Column> Snapshot::columns() const {
  auto columns = schema_from_json(metadata.schema_json);
  assert(columns);
  return columns ? std::move(*columns) : std::vector<Column>();
}

int64_t Snapshot::records() const {
  int64_t sum = 0;
  for (const DataFile& file : files) {
    if (file.records < 0) return -1;
    sum += file.records;
  }
  return sum;
}

int64_t Snapshot::bytes() const {
  int64_t sum = 0;
  for (const DataFile& file : files) sum += file.size;
  return sum;
}

int64_t Snapshot::txn_version(std::string_view app_id) const {
  const auto txn = txns.find(app_id);
  return txn == txns.end() ? -1 : txn->second.version;
}

std::vector<DataFile> added_since(const Snapshot& before, const Snapshot& now) {
  std::unordered_set<std::string_view> known;
  for (const DataFile& file : before.files) known.insert(file.path);
  std::vector<DataFile> added;
  for (const DataFile& file : now.files) {
    if (!known.contains(file.path)) added.push_back(file);
  }
  return added;
}

Replay::Replay(Snapshot from) : state_(std::move(from)), has_protocol_(true), has_metadata_(true) {
  gone_.assign(state_.files.size(), false);
  for (size_t i = 0; i < state_.files.size(); ++i) places_[state_.files[i].path] = i;
  for (Removed& removed : state_.tombstones) {
    std::string path = removed.path;
    tombstones_[std::move(path)] = std::move(removed);
  }
  state_.tombstones.clear();
}

// `left` are places of files that the same commit removed, which a file without new data may take.
void Replay::add(DataFile file, std::vector<size_t>& left) {
  tombstones_.erase(file.path);
  const bool moved = !file.data_change && !left.empty() && !places_.contains(file.path);
  if (moved) {
    const size_t at = left.back();
    left.pop_back();
    places_[file.path] = at;
    gone_[at] = false;
    state_.files[at] = std::move(file);
    return;
  }
  const auto [place, fresh] = places_.try_emplace(file.path, state_.files.size());
  if (!fresh) {  // the newest reference of a file counts
    state_.files[place->second] = std::move(file);
    return;
  }
  state_.files.push_back(std::move(file));
  gone_.push_back(false);
}

void Replay::remove(Removed removed, std::vector<size_t>& left) {
  if (const auto place = places_.find(removed.path); place != places_.end()) {
    gone_[place->second] = true;
    left.push_back(place->second);
    places_.erase(place);
  }
  std::string path = removed.path;
  tombstones_[std::move(path)] = std::move(removed);
}

void Replay::apply(int64_t version, Actions actions, int64_t file_time_ms) {
  assert(version == state_.version + 1);
  state_.timestamp_ms = actions.timestamp_ms().value_or(file_time_ms);
  state_.version = version;
  if (actions.protocol) {
    state_.protocol = std::move(*actions.protocol);
    has_protocol_ = true;
  }
  if (actions.metadata) {
    state_.metadata = std::move(*actions.metadata);
    has_metadata_ = true;
  }
  for (Txn& txn : actions.txns) {
    std::string app_id = txn.app_id;
    state_.txns[std::move(app_id)] = std::move(txn);
  }
  std::vector<size_t> left;
  for (Removed& removed : actions.removed) remove(std::move(removed), left);
  std::ranges::sort(left);
  for (DataFile& file : actions.added) add(std::move(file), left);
}

void Replay::apply_checkpoint(int64_t version, Actions actions, int64_t file_time_ms) {
  assert(state_.version == -1 && version >= 0);
  state_.version = version - 1;
  apply(version, std::move(actions), file_time_ms);
  state_.checkpoint_version = version;
}

Result<Snapshot> Replay::finish(std::string_view table) && {
  if (!has_protocol_) return corrupt("the log of {} holds no protocol up to version {}", table, state_.version);
  if (!has_metadata_) return corrupt("the log of {} holds no metaData up to version {}", table, state_.version);
  if (auto readable = check_readable(state_.protocol, state_.metadata); !readable)
    return pass(readable.error(), "{}", table);
  if (const auto columns = schema_from_json(state_.metadata.schema_json); !columns)
    return pass(columns.error(), "{}", table);
  size_t kept = 0;
  for (size_t i = 0; i < state_.files.size(); ++i) {
    if (gone_[i]) continue;
    if (kept != i) state_.files[kept] = std::move(state_.files[i]);
    ++kept;
  }
  state_.files.resize(kept);
  for (auto& [path, removed] : tombstones_) state_.tombstones.push_back(std::move(removed));
  std::ranges::sort(state_.tombstones, {}, &Removed::path);
  return std::move(state_);
}

}  // namespace pinflow::delta
