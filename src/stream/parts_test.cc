// The parts of a stream worker by themselves: decoding, routes, the window, plans, leases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "base/bytes.h"
#include "base/clock.h"
#include "object/memory_store.h"
#include "stream/batch.h"
#include "stream/decode.h"
#include "stream/lease.h"
#include "stream/plan.h"
#include "stream/window.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string decoded(std::string_view data) {
  std::string scratch;
  return std::string(record_of(data, scratch));
}

TEST(Decode, JsonStaysAsItIs) {
  EXPECT_EQ(decoded(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(decoded(" [1] "), " [1] ");
  EXPECT_EQ(decoded(R"("a text")"), R"("a text")");
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("12"), "12");
}

TEST(Decode, Base64OfJsonIsDecodedOnceMore) {
  const std::string base64 = base64_encode(R"({"a":"ÿ?>"})");
  ASSERT_THAT(base64, HasSubstr("/"));
  EXPECT_EQ(decoded(base64), R"({"a":"ÿ?>"})");
  EXPECT_EQ(decoded('"' + base64 + "\"\n"), R"({"a":"ÿ?>"})");
  std::string escaped;  // as some writers of JSON do
  for (const char byte : base64) escaped += byte == '/' ? "\\/" : std::string(1, byte);
  EXPECT_EQ(decoded('"' + escaped + '"'), R"({"a":"ÿ?>"})");
  EXPECT_EQ(decoded(base64_encode("plain")), base64_encode("plain")) << "base64 of something else is what it is";
  EXPECT_EQ(decoded(base64_encode(base64)), base64_encode(base64)) << "once, not twice";
}

TEST(Routes, SeveralTypesGoByThePartitionKey) {
  pipeline::RecordType pin, geo, rest;
  pin.partition_key = "pins";
  geo.partition_key = "geos";
  const Routes two({&pin, &geo});
  EXPECT_EQ(two.of("pins"), 0u);
  EXPECT_EQ(two.of("geos"), 1u);
  EXPECT_EQ(two.of("others"), Routes::kNone);
  EXPECT_EQ(Routes({&pin, &rest}).of("others"), 1u);
  EXPECT_EQ(Routes({&pin}).of("others"), 0u) << "one type takes all";
}

TEST(Window, KnowsWhatCameLatelyAndForgetsTheRest) {
  Window window(3, 1000);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_TRUE(window.add({i, i}, 100));
  EXPECT_FALSE(window.add({4, 4}, 100));
  EXPECT_TRUE(window.add({4, 5}, 100)) << "the same key, another row";
  window.forget_old(1100);
  EXPECT_EQ(window.size(), 6) << "all are young";
  window.forget_old(1101);
  EXPECT_EQ(window.size(), 3) << "old, but the rows' number reaches further";
  EXPECT_FALSE(window.add({4, 5}, 1200));
  EXPECT_TRUE(window.add({0, 0}, 1200)) << "forgotten";
}

TEST(Window, AgreesWithAPlainList) {
  Window window(500, 0);
  std::deque<uint64_t> list;
  std::mt19937_64 random(7);
  for (int64_t now = 0; now < 60'000; ++now) {
    const uint64_t value = random() % 1500;
    const bool fresh = std::ranges::find(list, value) == list.end();
    ASSERT_EQ(window.add({value, value * 3}, now), fresh) << "at " << now;
    if (fresh) list.push_back(value);
    if (now % 7 != 0) continue;
    window.forget_old(now + 1);
    while (list.size() > 500) list.pop_front();
    ASSERT_EQ(window.size(), static_cast<int64_t>(list.size()));
  }
}

Plan some_plan(int64_t number) {
  Plan plan;
  plan.number = number;
  plan.pipeline = "weather";
  plan.feed = "weather \"stream\"";
  plan.identity = {"arn:aws:kinesis:us-east-1:000000000000:stream/x", "1763683200000"};
  plan.date = "2026-11-21";
  plan.made_ms = 1763683200123;
  plan.unrouted = 2;
  plan.tables = {{"reading", "reading_stream", "abc", 5, number}, {"station", "station_stream", "def", 0, 0}};
  plan.shards = {{"shardId-000000000000", "", "49590338271490256608559692538361571095921575989136588898", 7, true, 17}};
  return plan;
}

TEST(StreamPlan, ReadsWhatItWrites) {
  const Plan plan = some_plan(3);
  const auto read = parse_plan(write_plan(plan), "here");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, plan);
  EXPECT_EQ(plan.records(), 7);
  const auto progress = plan.progress();
  EXPECT_TRUE(progress.at("shardId-000000000000").ended);
  for (const std::string& broken :
       std::vector<std::string>{"", "{}", R"({"plan":1})", write_plan(plan).substr(0, 80)}) {
    const auto wrong = parse_plan(broken, "here");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::corrupt);
    EXPECT_THAT(wrong.error().message, HasSubstr("here: not a plan"));
  }
}

