#include "gateway/rest_error.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"

namespace pinflow::gateway {

std::string error_body(const RestError& error) {
  std::string body = fmt::format(R"({{"error_code":{},"message":)", error.code);
  append_json_string(body, error.message);
  body += '}';
  return body;
}

RestMeaning meaning_of(kafka::KafkaError error) {
  using enum kafka::KafkaError;
  constexpr RestMeaning authentication{40101, 40101}, authorization{40301, 40301};
  constexpr RestMeaning bad_request{40002, 40002};
  constexpr RestMeaning of_the_record{kKafkaFailed, 0};  // other records may be fine
  constexpr RestMeaning failed{kKafkaFailed, kKafkaFailed};
  constexpr RestMeaning retriable{kKafkaRetriable, kKafkaRetriable};
  constexpr RestMeaning no_broker{kKafkaRetriable, 50302};
  switch (error) {
    case none: std::unreachable();
    case unknown_topic_or_partition:
    case unknown_topic_id: return {40403, kTopicNotFound};
    case throttling_quota_exceeded: return {kKafkaRetriable, 429};
    case message_too_large:
    case record_list_too_large:
    case invalid_record: return of_the_record;
    case corrupt_message: return {kKafkaRetriable, 0};
    case broker_not_available:
    case network_exception: return no_broker;
    case leader_not_available:
    case not_leader_or_follower:
    case request_timed_out:
    case coordinator_load_in_progress:
    case coordinator_not_available:
    case not_coordinator:
    case kafka_storage_error:
    case fenced_leader_epoch:
    case unknown_leader_epoch:
    case rebalance_in_progress: return retriable;
    case sasl_authentication_failed: return authentication;
    case topic_authorization_failed:
    case group_authorization_failed:
    case cluster_authorization_failed: return authorization;
    case invalid_topic:
    case topic_already_exists:
    case invalid_partitions:
    case invalid_replication_factor:
    case invalid_config:
    case invalid_request:
    case invalid_required_acks:
    case unsupported_version: return bad_request;
    case unknown_server_error:
    case offset_out_of_range:
    case illegal_generation:
    case inconsistent_group_protocol:
    case invalid_group_id:
    case unknown_member_id:
    case invalid_session_timeout:
    case unsupported_for_message_format:
    case out_of_order_sequence_number:
    case duplicate_sequence_number:
    case invalid_producer_epoch:
    case unknown_producer_id:
    case non_empty_group:
    case group_id_not_found:
    case unsupported_compression_type:
    case member_id_required:
    case fenced_instance_id: return failed;
  }
  return failed;  // a number of the protocol that we have no name for
}

RestError metadata_error(const kafka::TopicFailure& failure, std::string_view topic) {
  const RestMeaning meaning = meaning_of(failure.error);
  if (meaning.request_code == kTopicNotFound) {
    return {404, kTopicNotFound, fmt::format("Topic not found: there is no topic {}.", topic)};
  }
  const int code = meaning.request_code != 0 ? meaning.request_code : meaning.slot_code;
  return {code < 1000 ? code : code / 100, code, failure.message};
}

}  // namespace pinflow::gateway
