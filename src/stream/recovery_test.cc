// What is refused, and that the way out which is said leads out: every record that was acknowledged and is still there
// is in its table or in dead_stream once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "stream/leg_test.h"

namespace pinflow::stream {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class Recovery : public Leg {
 protected:
  void remove_all(const std::string& prefix) {
    const auto files = store_.list(prefix);
    ASSERT_TRUE(files);
    for (const auto& file : *files) ASSERT_TRUE(store_.remove(file.name));
  }
  FeedCounts run_anew() {
    options_.anew = {kName};
    const FeedCounts counts = run();
    options_.anew.clear();
    return counts;
  }
  Error failure_anew() {
    options_.anew = {kName};
    const Error error = failure();
    options_.anew.clear();
    return error;
  }
  int64_t newest_plan() { return list_plans(store_, kName)->back(); }
  // No commit of a table succeeds: a plan is left unfinished.
  void leave_unfinished(const std::string& but_for = "nothing") {
    store_.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
      const std::string name(call.name);
      if (call.operation == "put_if_absent" && name.contains("_delta_log") && !name.contains(but_for))
        return object::MemoryStore::Fault{{Code::denied, "no"}};
      return std::nullopt;
    });
    EXPECT_EQ(failure().code, Code::denied);
    store_.inject(nullptr);
  }
};

TEST_F(Recovery, AStreamMadeAnewIsGoneOnWithWhereItIsAskedFor) {
  for (int i = 1; i <= 3; ++i) {
    stream_->put(reading(i));
    stream_->put(fmt::format(R"({{"number":"dead {}"}})", i));
    run();
  }
  stream_->make_anew();
  stream_->put(reading(4));
  stream_->put(R"({"number":"dead 4"})");
  const Error error = failure();
  EXPECT_THAT(error.message,
              HasSubstr("stream weather-test-reading: it is not the one that the table was filled from"));
  EXPECT_THAT(error.message, HasSubstr("pinflow stream --anew weather-test-reading (a row that is equal to one of the "
                                       "last 100000 rows of its table"));
  EXPECT_EQ(rows("SELECT count(*) FROM reading_stream"), "3\n");
  const int64_t before = newest_plan();
  EXPECT_EQ(run_anew().records[0].clean, 1);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "4|4\n");
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT record) FROM dead_stream"), "4|4\n");
  EXPECT_TRUE(read_plan(store_, kName, before + 1)->anew);
  EXPECT_EQ(read_plan(store_, kName, before + 1)->records(), 0);
  stream_->put(reading(5));
  EXPECT_EQ(run().records[0].clean, 1) << "it goes on as any other";
  EXPECT_THAT(failure_anew().message, HasSubstr("nothing of it is missing"));
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "5|5\n");
}

TEST_F(Recovery, AStreamMadeAnewIsGoneOnWithBehindAnUnfinishedPlan) {
  stream_->put(reading(1));
  run();
  stream_->put(reading(2));
  leave_unfinished();
  stream_->make_anew();
  stream_->put(reading(3));
  EXPECT_THAT(failure().message, HasSubstr("--anew"));
  EXPECT_EQ(run_anew().records[0].clean, 1);
  stream_->put(reading(4));
  run();
  EXPECT_EQ(rows("SELECT number FROM reading_stream ORDER BY 1"), "1\n3\n4\n");
}

TEST_F(Recovery, RecordsThatWereTrimmedAreAGapThatIsSteppedOver) {
  for (int i = 1; i <= 4; ++i) stream_->put(reading(i));
  run();
  for (int i = 5; i <= 8; ++i) stream_->put(reading(i));
  stream_->trim("shard-0", 6);
  const Error error = failure();
  EXPECT_THAT(error.message, HasSubstr("trimmed before they were read"));
  EXPECT_THAT(error.message, HasSubstr("--anew weather-test-reading"));
  EXPECT_EQ(run_anew().records[0].clean, 2);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number), max(number) FROM reading_stream"), "6|6|8\n");
  EXPECT_EQ(run().records[0].raw, 0);
}

