#include "log/topics.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/files.h"
#include "base/logging.h"
#include "log/identity.h"
#include "log/topic_file.h"

namespace pinflow::log {
namespace fs = std::filesystem;

namespace {

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) warn("log: {} cannot be removed: {}; the next open tries again", path.string(), error.message());
}

// rename(2), and on the disk.
Result<> rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename to " + to.string());
  return sync_folder(to.parent_path());
}

std::unexpected<Error> no_topic(const std::string& name) { return not_found("there is no topic '{}'", name); }

}  // namespace

Result<> Topics::open() {
  if (auto made = make_folders(folder_); !made) return made;
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    folders.push_back(at->path());
  }
  if (error) return unavailable("reading the folder {}: {}", folder_.string(), error.message());
  std::ranges::sort(folders);
  for (const auto& path : folders) {
    const auto name = path.filename().string();
    if (name.starts_with('~')) {
      remove_tree(path);
    } else if (is_topic_name(name) && fs::is_directory(path, error)) {
      auto description = read_topic(path);
      if (!description) return pass(description.error());
      auto topic = open_topic(std::move(*description));
      if (!topic) return pass(topic.error());
      put(std::move(*topic));
    } else {
      warn("log: {} is not a topic's folder; it is left alone", path.string());
    }
  }
  return {};
}

Result<std::shared_ptr<Partition>> Topics::open_partition(const TopicDescription& topic, int32_t partition) {
  auto files =
      PartitionFiles::open(folder_ / topic.name / fmt::to_string(partition), shared_.options.fsync, calls_, closed_);
  if (!files) return pass(files.error());
  const int64_t own = topic.config.segment_bytes;
  return Partition::open(fmt::format("{}-{}", topic.name, partition), std::move(*files),
                         own == -1 ? shared_.options.segment_bytes : own, shared_);
}

Result<std::shared_ptr<Topic>> Topics::open_topic(TopicDescription description) {
  auto topic = std::make_shared<Topic>(std::move(description));
  for (int32_t i = 0; i < topic->description.partitions; ++i) {
    auto partition = open_partition(topic->description, i);
    if (!partition) return pass(partition.error());
    topic->partitions.push_back(std::move(*partition));
  }
  return topic;
}

void Topics::put(std::shared_ptr<const Topic> topic) {
  const std::lock_guard lock(mutex_);
  auto& place = topics_[topic->description.name];
  place = std::move(topic);
}

Result<TopicDescription> Topics::create(const std::string& name, int32_t partitions, TopicConfig config) {
  if (!is_topic_name(name)) {
    return invalid("'{}' cannot be a topic's name: 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-', not \".\" or \"..\"",
                   name);
  }
  if (partitions < 1 || partitions > kMaxPartitions) {
    return invalid("topic '{}' cannot have {} partitions: give 1 to {}", name, partitions, kMaxPartitions);
  }
  if (auto checked = check_config(config); !checked) return pass(checked.error(), "topic '{}'", name);
  const std::lock_guard lock(changing_);
  if (find(name)) return fail(Code::already_exists, "there is a topic '{}' already", name);

  TopicDescription description{name, new_uuid(), partitions, std::move(config)};
  const fs::path unfinished = folder_ / ("~new-" + uuid_text(description.topic_id));
  auto made = make_folders(unfinished);
  for (int32_t i = 0; made && i < partitions; ++i) made = create_partition_folder(unfinished / fmt::to_string(i));
  if (made) made = write_topic(unfinished, description);
  if (made) made = rename_folder(unfinished, folder_ / name);
  if (!made) {
    remove_tree(unfinished);
    return pass(made.error(), "making the topic '{}'", name);
  }
  auto topic = open_topic(description);
  if (!topic) {
    if (auto removed = remove_folder(name); !removed) warn("log: {}", removed.error().message);
    return pass(topic.error(), "making the topic '{}'", name);
  }
  put(std::move(*topic));
  return description;
}

// The folder's name is free again, and its files are gone or will be at the next open.
Result<> Topics::remove_folder(const std::string& name) {
  const fs::path trash = folder_ / ("~trash-" + uuid_text(new_uuid()));
  if (auto renamed = rename_folder(folder_ / name, trash); !renamed) return renamed;
  remove_tree(trash);
  return {};
}

Result<> Topics::remove(const std::string& name) {
  const std::lock_guard lock(changing_);
  const auto topic = find(name);
  if (!topic) return no_topic(name);
  const fs::path trash = folder_ / ("~trash-" + uuid_text(new_uuid()));
  if (auto renamed = rename_folder(folder_ / name, trash); !renamed) {
    return pass(renamed.error(), "deleting the topic '{}'", name);
  }
  {
    const std::lock_guard map_lock(mutex_);
    topics_.erase(name);
  }
  const Error gone = no_topic(name).error();
  for (const auto& partition : topic->partitions) partition->stop(gone, true);
  remove_tree(trash);
  return {};
}

Result<> Topics::add_partitions(const std::string& name, int32_t total) {
  const std::lock_guard lock(changing_);
  const auto old = find(name);
  if (!old) return no_topic(name);
  auto topic = std::make_shared<Topic>(*old);
  auto& description = topic->description;
  if (total <= description.partitions || total > kMaxPartitions) {
    return invalid("topic '{}' has {} partitions: give more, up to {}", name, description.partitions, kMaxPartitions);
  }
  // Folders beyond the number in topic.json are not looked at: a crash before it is written leaves no trace.
  for (int32_t i = description.partitions; i < total; ++i) {
    if (auto made = create_partition_folder(folder_ / name / fmt::to_string(i)); !made) return made;
  }
  for (int32_t i = description.partitions; i < total; ++i) {
    auto partition = open_partition(description, i);
    if (!partition) return pass(partition.error());
    topic->partitions.push_back(std::move(*partition));
  }
  description.partitions = total;
  if (auto written = write_topic(folder_ / name, description); !written) return written;
  put(std::move(topic));
  return {};
}

Result<> Topics::alter(const std::string& name, TopicConfig config) {
  if (auto checked = check_config(config); !checked) return pass(checked.error(), "topic '{}'", name);
  const std::lock_guard lock(changing_);
  const auto old = find(name);
  if (!old) return no_topic(name);
  auto topic = std::make_shared<Topic>(*old);
  topic->description.config = std::move(config);
  if (auto written = write_topic(folder_ / name, topic->description); !written) return written;
  const int64_t own = topic->description.config.segment_bytes;
  for (const auto& partition : topic->partitions) {
    partition->set_segment_bytes(own == -1 ? shared_.options.segment_bytes : own);
  }
  put(std::move(topic));
  return {};
}

std::shared_ptr<const Topic> Topics::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Topic>> Topics::all() const {
  std::vector<std::shared_ptr<const Topic>> topics;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, topic] : topics_) topics.push_back(topic);
  }
  std::ranges::sort(topics, {}, [](const auto& topic) -> const std::string& { return topic->description.name; });
  return topics;
}

Result<std::shared_ptr<Partition>> Topics::partition(const std::string& topic, int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return no_topic(topic);
  const auto& partitions = found->second->partitions;
  if (partition < 0 || static_cast<size_t>(partition) >= partitions.size()) {
    return not_found("topic '{}' has no partition {}, it has {}", topic, partition, partitions.size());
  }
  return partitions[static_cast<size_t>(partition)];
}

}  // namespace pinflow::log
