#include "kafka/broker/offset_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/logging.h"

namespace pinflow::kafka {
namespace {

enum class Entry : int8_t { committed = 0, group_gone = 1, offset_gone = 2, topic_gone = 3 };

constexpr size_t kFrameHeaderBytes = 8;

std::string text(Reader& in) { return std::string(in.string(false).value_or("")); }

void write_committed(Writer& out, std::string_view group, std::string_view protocol_type, const TopicPartition& where,
                     const CommittedOffset& offset) {
  out.integer(static_cast<int8_t>(Entry::committed));
  out.string(group, false);
  out.string(protocol_type, false);
  out.string(where.first, false);
  out.uuid(offset.topic_id);
  out.integer(where.second);
  out.integer(offset.offset);
  out.integer(offset.leader_epoch);
  out.string(offset.metadata, false);
  out.integer(offset.time_ms);
}

std::string framed(std::string_view entries) {
  std::string frame;
  frame.reserve(kFrameHeaderBytes + entries.size());
  append_big(frame, static_cast<uint32_t>(entries.size()));
  append_big(frame, crc32c(entries));
  return frame.append(entries);
}

}  // namespace

Result<std::unique_ptr<OffsetStore>> OffsetStore::open(const std::filesystem::path& folder, Options options) {
  if (auto made = make_folders(folder); !made) return pass(made.error());
  std::unique_ptr<OffsetStore> store(new OffsetStore(folder / "offsets.log", options));
  if (auto loaded = store->load(); !loaded) return pass(loaded.error());
  return store;
}

Result<> OffsetStore::load() {
  file_ = Fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file_) return system_error(errno, fmt::format("open {}", path_.string()));
  if (auto synced = sync_folder(path_.parent_path()); !synced) return pass(synced.error());
  const auto bytes = read_file(path_);
  if (!bytes) return pass(bytes.error());
  std::string_view rest = *bytes;
  while (rest.size() >= kFrameHeaderBytes) {
    const auto size = load_big<uint32_t>(rest.data());
    if (size == 0 || size > rest.size() - kFrameHeaderBytes) break;
    const std::string_view entries = rest.substr(kFrameHeaderBytes, size);
    if (crc32c(entries) != load_big<uint32_t>(rest.data() + 4)) {
      if (kFrameHeaderBytes + size == rest.size()) break;
      return corrupt(
          "{}: the frame at byte {} does not check: the file is damaged; put back a copy, or move it away "
          "(groups then start without offsets)",
          path_.string(), bytes->size() - rest.size());
    }
    if (!apply(entries)) {
      return corrupt("{}: the frame at byte {} cannot be read; was it written by a later version?", path_.string(),
                     bytes->size() - rest.size());
    }
    rest.remove_prefix(kFrameHeaderBytes + size);
  }
  file_bytes_ = static_cast<int64_t>(bytes->size() - rest.size());
  if (!rest.empty()) {
    warn("broker: {}: {} bytes at the end, of a commit that was never acknowledged, are cut off", path_.string(),
         rest.size());
    if (::ftruncate(file_.get(), file_bytes_) != 0 || ::fdatasync(file_.get()) != 0) {
      return system_error(errno, fmt::format("truncate {}", path_.string()));
    }
  }
  live_bytes_ = static_cast<int64_t>(all_entries().size());
  compact_if_due();
  return {};
}

bool OffsetStore::apply(std::string_view entries) {
  Reader in(entries);
  while (in.ok() && in.remaining() > 0) {
    const auto kind = static_cast<Entry>(in.integer<int8_t>());
    std::string name = text(in);
    switch (kind) {
      case Entry::committed: {
        std::string protocol_type = text(in);
        TopicPartition where;
        where.first = text(in);
        CommittedOffset offset;
        offset.topic_id = in.uuid();
        where.second = in.integer<int32_t>();
        offset.offset = in.integer<int64_t>();
        offset.leader_epoch = in.integer<int32_t>();
        offset.metadata = text(in);
        offset.time_ms = in.integer<int64_t>();
        if (!in.ok()) return false;
        CommittedGroup& group = groups_[name];
        group.protocol_type = std::move(protocol_type);
        group.offsets[std::move(where)] = std::move(offset);
        break;
      }
      case Entry::group_gone: groups_.erase(name); break;
      case Entry::offset_gone: {
        TopicPartition where;
        where.first = text(in);
        where.second = in.integer<int32_t>();
        const auto group = groups_.find(name);
        if (group == groups_.end()) break;
        group->second.offsets.erase(where);
        if (group->second.offsets.empty()) groups_.erase(group);
        break;
      }
      case Entry::topic_gone:
        for (auto group = groups_.begin(); group != groups_.end();) {
          std::erase_if(group->second.offsets, [&](const auto& entry) { return entry.first.first == name; });
          group = group->second.offsets.empty() ? groups_.erase(group) : std::next(group);
        }
        break;
      default: return false;
    }
  }
  return in.ok();
}

