// The leg over streams in memory: what reaches which table, whatever fails at whatever call.
#include "stream/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/bytes.h"
#include "base/shutdown.h"
#include "stream/leg_test.h"

namespace pinflow::stream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Leg, RecordsReachTheirTableOnce) {
  for (int i = 0; i < 100; ++i) stream_->put(reading(i), "any", i % 3 == 0 ? "shard-1" : "shard-0");
  const FeedCounts first = run();
  EXPECT_EQ(first.records[0].raw, 100);
  EXPECT_EQ(first.records[0].clean, 100);
  EXPECT_EQ(first.records[0].before, 0);
  EXPECT_EQ(first.records[0].after, 100);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number), min(taken) FROM reading_stream"),
            "100|100|2026-11-21 07:00:00\n");
  stream_->put(reading(100));
  const FeedCounts second = run();
  EXPECT_EQ(second.records[0].raw, 1);
  EXPECT_EQ(second.records[0].before, 100);
  EXPECT_EQ(second.records[0].after, 101);
  EXPECT_EQ(run().records[0].raw, 0) << "nothing new";
  EXPECT_EQ(rows("SELECT count(*) FROM dead_stream"), "0\n") << "no commit where there are no dead letters";
  EXPECT_FALSE(store_.stat("tables/dead_stream/_delta_log/00000000000000000000.json"));
}

TEST_F(Leg, RecordsAreTakenWhileTheyCome) {
  auto streams = start();
  for (int i = 0; i < 300; ++i) {
    stream_->put(reading(i));
    if (i % 100 == 99) {
      ASSERT_TRUE((*streams)->catch_up(seconds(60)));
    }
  }
  const FeedCounts counts = (*streams)->counts().feeds[0];
  EXPECT_GE(counts.plans, 3);
  EXPECT_EQ(counts.commits, counts.plans) << "one commit a micro-batch";
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "300|300\n");
}

TEST_F(Leg, WhatIsNoRowIsADeadLetterWithItsOrigin) {
  stream_->put(reading(1));
  stream_->put("no json", "any", "shard-1");
  stream_->put(R"({"number":"x"})");
  stream_->put(R"({"number":1,"number":2})");
  stream_->put("\xff\xfe");
  stream_->put("[1,2]");
  const FeedCounts counts = run();
  EXPECT_EQ(counts.records[0].clean, 1);
  EXPECT_EQ(counts.records[0].dead, 5);
  EXPECT_EQ(rows("SELECT \"table\", reason, stream, shard, sequence_number, record, plan FROM dead_stream ORDER BY "
                 "CAST(sequence_number AS INT)"),
            "reading_stream|not JSON|weather-test-reading|shard-1|2|no json|1\n"
            "reading_stream|no whole number in number|weather-test-reading|shard-0|3|{\"number\":\"x\"}|1\n"
            "reading_stream|duplicate key|weather-test-reading|shard-0|4|{\"number\":1,\"number\":2}|1\n"
            "reading_stream|not UTF-8|weather-test-reading|shard-0|5|\xEF\xBF\xBD\xEF\xBF\xBD|1\n"
            "reading_stream|not a JSON object|weather-test-reading|shard-0|6|[1,2]|1\n");
}

TEST_F(Leg, Base64TextOfJsonIsARecord) {
  stream_->put(base64_encode(reading(1)));
  stream_->put('"' + base64_encode(reading(2)) + '"');
  stream_->put("[" + reading(3) + "]");
  EXPECT_EQ(run().records[0].clean, 3);
}

TEST_F(Leg, RepeatsAreDroppedAlsoBehindARestart) {
  for (const int number : {1, 2, 1, 3}) stream_->put(reading(number));
  EXPECT_EQ(run().records[0].duplicates, 1);
  stream_->put(reading(3));
  stream_->put(reading(3, "another"));
  const FeedCounts counts = run();
  EXPECT_EQ(counts.records[0].duplicates, 1);
  EXPECT_EQ(counts.records[0].clean, 1);
  stream_->put(reading(2));
  EXPECT_EQ(run().records[0].clean, 0) << "a micro-batch of repeats alone is done too";
  EXPECT_EQ(rows("SELECT count(*) FROM reading_stream"), "4\n");
}

TEST_F(Leg, RepeatsAreKeptWhereThePipelineSaysSo) {
  pipeline_.repeats.stream_drop = false;
  for (const int number : {1, 1}) stream_->put(reading(number));
  EXPECT_EQ(run().records[0].clean, 2);
  stream_->put(reading(1));
  EXPECT_EQ(run().records[0].clean, 1);
}

