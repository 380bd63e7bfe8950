// The topics of a log: which there are, their folders, their partitions. Thread-safe. What is made, changed or deleted
// is on the disk when a call returns; a crash leaves the old or the new state.
//
// A topic is made under a name that no topic can have (~new-…) and renamed when it is whole; a deleted one is renamed
// (~trash-…) before it is removed. What begins with ~ is removed at open.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "log/file_calls.h"
#include "log/log.h"
#include "log/partition.h"
#include "log/segment.h"

namespace pinflow::log {

struct Topic {
  TopicDescription description;
  std::vector<std::shared_ptr<Partition>> partitions;
};

class Topics {
 public:
  Topics(std::filesystem::path folder, Shared& shared, FileCalls& calls, OpenSegments& closed)
      : folder_(std::move(folder)), shared_(shared), calls_(calls), closed_(closed) {}

  Result<> open();

  // As the calls of Log.
  Result<TopicDescription> create(const std::string& name, int32_t partitions, TopicConfig config);
  Result<> remove(const std::string& name);
  Result<> add_partitions(const std::string& name, int32_t total);
  Result<> alter(const std::string& name, TopicConfig config);

  // A topic does not change: a changed one takes its place.
  std::shared_ptr<const Topic> find(const std::string& name) const;
  std::vector<std::shared_ptr<const Topic>> all() const;  // sorted by name
  Result<std::shared_ptr<Partition>> partition(const std::string& topic, int32_t partition) const;

 private:
  Result<std::shared_ptr<Partition>> open_partition(const TopicDescription& topic, int32_t partition);
  Result<std::shared_ptr<Topic>> open_topic(TopicDescription description);
  void put(std::shared_ptr<const Topic> topic);
  Result<> remove_folder(const std::string& name);

  const std::filesystem::path folder_;
  Shared& shared_;
  FileCalls& calls_;
  OpenSegments& closed_;
  std::mutex changing_;  // one change at a time
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Topic>> topics_;  // under mutex_
};

}  // namespace pinflow::log