// The n-th call of the store ends the worker that goes on anew; the next one does it, or finds it done.
TEST_F(Recovery, WhateverEndsGoingOnAnewEachRecordIsInItsTableOnce) {
  int posted = 0, ended = 0, done_before = 0;
  for (const bool after_work : {false, true}) {
    for (int64_t n = 1; n < 34; n += 4) {
      stream_->put(reading(++posted));
      stream_->put(fmt::format(R"({{"number":"dead {}"}})", posted));
      run();
      stream_->make_anew();
      stream_->put(reading(++posted));
      stream_->put(fmt::format(R"({{"number":"dead {}"}})", posted));
      auto calls = std::make_shared<std::atomic<int64_t>>(0);
      store_.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
        if (std::string(call.name).contains("leases") || ++*calls < n) return std::nullopt;
        return object::MemoryStore::Fault{{Code::denied, "the end"}, after_work && *calls == n};
      });
      options_.anew = {kName};
      ended += (*start())->catch_up(seconds(60)) ? 0 : 1;
      store_.inject(nullptr);
      auto streams = start();
      if (const auto again = (*streams)->catch_up(seconds(60)); !again) {
        EXPECT_THAT(again.error().message, HasSubstr("nothing of it is missing"));
        ++done_before;
      }
      streams->reset();
      options_.anew.clear();
    }
  }
  run();
  EXPECT_GT(ended, 8);
  EXPECT_GT(done_before, 0);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), fmt::format("{0}|{0}\n", posted));
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT record) FROM dead_stream"), fmt::format("{0}|{0}\n", posted));
}

TEST_F(Recovery, AnewIsRefusedWithoutNeed) {
  stream_->put(reading(1));
  EXPECT_THAT(failure_anew().message, HasSubstr("nothing of it was read yet"));
  run();
  EXPECT_THAT(failure_anew().message, HasSubstr("nothing of it is missing. Leave --anew out"));
  options_.anew = {"another"};
  const auto streams = start();
  ASSERT_FALSE(streams);
  EXPECT_THAT(streams.error().message, HasSubstr("--anew another: the pipeline reads no such stream"));
  options_.anew.clear();
  EXPECT_EQ(rows("SELECT count(*) FROM reading_stream"), "1\n");
}

TEST_F(Recovery, TablesWithoutTheirPlansAreRefused) {
  stream_->put(reading(1));
  run();
  const std::string plan = *store_.get(plan_name(kName, 1));
  ASSERT_TRUE(store_.remove(plan_name(kName, 1)));
  EXPECT_THAT(failure().message, HasSubstr("the lake's state was deleted, its tables were not"));
  EXPECT_THAT(failure().message, HasSubstr("all of its tables: tables/reading_stream (dead_stream may stay)"));
  ASSERT_TRUE(store_.put(plan_name(kName, 1), plan));
  EXPECT_EQ(run().records[0].raw, 0);
}

TEST_F(Recovery, NoDeadLetterIsPassedOverWhenAllIsReadAgain) {
  for (int i = 1; i <= 5; ++i) {
    stream_->put(reading(i));
    stream_->put(fmt::format(R"({{"number":"dead {}"}})", i));
    run();
  }
  stream_->make_anew();
  remove_all(plan_folder(kName));
  remove_all("tables/reading_stream/");
  for (int i = 6; i <= 8; ++i) {
    stream_->put(reading(i));
    stream_->put(fmt::format(R"({{"number":"dead {}"}})", i));
    run();
  }
  EXPECT_EQ(rows("SELECT count(*), min(number) FROM reading_stream"), "3|6\n");
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT record) FROM dead_stream"), "8|8\n");
  EXPECT_EQ(list_plans(store_, kName)->front(), 6);
  EXPECT_EQ(run().records[0].raw, 0);
}

