#include "lake/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::HasSubstr;

TEST(ListTopic, SortsByPartitionAndOffsetWhateverThePadding) {
  object::MemoryStore store;
  for (const char* name : {"topics/t/partition=10/t+10+0000000000.json", "topics/t/partition=2/t+2+20000000000.json",
                           "topics/t/partition=2/t+2+0000000005.json", "topics/t/partition=2/t+2+7.json",
                           "topics/t2/partition=0/t2+0+0000000000.json"}) {
    ASSERT_TRUE(store.put(name, "{}\n"));
  }
  const auto objects = list_topic(store, "t");
  ASSERT_TRUE(objects);
  std::vector<std::pair<int, int64_t>> places;
  for (const TopicObject& object : *objects) places.emplace_back(object.partition, object.first_offset);
  EXPECT_EQ(places, (std::vector<std::pair<int, int64_t>>{{2, 5}, {2, 7}, {2, 20'000'000'000}, {10, 0}}));
}

TEST(ListTopic, OtherNamesArePassedOver) {
  object::MemoryStore store;
  for (const char* name : {"topics/t/partition=0/README", "topics/t/partition=0/t+0+0000000000.json.gz",
                           "topics/t/partition=0/t+1+0000000000.json", "topics/t/partition=x/t+x+0000000000.json",
                           "topics/t/partition=0/t+0+-5.json", "topics/t/partition=0/t+0+.json"}) {
    ASSERT_TRUE(store.put(name, "{}\n"));
  }
  const auto objects = list_topic(store, "t");
  ASSERT_TRUE(objects);
  EXPECT_TRUE(objects->empty());
}

TEST(ListTopic, TwoObjectsAtOneOffsetAreCorrupt) {
  object::MemoryStore store;
  ASSERT_TRUE(store.put("topics/t/partition=0/t+0+5.json", "{}\n"));
  ASSERT_TRUE(store.put("topics/t/partition=0/t+0+0000000005.json", "{}\n"));
  const auto objects = list_topic(store, "t");
  ASSERT_FALSE(objects);
  EXPECT_EQ(objects.error().code, Code::corrupt);
}

TEST(EndOf, CountsALastLineWithoutNewline) {
  object::MemoryStore store;
  put_bytes(store, "t", 100, "{}\n{}\n{}");
  put_bytes(store, "t", 200, "{}\n\n");
  put_bytes(store, "t", 300, "");
  const auto objects = list_topic(store, "t");
  EXPECT_EQ(end_of(store, (*objects)[0]).value(), 103);
  EXPECT_EQ(end_of(store, (*objects)[1]).value(), 202);
  EXPECT_EQ(end_of(store, (*objects)[2]).value(), 300);
}

TEST(IdentityOf, IsEmptyWithoutAMarkerAndCorruptWhereItIsNone) {
  object::MemoryStore store;
  EXPECT_FALSE(identity_of(store, "t")->known());
  put_marker(store, "t", "c1", "t1");
  EXPECT_EQ(identity_of(store, "t")->topic_id, "t1");
  ASSERT_TRUE(store.put("state/topics/t.json", "[]"));
  const auto broken = identity_of(store, "t");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("state/topics/t.json"));
}

TEST(Objects, AnotherLayoutIsRefused) {
  object::MemoryStore store;
  ASSERT_TRUE(store.put("topics/t/partition=0/t+0+0000000000.json", "{}\n"));
  ASSERT_TRUE(store.put("state/sink/tt/partition=0/00000000000000000000.json", "{}"));
  EXPECT_EQ(list_topic(store, "t")->size(), 1u);
  ASSERT_TRUE(store.put("state/sink/t/partition=0/00000000000000000000.json", "{}"));
  const auto listed = list_topic(store, "t");
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, Code::unsupported);
  EXPECT_THAT(listed.error().message, HasSubstr("the topic t was written by a sink with other settings"));
}

}  // namespace
}  // namespace pinflow::lake
