// Which partition a keyed record goes to: as Java's DefaultPartitioner, so that a key's records are in the same place
// whoever wrote them. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace pinflow::kafka {

// org.apache.kafka.common.utils.Utils.murmur2: MurmurHash2 (Austin Appleby, public domain) with Kafka's seed.
uint32_t murmur2(std::string_view bytes);

// `partitions` is at least 1.
inline int32_t partition_of_key(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>(murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace pinflow::kafka
