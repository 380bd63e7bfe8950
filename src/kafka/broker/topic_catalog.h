// What the paths of records need to know of a topic, remembered for a moment so that they need not ask the log for
// every record; and the making of topics on first use. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <shared_mutex>
#include <string>

#include "kafka/client/topic_writer.h"
#include "kafka/codec/wire.h"
#include "log/log.h"

namespace pinflow::kafka {

struct TopicRules {
  bool auto_create = true;
  int32_t default_partitions = 1;
  int64_t max_message_bytes = 1048588;  // where the topic says nothing else
};

class TopicCatalog {
 public:
  // `log` must outlive it.
  TopicCatalog(log::Log& log, TopicRules rules) : log_(log), rules_(rules) {}

  struct Topic {
    Uuid id;
    int32_t partitions = 0;
    int64_t max_message_bytes = 0;
  };

  // As it was at most kFresh ago. unknown_topic_or_partition.
  std::expected<Topic, TopicFailure> find(const std::string& name);

  // Makes the topic where it is missing and the rules allow it. Also invalid_topic, kafka_storage_error.
  std::expected<Topic, TopicFailure> find_or_create(const std::string& name);

  // The name of the topic that has this id now; empty for none.
  std::string name_of(const Uuid& id);

  // After a change that the next caller must see.
  void forget(const std::string& name);

  const TopicRules& rules() const { return rules_; }

 private:
  static constexpr std::chrono::milliseconds kFresh{250};
  static constexpr size_t kMaxRemembered = 10'000;

  struct Remembered {
    Topic topic;
    std::chrono::steady_clock::time_point until;
  };
  Topic remember(const log::TopicDescription& description);

  log::Log& log_;
  const TopicRules rules_;
  std::shared_mutex mutex_;
  std::map<std::string, Remembered> topics_;
  std::map<Uuid, std::string> names_;  // of topics that may be gone
};

}  // namespace pinflow::kafka
