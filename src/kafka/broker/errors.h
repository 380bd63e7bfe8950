// Which of Kafka's error codes tells a client about an error of ours. Pure.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "kafka/client/topic_writer.h"

namespace pinflow::kafka {

// Codes that only a broker needs (org.apache.kafka.common.protocol.Errors).
inline constexpr KafkaError kOffsetMetadataTooLarge{12};
inline constexpr KafkaError kInvalidReplicaAssignment{39};
inline constexpr KafkaError kFetchSessionIdNotFound{70};
inline constexpr KafkaError kGroupMaxSizeReached{81};
inline constexpr KafkaError kGroupSubscribedToTopic{86};

constexpr int16_t wire(KafkaError error) { return static_cast<int16_t>(error); }

// Of Log::append. What passes (full, unavailable, cancelled) becomes a code on which clients retry.
KafkaError append_error(const Error& error);

// Of any other call of the log.
KafkaError log_error(const Error& error);

}  // namespace pinflow::kafka