TEST_F(Recovery, ATableThatIsGoneIsRefusedAndAllIsReadAgain) {
  pipeline_.records[0].partition_key = "readings";
  pipeline_.records[1].partition_key = "stations";
  const std::vector<std::string> both{"reading", "station"};
  stream_->put(R"({"number":1,"station":1,"name":"Here","height":"7"})", "stations");
  for (int i = 1; i <= 3; ++i) {
    stream_->put(reading(i), "readings");
    run(both);
  }
  remove_all("tables/reading_stream/");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(failure(both).message, HasSubstr("the table reading_stream is gone"));
    EXPECT_THAT(failure(both).message, HasSubstr("tables/reading_stream, tables/station_stream"));
  }
  remove_all(plan_folder(kName));
  EXPECT_THAT(failure(both).message, HasSubstr("plan 1 is in a table (station_stream)"));
  remove_all("tables/station_stream/");
  run(both);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "3|3\n");
  EXPECT_EQ(rows("SELECT count(*) FROM station_stream"), "1\n");
}

TEST_F(Recovery, AnotherTableUnderTheNameIsRefused) {
  for (int i = 1; i <= 2; ++i) {
    stream_->put(reading(i));
    run();
  }
  const auto entry = store_.get("tables/reading_stream/_delta_log/00000000000000000000.json");
  std::string text = *entry;
  const size_t id = text.find("\"id\":\"") + 6;
  text.replace(id, 8, text.substr(id, 8) == "00000000" ? "11111111" : "00000000");
  ASSERT_TRUE(store_.put("tables/reading_stream/_delta_log/00000000000000000000.json", text));
  EXPECT_THAT(failure().message, HasSubstr("the table reading_stream is another one"));
  ASSERT_TRUE(store_.put("tables/reading_stream/_delta_log/00000000000000000000.json", *entry));
  EXPECT_EQ(run().records[0].raw, 0);
}

TEST_F(Recovery, APlanWithoutTableIdsIsReadAsBefore) {
  for (int i = 1; i <= 2; ++i) {
    stream_->put(reading(i));
    run();
  }
  Plan plan = *read_plan(store_, kName, 2);
  EXPECT_EQ(read_plan(store_, kName, 1)->tables[0].id, "");
  ASSERT_TRUE(plan.tables[0].id && !plan.tables[0].id->empty());
  plan.tables[0].id.reset();
  ASSERT_TRUE(store_.put(plan_name(kName, 2), write_plan(plan)));
  EXPECT_THAT(*store_.get(plan_name(kName, 2)), Not(HasSubstr("\"id\":\"\"")));
  stream_->put(reading(3));
  EXPECT_EQ(run().records[0].clean, 1);
}

TEST_F(Recovery, ACleaningThatDoesNotRunIsMendedAndGoneOnWith) {
  const auto good = pipeline_.records[0].cleaning;
  stream_->put(reading(1));
  pipeline_.records[0].cleaning = {"clean/reading.sql", "SELECT\n  nonsense\nFROM raw"};
  EXPECT_THAT(failure().message, HasSubstr("clean/reading.sql:2"));
  EXPECT_TRUE(list_plans(store_, kName)->empty()) << "no plan lands whose cleaning does not run";
  pipeline_.records[0].cleaning = good;
  EXPECT_EQ(run().records[0].clean, 1);
  EXPECT_EQ(newest_plan(), 1);
}

TEST_F(Recovery, AnUnfinishedPlanGoesOnWithTheCleaningAsItIsNow) {
  stream_->put(reading(1));
  stream_->put(reading(-2));
  leave_unfinished();
  auto& text = pipeline_.records[0].cleaning.text;
  const std::string before = text;
  for (const char* change : {" -- changed", " -- and again"}) {
    text += change;
    stream_->put(reading(3));
    leave_unfinished();
  }
  EXPECT_TRUE(read_plan(store_, kName, 1)->recleaned);
  EXPECT_EQ(run().records[0].clean, 3);
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "3|3\n");
  EXPECT_EQ(rows("SELECT count(*) FROM dead_stream"), "0\n");
}

