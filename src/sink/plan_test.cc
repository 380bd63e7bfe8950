#include "sink/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/memory_store.h"
#include "sink/plan_reader.h"

namespace pinflow::sink {
namespace {

Plan plan(int64_t first, int64_t next) {
  return {.first = first,
          .next = next,
          .wallclock_ms = 1'604'883'167'000,
          .settings = "1 [\"a\"]",
          .dead = 2,
          .objects = {{"topics/t/a=1/t+0+0000000003.json", 5}, {"dead/t/partition=0/t+0+0000000004.json", 2}}};
}

void put(object::Store& store, const Plan& one, int32_t partition = 0) {
  ASSERT_TRUE(store.put(plan_name("t", partition, one.first), plan_text(one)));
}

TEST(Plan, ReadsWhatItWrites) {
  EXPECT_EQ(parse_plan(plan_text(plan(3, 10))).value(), plan(3, 10));
  EXPECT_EQ(plan_name("t", 7, 42), "state/sink/t/partition=7/00000000000000000042.json");
}

TEST(Plan, RefusesWhatIsNone) {
  for (const std::string text : {"", "{}", "[1]", "{\"first\":1}"})
    EXPECT_EQ(parse_plan(text).error().code, Code::corrupt) << text;
  Plan empty = plan(3, 3);
  EXPECT_FALSE(parse_plan(plan_text(empty)));
  std::string cut = plan_text(plan(3, 10));
  cut.resize(cut.size() / 2);
  EXPECT_FALSE(parse_plan(cut));
}

TEST(Plan, TheLastIsFoundFromAnyOffset) {
  object::MemoryStore store;
  EXPECT_FALSE(last_plan(store, "t", 0, 0).value());
  EXPECT_FALSE(last_plan(store, "t", 0, 100).value());
  put(store, plan(3, 10));
  put(store, plan(10, 2000));
  put(store, plan(50, 60), 1);
  put(store, plan(51, 60), 10);
  for (const int64_t near : {0, 3, 10, 11, 5000}) EXPECT_EQ(last_plan(store, "t", 0, near).value()->first, 10) << near;
  ASSERT_TRUE(store.put(plan_name("t", 0, 3000), plan_text(plan(10, 2000))));
  EXPECT_EQ(last_plan(store, "t", 0, 0).error().code, Code::corrupt);
}

TEST(Plan, IsFinishedWhenAllItsObjectsAreThere) {
  object::MemoryStore store;
  EXPECT_FALSE(is_finished(store, plan(3, 10), false).value());
  ASSERT_TRUE(store.put("topics/t/a=1/t+0+0000000003.json", "x"));
  EXPECT_FALSE(is_finished(store, plan(3, 10), false).value());
  ASSERT_TRUE(store.put("dead/t/partition=0/t+0+0000000004.json", "x"));
  EXPECT_TRUE(is_finished(store, plan(3, 10), false).value());
  EXPECT_FALSE(is_finished(store, plan(3, 10), true).value()) << "a topic cannot be asked";
  store.fail_nth("stat", 1, {{Code::unavailable, "no answer"}, false});
  EXPECT_EQ(is_finished(store, plan(3, 10), false).error().code, Code::unavailable);
}

}  // namespace
}  // namespace pinflow::sink