Result<> OffsetStore::commit(const std::string& group, const std::string& protocol_type,
                             const std::vector<std::pair<TopicPartition, CommittedOffset>>& offsets) {
  if (offsets.empty()) return {};
  std::string entries;
  Writer out(entries);
  for (const auto& [where, offset] : offsets) write_committed(out, group, protocol_type, where, offset);
  return write(std::move(entries));
}

Result<> OffsetStore::forget_group(const std::string& group) {
  std::string entries;
  Writer out(entries);
  out.integer(static_cast<int8_t>(Entry::group_gone));
  out.string(group, false);
  return write(std::move(entries));
}

Result<> OffsetStore::forget_offsets(const std::string& group, const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return {};
  std::string entries;
  Writer out(entries);
  for (const auto& [topic, partition] : partitions) {
    out.integer(static_cast<int8_t>(Entry::offset_gone));
    out.string(group, false);
    out.string(topic, false);
    out.integer(partition);
  }
  return write(std::move(entries));
}

Result<> OffsetStore::forget_topic(const std::string& topic) {
  {
    const std::lock_guard lock(mutex_);
    const auto has_topic = [&](const auto& group) {
      const auto first = group.second.offsets.lower_bound({topic, INT32_MIN});
      return first != group.second.offsets.end() && first->first.first == topic;
    };
    if (pending_.empty() && !writing_ && std::ranges::none_of(groups_, has_topic)) return {};
  }
  std::string entries;
  Writer out(entries);
  out.integer(static_cast<int8_t>(Entry::topic_gone));
  out.string(topic, false);
  return write(std::move(entries));
}

Result<> OffsetStore::write(std::string entries) {
  std::unique_lock lock(mutex_);
  if (static_cast<int64_t>(pending_.size()) > options_.pending_bytes) {
    return fail(Code::full, "too many commits of offsets wait for the disk; commit less often");
  }
  pending_ += entries;
  const auto mine = round_;
  while (!mine->done) {
    if (writing_) {
      written_.wait(lock);
      continue;
    }
    writing_ = true;
    const std::string batch = std::exchange(pending_, {});
    const auto round = std::exchange(round_, std::make_shared<Round>());
    lock.unlock();
    auto appended = append(batch);
    lock.lock();
    if (appended) {
      if (!apply(batch)) std::abort();  // written by this class
      compact_if_due();
    }
    round->result = std::move(appended);
    round->done = true;
    writing_ = false;
    written_.notify_all();
  }
  return mine->result;
}

Result<> OffsetStore::append(const std::string& entries) {
  if (broken_)
    return unavailable("{} cannot be written since an earlier error; start the broker again", path_.string());
  const std::string frame = framed(entries);
  auto written = write_all(file_.get(), frame, path_.string());
  if (written && ::fdatasync(file_.get()) != 0) {
    broken_ = true;  // after a failed fsync nobody knows what the disk holds
    return system_error(errno, fmt::format("fdatasync {}", path_.string()));
  }
  if (!written) {
    if (::ftruncate(file_.get(), file_bytes_) != 0) broken_ = true;
    return pass(written.error());
  }
  file_bytes_ += static_cast<int64_t>(frame.size());
  return {};
}

std::string OffsetStore::all_entries() const {
  std::string entries;
  Writer out(entries);
  for (const auto& [name, group] : groups_) {
    for (const auto& [where, offset] : group.offsets) write_committed(out, name, group.protocol_type, where, offset);
  }
  return entries;
}

void OffsetStore::compact_if_due() {
  if (file_bytes_ <= options_.compact_bytes || file_bytes_ <= 2 * live_bytes_) return;
  const std::string entries = all_entries();
  live_bytes_ = static_cast<int64_t>(entries.size());
  if (file_bytes_ <= 2 * live_bytes_) return;
  const std::string whole = entries.empty() ? std::string() : framed(entries);
  if (auto replaced = replace_file(path_, whole); !replaced) {
    return warn("broker: {} is not made smaller: {}", path_.string(), replaced.error().message);
  }
  Fd file(::open(path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
  if (!file) {
    broken_ = true;  // the file that is open has no name any more
    return error("broker: {} cannot be opened again: {}", path_.string(),
                 std::error_code(errno, std::generic_category()).message());
  }
  file_ = std::move(file);
  file_bytes_ = static_cast<int64_t>(whole.size());
}

std::optional<CommittedGroup> OffsetStore::find(const std::string& group) const {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group);
  return found == groups_.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, std::string> OffsetStore::groups() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [name, group] : groups_) all.emplace(name, group.protocol_type);
  return all;
}

}  // namespace pinflow::kafka