TEST_F(Leg, RepeatsAreLookedForInTheWindowOnly) {
  pipeline_.repeats.stream_rows = 2;
  pipeline_.repeats.stream_minutes = 0;
  for (const int number : {1, 2, 3, 4}) stream_->put(reading(number));
  run();
  std::this_thread::sleep_for(milliseconds(5));
  auto streams = start();
  stream_->put(reading(9));
  ASSERT_TRUE((*streams)->catch_up(seconds(60)));
  std::this_thread::sleep_for(milliseconds(5));
  stream_->put(reading(1));
  ASSERT_TRUE((*streams)->catch_up(seconds(60)));
  EXPECT_EQ((*streams)->counts().feeds[0].records[0].clean, 2);
}

TEST_F(Leg, OneStreamFeedsSeveralTables) {
  pipeline_.records[0].partition_key = "readings";
  pipeline_.records[1].partition_key = "stations";
  stream_->put(reading(1), "readings");
  stream_->put(R"({"number":1,"station":1,"name":"Here","height":"7"})", "stations");
  stream_->put(R"({"number":2,"station":2,"name":"There","height":"8"})", "stations");
  stream_->put(R"({"number":3})", "nobody's");
  const FeedCounts counts = run({"reading", "station"});
  EXPECT_EQ(counts.records[0].clean, 1);
  EXPECT_EQ(counts.records[1].clean, 2);
  EXPECT_EQ(counts.unrouted, 1);
  EXPECT_EQ(rows("SELECT name FROM station_stream ORDER BY 1"), "Here\nThere\n");
  EXPECT_EQ(rows("SELECT \"table\", reason, record FROM dead_stream"),
            "|partition key of no record type|{\"number\":3}\n");
  stream_->put("{}", "nobody's");
  EXPECT_EQ(run({"reading", "station"}).unrouted, 1) << "a micro-batch of nothing else is done too";
  EXPECT_EQ(run({"reading", "station"}).unrouted, 0);
  stream_->put(reading(2), "readings");
  EXPECT_EQ(run({"reading", "station"}).commits, 1) << "a table without records gets no commit";
}

TEST_F(Leg, AChildShardWaitsForItsParentsEnd) {
  for (int i = 0; i < 20; ++i) stream_->put(reading(i), "any", "shard-0");
  stream_->split("shard-0", "shard-2");
  for (int i = 20; i < 40; ++i) stream_->put(reading(i), "any", "shard-2");
  stream_->split("shard-2", "shard-3");
  for (int i = 40; i < 60; ++i) stream_->put(reading(i), "any", "shard-3");
  EXPECT_EQ(run().records[0].clean, 60);
  EXPECT_THAT(stream_->begun(), ::testing::ElementsAre("shard-0", "shard-1", "shard-2", "shard-3"));
  const auto numbers = list_plans(store_, kName);
  const auto last = read_plan(store_, kName, numbers->back());
  EXPECT_TRUE(last->progress().at("shard-0").ended);
  EXPECT_FALSE(last->progress().at("shard-3").ended);
  stream_->put(reading(60), "any", "shard-3");
  EXPECT_EQ(run().records[0].raw, 1);
}

// The n-th call of the store from the worker's start on ends it, its work done or not; the next worker makes it good.
void fail_at(object::MemoryStore& store, int64_t n, bool after_work) {
  auto calls = std::make_shared<std::atomic<int64_t>>(0);
  store.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (std::string(call.name).contains("leases")) return std::nullopt;
    const int64_t number = ++*calls;
    if (number < n) return std::nullopt;
    return object::MemoryStore::Fault{{Code::denied, "the end"}, after_work && number == n};
  });
}

TEST_F(Leg, WhateverEndsAtWhateverCallEachRecordIsInItsTableOnce) {
  int64_t posted = 0;
  int ended = 0;
  for (const bool drop : {true, false}) {
    pipeline_.repeats.stream_drop = drop;
    for (const bool after_work : {false, true}) {
      for (int64_t n = 1; n < 45; n += 2) {
        for (int i = 0; i < 3; ++i)
          stream_->put(reading(static_cast<int>(++posted)), "any", i == 0 ? "shard-0" : "shard-1");
        stream_->put(fmt::format(R"({{"number":"dead {}"}})", ++posted));
        fail_at(store_, n, after_work);
        {
          auto streams = start();
          ASSERT_TRUE(streams);
          const auto done = (*streams)->catch_up(seconds(60));
          if (!done) ++ended;
        }
        store_.inject(nullptr);
      }
    }
  }
  run();
  EXPECT_GT(ended, 40);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"),
            fmt::format("{0}|{0}\n", posted / 4 * 3));
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT record) FROM dead_stream"), fmt::format("{0}|{0}\n", posted / 4));
}