TEST(StreamPlan, OneOfANumberIsPut) {
  object::MemoryStore store;
  Plan plan = some_plan(1);
  plan.feed = "s";
  ASSERT_TRUE(put_plan(store, plan));
  EXPECT_TRUE(put_plan(store, plan)) << "the same again: an answer was lost";
  Plan other = plan;
  other.unrouted = 9;
  const auto lost = put_plan(store, other);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::conflict);
  EXPECT_EQ(*read_plan(store, "s", 1), plan);
  EXPECT_THAT(*list_plans(store, "s"), ElementsAre(1));
}

TEST(StreamPlan, ALostAnswerIsFoundOut) {
  object::MemoryStore store;
  Plan plan = some_plan(1);
  plan.feed = "s";
  store.fail_nth("put_if_absent", 1, {{Code::unavailable, "no answer"}, true});
  EXPECT_TRUE(put_plan(store, plan));
  plan.number = 2;
  store.fail_nth("put_if_absent", 1, {{Code::unavailable, "no answer"}, false});
  const auto lost = put_plan(store, plan);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::unavailable);
}

TEST(StreamPlan, ANumberThatWasUsedAndRemovedIsNoNewOne) {
  object::MemoryStore store;
  Plan plan = some_plan(5);
  plan.feed = "s";
  const auto late = put_plan(store, plan);  // plan 4 is not there: 5 was, long ago
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::conflict);
  EXPECT_THAT(late.error().message, HasSubstr("long ago by another worker"));
}

TEST(LeaseOfAStream, IsOneWorkers) {
  object::MemoryStore store;
  Lease first(store, "s", milliseconds(10'000));
  EXPECT_TRUE(*first.try_take());
  Lease second(store, "s", milliseconds(10'000));
  EXPECT_FALSE(*second.try_take());
  EXPECT_THAT(second.holder(), HasSubstr("process "));
  EXPECT_TRUE(*first.keep());
  first.release();
  EXPECT_TRUE(*second.try_take());
  EXPECT_FALSE(first.held());
}

TEST(LeaseOfAStream, EndsWhenItIsNotRenewed) {
  object::MemoryStore store;
  Lease first(store, "s", milliseconds(120));
  ASSERT_TRUE(*first.try_take());
  Lease second(store, "s", milliseconds(120));
  ASSERT_FALSE(*second.try_take());
  std::this_thread::sleep_for(milliseconds(150));
  EXPECT_TRUE(*second.try_take());
  EXPECT_FALSE(*first.keep()) << "who was away for too long finds another there";
}

LeaseRecord lease_of(const std::string& host, int64_t process, int64_t until_ms) {
  return {"somebody", host, process, 1, 1, until_ms};
}

TEST(LeaseOfAStream, OfAClockThatIsAheadEndsToo) {
  object::MemoryStore store;
  const int64_t next_year = now_ms() + 365LL * 24 * 3'600'000;
  ASSERT_TRUE(store.put("state/leases/stream/s.json", write_lease(lease_of("elsewhere/boot", 1, next_year))));
  Lease ours(store, "s", milliseconds(100));
  EXPECT_FALSE(*ours.try_take());
  std::this_thread::sleep_for(milliseconds(150));
  EXPECT_TRUE(*ours.try_take()) << "it does not beat";
}

TEST(LeaseOfAStream, OfAProcessThatIsGoneIsFree) {
  object::MemoryStore store;
  Lease here(store, "s", milliseconds(10'000));
  ASSERT_TRUE(*here.try_take());
  LeaseRecord dead = *parse_lease(*store.get("state/leases/stream/s.json"));
  here.release();
  dead.owner = "somebody";
  dead.started -= 1;  // a process of that id that began at another time
  ASSERT_TRUE(store.put("state/leases/stream/s.json", write_lease(dead)));
  EXPECT_TRUE(*here.try_take());
}

TEST(LeaseOfAStream, WhatIsNoLeaseIsFree) {
  object::MemoryStore store;
  ASSERT_TRUE(store.put("state/leases/stream/s.json", "rubbish"));
  EXPECT_TRUE(*Lease(store, "s", milliseconds(1000)).try_take());
}

}  // namespace
}  // namespace pinflow::stream
