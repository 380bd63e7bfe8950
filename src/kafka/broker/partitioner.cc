#include "kafka/broker/partitioner.h"

#include <cstring>

namespace pinflow::kafka {

uint32_t murmur2(std::string_view bytes) {
  constexpr uint32_t kSeed = 0x9747b28c;
  constexpr uint32_t kFactor = 0x5bd1e995;
  constexpr int kShift = 24;
  uint32_t hash = kSeed ^ static_cast<uint32_t>(bytes.size());
  while (bytes.size() >= 4) {
    uint32_t word;
    std::memcpy(&word, bytes.data(), sizeof word);  // little-endian, as Java's loop puts it together
    word *= kFactor;
    word ^= word >> kShift;
    word *= kFactor;
    hash *= kFactor;
    hash ^= word;
    bytes.remove_prefix(4);
  }
  if (!bytes.empty()) {
    for (size_t i = 0; i < bytes.size(); ++i) hash ^= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    hash *= kFactor;
  }
  hash ^= hash >> 13;
  hash *= kFactor;
  hash ^= hash >> 15;
  return hash;
}

}  // namespace pinflow::kafka
