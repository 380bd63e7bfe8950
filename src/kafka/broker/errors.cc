#include "kafka/broker/errors.h"

namespace pinflow::kafka {

KafkaError append_error(const Error& error) {
  switch (error.code) {
    case Code::invalid: return KafkaError::invalid_record;
    case Code::unsupported: return KafkaError::unsupported_for_message_format;
    case Code::corrupt: return KafkaError::corrupt_message;
    case Code::not_found: return KafkaError::unknown_topic_or_partition;
    case Code::conflict: return KafkaError::out_of_order_sequence_number;
    case Code::denied: return KafkaError::invalid_producer_epoch;
    case Code::full: return KafkaError::kafka_storage_error;
    case Code::unavailable: return KafkaError::kafka_storage_error;
    case Code::cancelled: return KafkaError::not_leader_or_follower;
    case Code::already_exists: return KafkaError::duplicate_sequence_number;
  }
  return KafkaError::unknown_server_error;
}

KafkaError log_error(const Error& error) {
  switch (error.code) {
    case Code::invalid: return KafkaError::invalid_request;
    case Code::unsupported: return KafkaError::invalid_request;
    case Code::not_found: return KafkaError::unknown_topic_or_partition;
    case Code::already_exists: return KafkaError::topic_already_exists;
    case Code::conflict: return KafkaError::unknown_server_error;
    case Code::denied: return KafkaError::kafka_storage_error;
    case Code::corrupt: return KafkaError::kafka_storage_error;
    case Code::full: return KafkaError::kafka_storage_error;
    case Code::unavailable: return KafkaError::kafka_storage_error;
    case Code::cancelled: return KafkaError::not_leader_or_follower;
  }
  return KafkaError::unknown_server_error;
}

}  // namespace pinflow::kafka
