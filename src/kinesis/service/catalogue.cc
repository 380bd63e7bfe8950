#include "kinesis/service/catalogue.h"

#include <algorithm>

#include "base/logging.h"

namespace pinflow::kinesis {
namespace {

constexpr int64_t kHourMs = 3'600'000;

Refused no_stream(std::string_view name, const Account& account) {
  return resource_not_found("Stream {} under account {} not found.", name, account.id);
}

Refused failed(std::string_view what, const Error& error) {
  warn("streams: {}: {}", what, error.message);
  if (error.code == Code::full) return limit_exceeded("{}: the service's disk is full.", what);
  return internal_failure("{}: {}", what, error.message);
}

}  // namespace

Result<std::unique_ptr<Catalogue>> Catalogue::open(const std::filesystem::path& dir, const log::LogOptions& options,
                                                   Account account) {
  auto files = StreamFiles::open(dir);
  if (!files) return pass(files.error());
  auto log = log::Log::open(files->log_folder(), options);  // holds the folder's lock from here on
  if (!log) return pass(log.error());
  auto key = files->seal_key();
  if (!key) return pass(key.error());
  auto streams = files->read();
  if (!streams) return pass(streams.error());
  std::unique_ptr<Catalogue> made(
      new Catalogue(std::move(*files), std::move(*log), std::move(*key), std::move(account)));
  if (auto tidied = made->tidy(*streams); !tidied) return pass(tidied.error());
  for (Stream& stream : *streams) {
    const auto topic = made->log_->find_topic(stream.id);
    if (!topic || topic->partitions < static_cast<int32_t>(stream.shards.size())) {
      return corrupt("the stream {} has {} shards, but {} has not so many: restore it from a copy", stream.name,
                     stream.shards.size(), (made->files_.log_folder() / "topics" / stream.id).string());
    }
    std::string name = stream.name;
    made->streams_.emplace(std::move(name), std::make_shared<LiveStream>(std::move(stream)));
  }
  return made;
}

Result<> Catalogue::tidy(const std::vector<Stream>& streams) {
  for (const std::string& id : files_.deleted()) drop_records(id);
  for (const log::TopicDescription& topic : log_->topics()) {
    if (std::ranges::find(streams, topic.name, &Stream::id) != streams.end()) continue;
    bool empty = true;
    for (int32_t i = 0; i < topic.partitions; ++i) {
      const auto offsets = log_->offsets(topic.name, i);
      empty = empty && offsets && offsets->end == 0;
    }
    if (!empty) {
      warn("streams: {} holds records of a stream that is not known here; it is left alone",
           (files_.log_folder() / "topics" / topic.name).string());
    } else if (auto gone = log_->delete_topic(topic.name); !gone) {
      return gone;
    }
  }
  return {};
}

// Of a stream that was deleted.
void Catalogue::drop_records(const std::string& id) {
  if (auto gone = log_->delete_topic(id); !gone && gone.error().code != Code::not_found) {
    return warn("streams: {}; the next start tries again", gone.error().message);
  }
  files_.forget(id);
}

std::shared_ptr<LiveStream> Catalogue::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = streams_.find(name);
  return found == streams_.end() ? nullptr : found->second;
}

std::vector<std::string> Catalogue::names() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, stream] : streams_) names.push_back(name);
  return names;
}

std::vector<std::shared_ptr<LiveStream>> Catalogue::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<LiveStream>> all;
  for (const auto& [name, stream] : streams_) all.push_back(stream);
  return all;
}

int32_t Catalogue::open_shards() const {
  int32_t open = 0;
  for (const auto& live : all()) open += kinesis::open_shards(live->now()->stream);
  return open;
}

std::string Catalogue::arn_of(std::string_view name) const {
  return fmt::format("arn:aws:kinesis:{}:{}:stream/{}", account_.region, account_.id, name);
}

Answer<> Catalogue::has_room(int64_t more) const {
  const int64_t open = open_shards();
  if (more <= 0 || open + more <= account_.shard_limit) return {};
  return limit_exceeded(
      "This request would exceed the shard limit for the account {} in {}. Current shard count for the account: {}. "
      "Limit: {}. Number of additional shards that would have resulted from this request: {}.",
      account_.id, account_.region, open, account_.shard_limit, more);
}

