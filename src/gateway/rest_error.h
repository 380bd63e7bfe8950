// The REST proxy's errors: a request's, and those of single records, from Kafka's. Pure.
// Codes: the v2 API's error codes; for a plain HTTP error the status is its own code.
#pragma once

#include <string>
#include <string_view>

#include "kafka/client/topic_writer.h"

namespace pinflow::gateway {

// {"error_code":code,"message":"…"} with that HTTP status.
struct RestError {
  int status = 500;
  int code = 500;
  std::string message;
};

std::string error_body(const RestError& error);

inline constexpr int kTopicNotFound = 40401;
inline constexpr int kPartitionNotFound = 40402;
inline constexpr int kPayloadError = 42206;
inline constexpr int kKafkaFailed = 50002;
inline constexpr int kKafkaRetriable = 50003;

// What one of Kafka's errors is to a client of the REST proxy.
struct RestMeaning {
  int slot_code;     // error_code of a record in the answer's offsets
  int request_code;  // error_code of the whole request when no record of it was stored; 0: the slots say it
  int status() const { return request_code < 1000 ? request_code : request_code / 100; }
};
RestMeaning meaning_of(kafka::KafkaError error);

// The error of a request that asks about topics.
RestError metadata_error(const kafka::TopicFailure& failure, std::string_view topic);

}  // namespace pinflow::gateway
