// Questions and orders to a Kafka cluster: topics, offsets, groups. Each call blocks for the answer, at most
// `timeout_ms`; one thread at a time. No call but create_topic creates a topic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kafka/client/config.h"
#include "kafka/client/consumer.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::kafka {

struct NewTopic {
  std::string name;
  int32_t partitions = -1;  // -1: as the broker's configuration says (1 where it is too old to be asked)
  int16_t replication_factor = -1;
  std::vector<std::pair<std::string, std::string>> configs;
};

class Admin {
 public:
  static Result<std::unique_ptr<Admin>> open(const ClientConfig& config, int timeout_ms = 10'000);
  ~Admin();

  // already_exists, invalid (name, numbers, configs), denied, unavailable. The cluster knows the topic on return.
  Result<> create_topic(const NewTopic& topic);
  Result<> delete_topic(const std::string& name);  // not_found

  // Sorted; internal ones ("__…") only where asked for.
  Result<std::vector<std::string>> list_topics(bool internal = false);
  // With the configs that were set for the topic. not_found.
  Result<TopicInfo> describe_topic(const std::string& name);

  Result<Watermarks> watermarks(const TopicPartition& at);
  // What the group has committed, sorted; empty for an unknown group.
  Result<std::vector<PartitionOffset>> group_offsets(const std::string& group);
  // Empty where the cluster does not tell.
  Result<std::string> cluster_id();

 private:
  struct State;
  explicit Admin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::kafka
