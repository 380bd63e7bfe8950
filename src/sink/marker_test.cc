#include "sink/marker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/memory_store.h"

namespace pinflow::sink {
namespace {

using testing::HasSubstr;

TEST(Marker, IsPutOnceAndCompared) {
  object::MemoryStore store;
  EXPECT_EQ(claim_topic(store, "t", {"cluster", "topic"}).value().sameness, Sameness::same);
  EXPECT_EQ(store.get("state/topics/t.json").value(),
            "{\"cluster_id\":\"cluster\",\"topic_id\":\"topic\",\"group\":\"\"}\n");
  EXPECT_EQ(claim_topic(store, "t", {"cluster", "topic"}).value().sameness, Sameness::same);
  EXPECT_EQ(claim_topic(store, "t", {"cluster", ""}).value().sameness, Sameness::unknown);
  EXPECT_EQ(claim_topic(store, "t", {"", "topic"}).value().sameness, Sameness::unknown);
  auto anew = claim_topic(store, "t", {"cluster", "another"});
  ASSERT_FALSE(anew);
  EXPECT_EQ(anew.error().code, Code::conflict);
  EXPECT_THAT(anew.error().message, HasSubstr("deleted and made anew"));
  auto elsewhere = claim_topic(store, "t", {"other", "topic"});
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("from the cluster cluster, this one is other"));
}

TEST(Marker, WithoutIdsIsUnknown) {
  object::MemoryStore store;
  EXPECT_EQ(claim_topic(store, "t", {"", ""}).value().sameness, Sameness::unknown);
  EXPECT_EQ(claim_topic(store, "t", {"cluster", "topic"}).value().sameness, Sameness::unknown);
}

TEST(Marker, MustBeAMarker) {
  object::MemoryStore store;
  ASSERT_TRUE(store.put("state/topics/t.json", "{}"));
  EXPECT_EQ(claim_topic(store, "t", {"c", "t"}).error().code, Code::corrupt);
  store.fail_nth("put_if_absent", 1, {{Code::unavailable, "no answer"}, true});
  EXPECT_EQ(claim_topic(store, "u", {"c", "t"}).error().code, Code::unavailable);
  EXPECT_EQ(claim_topic(store, "u", {"c", "t"}).value().sameness, Sameness::same);
}

}  // namespace
}  // namespace pinflow::sink