TEST_F(Leg, LostAnswersAreFoundOut) {
  auto calls = std::make_shared<std::atomic<int64_t>>(0);
  store_.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
    if (!call.operation.starts_with("put")) return std::nullopt;
    // About every third, without a rhythm into which the attempts could fall.
    const uint32_t dice = static_cast<uint32_t>(++*calls) * 2654435761U >> 16;
    if (dice % 3 != 0) return std::nullopt;
    return object::MemoryStore::Fault{{Code::unavailable, "no answer"}, dice % 2 == 0};
  });
  auto streams = start();
  for (int i = 0; i < 20; ++i) {
    stream_->put(reading(i));
    const auto done = (*streams)->catch_up(seconds(60));
    ASSERT_TRUE(done && *done);
  }
  ASSERT_TRUE((*streams)->stop());
  store_.inject(nullptr);
  const FeedCounts counts = (*streams)->counts().feeds[0];
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "20|20\n");
  EXPECT_EQ(counts.records[0].clean, 20) << "also those whose answers were lost are counted";
  EXPECT_EQ(counts.records[0].after, 20);
}

// A worker that sleeps beyond its lease at any of its puts, while another takes over.
TEST_F(Leg, AWorkerThatWasAwayForLongDoesNoHarm) {
  options_.lease = milliseconds(60);
  int64_t posted = 0;
  for (int round = 1; round <= 9; ++round) {
    auto calls = std::make_shared<std::atomic<int64_t>>(0);
    store_.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
      const bool put = call.operation.starts_with("put") && !std::string(call.name).contains("leases");
      if (put && ++*calls == round) std::this_thread::sleep_for(milliseconds(250));
      return std::nullopt;
    });
    for (int i = 0; i < 5; ++i) stream_->put(reading(static_cast<int>(++posted)));
    auto first = start();
    while (*calls < round && !(*first)->failure() && (*first)->counts().feeds[0].plans < 1)
      std::this_thread::sleep_for(milliseconds(1));
    auto second = start();
    for (int i = 0; i < 5; ++i) stream_->put(reading(static_cast<int>(++posted)));
    const auto done = (*second)->catch_up(seconds(60));
    if (!done) {  // the first one has woken and kept its lease
      const auto by_first = (*first)->catch_up(seconds(60));
      ASSERT_TRUE(by_first && *by_first);
    }
    ASSERT_TRUE((*first)->stop());
    ASSERT_TRUE((*second)->stop());
  }
  store_.inject(nullptr);
  run();
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), fmt::format("{0}|{0}\n", posted));
}

TEST_F(Leg, AStopLetsTheStatementsOfAMicroBatchEnd) {
  std::string& text = pipeline_.records[0].cleaning.text;
  const size_t from = text.rfind("FROM ");
  ASSERT_NE(from, std::string::npos);
  text = "WITH slow AS (SELECT sum(i % 7) AS s FROM range(60000000) t(i)), rows_of AS (" + text +
         ") SELECT rows_of.* FROM rows_of, slow WHERE s > 0";
  stream_->put(reading(1));
  EXPECT_EXIT(
      {
        request_stop();
        auto streams = start();
        const auto done = (*streams)->catch_up(seconds(60));
        std::exit(done && *done && (*streams)->stop() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST_F(Leg, OldPlansDoNotPileUp) {
  auto streams = start();
  for (int i = 0; i < 110; ++i) {
    stream_->put(reading(i));
    ASSERT_TRUE((*streams)->catch_up(seconds(60)));
  }
  ASSERT_TRUE((*streams)->stop());
  const auto numbers = list_plans(store_, kName);
  EXPECT_GE(numbers->back(), 110);
  EXPECT_EQ(numbers->front(), 1) << "the first one stays";
  EXPECT_LE(numbers->size(), 76u);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "110|110\n");
}

TEST_F(Leg, TheSecondWorkerWaitsAndTakesOver) {
  auto first = start();
  stream_->put(reading(1));
  ASSERT_TRUE((*first)->catch_up(seconds(60)));
  auto second = start();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_TRUE((*second)->counts().feeds[0].waiting);
  ASSERT_TRUE((*first)->stop());
  stream_->put(reading(2));
  ASSERT_TRUE((*second)->catch_up(seconds(60)));
  EXPECT_EQ((*second)->counts().feeds[0].records[0].clean, 1);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "2|2\n");
}

}  // namespace
}  // namespace pinflow::stream