TEST_F(Recovery, APlanOfWhichSomethingIsCommittedIsFinishedWithItsCleaning) {
  stream_->put(reading(1));
  stream_->put("dead");
  leave_unfinished("dead_stream");
  auto& text = pipeline_.records[0].cleaning.text;
  const std::string before = text;
  text += " -- changed";
  // Two workers of one program never differ in it; this one is another program's.
  EXPECT_THAT(failure().message,
              HasSubstr("was begun with another cleaning of 'reading', and a part of it is committed"));
  text = before;
  EXPECT_EQ(run().records[0].clean, 1);
  EXPECT_EQ(rows("SELECT record FROM dead_stream"), "dead\n");
  text += " -- changed";
  stream_->put(reading(2));
  EXPECT_EQ(run().records[0].clean, 1);
}

// The worker with the cleaning before was away past its lease: each record is a row or a dead letter, never both.
TEST_F(Recovery, AWorkerOfTheCleaningBeforeDoesNoHarm) {
  options_.lease = std::chrono::milliseconds(60);
  for (const bool letters : {false, true}) {
    store_.inject(nullptr);
    stream_->put(reading(letters ? 2 : 1));
    if (letters) stream_->put("dead");
    auto calls = std::make_shared<std::atomic<int>>(0);
    store_.inject([=](const object::MemoryStore::Call& call) -> std::optional<object::MemoryStore::Fault> {
      const bool commit = call.operation == "put_if_absent" && std::string(call.name).contains("_delta_log");
      if (commit && ++*calls == 1) std::this_thread::sleep_for(std::chrono::milliseconds(900));
      return std::nullopt;
    });
    auto first = start();
    while (*calls == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    auto other = pipeline_;
    other.records[0].cleaning.text += " -- changed";
    std::vector<FeedOfRecords> feeds;
    feeds.push_back({std::make_unique<MemoryFeed>(kName, stream_), {"reading"}});
    auto second = Streams::start(other, store_, std::move(feeds), options_);
    ASSERT_TRUE((*second)->catch_up(seconds(60)));
    (void)(*first)->stop();
    ASSERT_TRUE((*second)->stop());
    pipeline_.records[0].cleaning.text += " -- changed";
  }
  store_.inject(nullptr);
  run();
  EXPECT_EQ(rows("SELECT count(*), count(DISTINCT number) FROM reading_stream"), "2|2\n");
  EXPECT_EQ(rows("SELECT record FROM dead_stream"), "dead\n");
}

TEST_F(Recovery, OneStreamThatEndsByAnErrorDoesNotEndTheOthers) {
  stream_->put(reading(1));
  run();
  auto stations = std::make_shared<MemoryStream>();
  std::vector<FeedOfRecords> feeds;
  feeds.push_back({std::make_unique<MemoryFeed>(kName, stream_), {"reading"}});
  feeds.push_back({std::make_unique<MemoryFeed>("weather-test-station", stations), {"station"}});
  auto streams = Streams::start(pipeline_, store_, std::move(feeds), options_);
  ASSERT_TRUE(streams);
  stream_->make_anew();
  for (int i = 1; i <= 3; ++i) {
    stations->put(fmt::format(R"({{"number":{0},"station":{0},"name":"Here","height":"7"}})", i));
    const auto done = (*streams)->catch_up(seconds(60));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("--anew"));
    EXPECT_EQ((*streams)->counts().feeds[1].records[0].clean, i) << "the other has caught up";
  }
  EXPECT_FALSE((*streams)->all_failed());
  EXPECT_THAT((*streams)->counts().feeds[0].failure, HasSubstr("--anew"));
  EXPECT_EQ((*streams)->counts().feeds[1].failure, "");
  EXPECT_FALSE((*streams)->stop());
}

}  // namespace
}  // namespace pinflow::stream
