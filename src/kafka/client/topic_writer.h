// How a part puts records into topics and asks about them, wherever the topics are: in a Kafka cluster by librdkafka
// (RdTopicWriter, in this room) or, the one exception the design allows, straight in the log of a broker that lives
// in the same process (LocalTopicWriter, in kafka/broker). The gateway knows only this.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::kafka {

// Kafka's error codes as the protocol numbers them (org.apache.kafka.common.protocol.Errors), those we meet.
enum class KafkaError : int16_t {
  unknown_server_error = -1,
  none = 0,
  offset_out_of_range = 1,
  corrupt_message = 2,
  unknown_topic_or_partition = 3,
  leader_not_available = 5,
  not_leader_or_follower = 6,
  request_timed_out = 7,
  broker_not_available = 8,
  message_too_large = 10,
  network_exception = 13,
  coordinator_load_in_progress = 14,
  coordinator_not_available = 15,
  not_coordinator = 16,
  invalid_topic = 17,
  record_list_too_large = 18,
  invalid_required_acks = 21,
  illegal_generation = 22,
  inconsistent_group_protocol = 23,
  invalid_group_id = 24,
  unknown_member_id = 25,
  invalid_session_timeout = 26,
  rebalance_in_progress = 27,
  topic_authorization_failed = 29,
  group_authorization_failed = 30,
  cluster_authorization_failed = 31,
  unsupported_version = 35,
  topic_already_exists = 36,
  invalid_partitions = 37,
  invalid_replication_factor = 38,
  invalid_config = 40,
  invalid_request = 42,
  unsupported_for_message_format = 43,
  out_of_order_sequence_number = 45,
  duplicate_sequence_number = 46,
  invalid_producer_epoch = 47,
  kafka_storage_error = 56,
  unknown_producer_id = 59,
  non_empty_group = 68,
  group_id_not_found = 69,
  fenced_leader_epoch = 74,
  unknown_leader_epoch = 75,
  unsupported_compression_type = 76,
  member_id_required = 79,
  fenced_instance_id = 82,
  invalid_record = 87,
  throttling_quota_exceeded = 89,
  unknown_topic_id = 100,
  sasl_authentication_failed = 58,
};

struct Header {
  std::string name;
  std::optional<std::string> value;
};

// One record to be written; `partition` only where the caller chooses it.
struct NewRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  std::optional<int32_t> partition;
};

// What became of one record: partition and offset when `error` is none.
struct Written {
  KafkaError error = KafkaError::none;
  std::string message;  // for people, when there is an error
  int32_t partition = -1;
  int64_t offset = -1;
};

struct PartitionInfo {
  int32_t partition = 0;
  int32_t leader = 0;
  std::vector<int32_t> replicas;
  std::vector<int32_t> in_sync;
};

struct TopicInfo {
  std::string name;
  std::vector<PartitionInfo> partitions;
  std::vector<std::pair<std::string, std::string>> configs;  // sorted by name
};

struct TopicFailure {
  KafkaError error;
  std::string message;
};

class TopicWriter {
 public:
  virtual ~TopicWriter() = default;

  // Called exactly once, on any thread, perhaps before `write` returns: one Written for each record, in order.
  using Done = std::function<void(std::vector<Written>)>;

  // Takes the records and returns at once; `done` follows when each is durable (acks=all) or has failed.
  // Records of one call to the same partition keep their order. A record without partition and key goes to a
  // partition of the writer's choice, one with a key to murmur2(key) mod partitions, as Java's producer does.
  // Bounded: when the writer's queue is full the records fail with throttling_quota_exceeded.
  virtual void write(std::string topic, std::vector<NewRecord> records, Done done) = 0;

  // Names, sorted; internal topics (those that begin with "__") are left out.
  virtual std::expected<std::vector<std::string>, TopicFailure> list_topics() = 0;
  virtual std::expected<TopicInfo, TopicFailure> describe_topic(const std::string& name) = 0;
};

}  // namespace pinflow::kafka
