// A Kafka topic as a feed: its partitions are shards ("0", "1", …) without parents, offsets are positions. Read by
// hand: no group, nothing is committed at the cluster.
#pragma once

#include <memory>
#include <string>

#include "kafka/client/config.h"
#include "stream/feed.h"

namespace pinflow::stream {

std::unique_ptr<Feed> kafka_feed(kafka::ClientConfig config, std::string topic, size_t buffer_bytes = 16 << 20);

}  // namespace pinflow::stream