Answer<> Catalogue::create(Stream stream) {
  const std::lock_guard one(changes_);
  if (find(stream.name)) return resource_in_use("Stream {} under account {} already exists.", stream.name, account_.id);
  if (auto room = has_room(static_cast<int64_t>(stream.shards.size())); !room) return room;
  // Records are forgotten by trim(), to the record, not by the log's segments.
  if (auto topic = log_->create_topic(stream.id, static_cast<int32_t>(stream.shards.size()), {}); !topic)
    return failed("Making the stream " + stream.name, topic.error());
  if (auto written = files_.write(stream); !written) {
    // Where the file is there nevertheless, and stays, so does the topic: the stream is then there after a restart.
    if (auto removed = files_.remove(stream); removed || removed.error().code == Code::not_found)
      drop_records(stream.id);
    return failed("Making the stream " + stream.name, written.error());
  }
  const std::lock_guard lock(mutex_);
  std::string name = stream.name;
  streams_.emplace(std::move(name), std::make_shared<LiveStream>(std::move(stream)));
  return {};
}

Answer<> Catalogue::remove(const std::string& name) {
  const std::lock_guard one(changes_);
  const auto live = find(name);
  if (!live) return no_stream(name, account_);
  if (auto gone = files_.remove(live->now()->stream); !gone) return failed("Deleting the stream " + name, gone.error());
  live->end();
  {
    const std::lock_guard lock(mutex_);
    streams_.erase(name);
  }
  drop_records(live->topic);
  return {};
}

Answer<Stream> Catalogue::store(const Stream& before, Stream after) {
  if (auto room = has_room(int64_t{kinesis::open_shards(after)} - kinesis::open_shards(before)); !room)
    return Refused(room.error());
  // Partitions that a crash left unused are taken.
  const auto wanted = static_cast<int32_t>(after.shards.size());
  const auto topic = log_->find_topic(after.id);
  if (topic && topic->partitions < wanted) {
    if (auto added = log_->add_partitions(after.id, wanted); !added)
      return failed("Changing the stream " + after.name, added.error());
  }
  if (auto written = files_.write(after); !written) {
    // It may be there, and hold after a restart, where the client was told that it failed: the old one is put back.
    if (auto back = files_.write(before); !back) {
      warn("streams: {}: it cannot be told whether a change that failed holds after a restart: {}", after.name,
           back.error().message);
    }
    return failed("Changing the stream " + after.name, written.error());
  }
  return after;
}

Answer<> Catalogue::change(const std::string& name, const Next& next) {
  const std::lock_guard one(changes_);
  const auto live = find(name);
  if (!live) return no_stream(name, account_);
  // What cannot be done is found without holding up any put.
  if (auto could = next(live->now()->stream); !could) return Refused(could.error());
  return live->change([&](const Stream& before) -> Answer<Stream> {
    auto after = next(before);
    if (!after) return after;
    return store(before, std::move(*after));
  });
}

bool Catalogue::trim(int64_t now_ms) {
  bool well = true;
  for (const auto& live : all()) {
    const StatePtr state = live->now();
    const int64_t oldest = now_ms - state->stream.retention_hours * kHourMs;
    for (int32_t shard = 0; shard < static_cast<int32_t>(state->stream.shards.size()); ++shard) {
      const auto offsets = log_->offsets(live->topic, shard);
      if (!offsets || offsets->start == offsets->end) continue;
      const auto found = log_->offset_for_time(live->topic, shard, oldest);
      const int64_t keep = found && found->offset >= 0 ? found->offset : offsets->end;
      auto done = found ? Result<>() : Result<>(pass(found.error()));
      if (done && keep > offsets->start) done = log_->delete_records(live->topic, shard, keep);
      if (done || !find(state->stream.name)) continue;
      well = false;
      warn("streams: {} {}: records past their retention stay: {}", state->stream.name, shard_id(shard),
           done.error().message);
    }
  }
  return well;
}

}  // namespace pinflow::kinesis
