#include "kafka/broker/partitioner.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pinflow::kafka {
namespace {

TEST(Partitioner, HashesAsJavaDoes) {
  // What org.apache.kafka.common.utils.Utils.murmur2 gives.
  const std::pair<const char*, int32_t> known[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [key, hash] : known) EXPECT_EQ(static_cast<int32_t>(murmur2(key)), hash) << key;
}

TEST(Partitioner, SpreadsKeysOverAllPartitions) {
  std::set<int32_t> seen;
  for (int i = 0; i < 200; ++i) {
    const int32_t partition = partition_of_key("key" + std::to_string(i), 7);
    EXPECT_GE(partition, 0);
    EXPECT_LT(partition, 7);
    seen.insert(partition);
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(partition_of_key("", 1), 0);
}

}  // namespace
}  // namespace pinflow::kafka
