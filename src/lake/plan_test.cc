#include "lake/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lake/test_support.h"
#include "object/memory_store.h"

namespace pinflow::lake {
namespace {

using ::testing::HasSubstr;

// "partition:from-to/objects …" of the topic of readings.
std::string ranges(const Plan& plan) {
  std::string out;
  for (const PartitionRange& range : plan.find("reading")->partitions) {
    out += fmt::format("{}{}:{}-{}/{}", out.empty() ? "" : " ", range.partition, range.from, range.to, range.objects);
  }
  return out;
}

Proposal next(object::Store& store, const std::optional<Plan>& last = {}, int64_t most_bytes = kPlanBytes) {
  auto proposal = next_plan(store, sensors(), last, "2026-11-20", most_bytes);
  if (!proposal) ADD_FAILURE() << proposal.error().message;
  return std::move(proposal.value());
}

TEST(Plan, IsReadBackAsItWasWritten) {
  object::MemoryStore store;
  put_object(store, "here.reading", 0, {"{}", "{}"});
  put_object(store, "here.reading", 7, {"{}"}, 3);
  put_marker(store, "here.reading", "cluster \"c\"", "topic é");
  const Plan plan = next(store).plan;
  const auto again = parse_plan(write_plan(plan), "test");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, plan);
  EXPECT_EQ(plan_name(3), "state/plans/batch/0000000003.json");
}

TEST(Plan, BrokenTextIsCorruptAndNamed) {
  for (const char* text :
       {"", "{}", "[]", R"({"plan":"1"})", R"({"plan":1,"pipeline":"p","date":"","made_ms":1,"topics":[{}]})"}) {
    const auto plan = parse_plan(text, "state/x.json");
    ASSERT_FALSE(plan) << text;
    EXPECT_EQ(plan.error().code, Code::corrupt);
    EXPECT_THAT(plan.error().message, HasSubstr("state/x.json"));
  }
}

TEST(NextPlan, TakesWhatIsNewAndRemembersWhereItStopped) {
  object::MemoryStore store;
  EXPECT_TRUE(next(store).plan.empty());
  put_object(store, "here.reading", 0, {"{}", "{}"});
  put_object(store, "here.reading", 5, {"{}"});  // 2 to 4 are dead letters of the sink
  const Plan first = next(store).plan;
  EXPECT_EQ(first.number, 1);
  EXPECT_EQ(ranges(first), "0:0-6/2");
  EXPECT_FALSE(first.empty());

  const Plan nothing = next(store, first).plan;
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(ranges(nothing), "0:6-6/0");

  put_object(store, "here.reading", 6, {"{}"});
  put_object(store, "here.reading", 0, {"{}"}, 1);
  const Plan second = next(store, first).plan;
  EXPECT_EQ(second.number, 2);
  EXPECT_EQ(ranges(second), "0:6-7/1 1:0-1/1");
}

TEST(NextPlan, ALongBacklogIsSeveralPlans) {
  object::MemoryStore store;
  for (int i = 0; i < 5; ++i) put_object(store, "here.reading", i * 2, {"{}", "{}"}, i / 3);
  std::optional<Plan> last;
  std::vector<std::string> taken;
  for (bool more = true; more;) {
    const Proposal proposal = next(store, last, 12);
    taken.push_back(ranges(proposal.plan));
    more = proposal.more;
    last = proposal.plan;
  }
  EXPECT_EQ(taken, (std::vector<std::string>{"0:0-4/2", "0:4-6/1 1:0-8/1", "0:6-6/0 1:8-10/1"}));
}

TEST(NextPlan, ATopicMadeAnewIsRefused) {
  object::MemoryStore store;
  put_object(store, "here.reading", 0, {"{}"});
  put_marker(store, "here.reading", "c", "one");
  const Plan first = next(store).plan;
  put_marker(store, "here.reading", "c", "two");
  const auto refused = next_plan(store, sensors(), first, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("here.reading"));
  ASSERT_TRUE(store.remove("state/topics/here.reading.json"));
  const Plan second = next(store, first).plan;  // without a marker what was known stays known
  EXPECT_EQ(second.find("reading")->identity.topic_id, "one");
}

TEST(PutPlan, WhoComesLaterGetsThePlanThatIsThere) {
  object::MemoryStore store;
  put_object(store, "here.reading", 0, {"{}"});
  const Plan first = next(store).plan;
  put_object(store, "here.reading", 1, {"{}"});
  const Plan rival = next(store).plan;
  EXPECT_EQ(ranges(put_plan(store, first).value()), "0:0-1/1");
  EXPECT_EQ(ranges(put_plan(store, rival).value()), "0:0-1/1");
  EXPECT_EQ(list_plans(store).value(), std::vector<int64_t>{1});
}

TEST(PutPlan, ALostAnswerIsFoundOut) {
  object::MemoryStore store;
  put_object(store, "here.reading", 0, {"{}"});
  const Plan plan = next(store).plan;
  store.fail_nth("put_if_absent", 1, {{Code::unavailable, "lost"}, true});
  EXPECT_TRUE(put_plan(store, plan));
  ASSERT_TRUE(store.remove(plan_name(1)));
  store.fail_nth("put_if_absent", 1, {{Code::unavailable, "down"}, false});
  const auto failed = put_plan(store, plan);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::unavailable);
}

TEST(DigestOf, ChangesWithWhatDecides) {
  pipeline::Pipeline pipeline = sensors();
  const std::string before = digest_of(pipeline, pipeline.records[0]);
  EXPECT_EQ(before, digest_of(sensors(), sensors().records[0]));
  pipeline.queries.clear();
  EXPECT_EQ(before, digest_of(pipeline, pipeline.records[0]));
  pipeline.records[0].cleaning.text += " ";
  EXPECT_NE(before, digest_of(pipeline, pipeline.records[0]));
}

}  // namespace
}  // namespace pinflow::lake
