#include "schedule/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "base/clock.h"

namespace pinflow::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int64_t at(const char* text) { return parse_iso_time(text).value(); }

Times daily() { return {Cron::parse("@daily").value(), TimeZone::utc()}; }

TEST(Planner, OnlyTheLastMissedTimeIsRunWithoutCatchUp) {
  const Due found = due(daily(), false, at("2026-01-01T12:00:00Z"), at("2026-01-05T12:00:00Z"));
  EXPECT_THAT(found.times, ElementsAre(at("2026-01-05T00:00:00Z")));
  EXPECT_EQ(found.left_out, 3u);
  EXPECT_TRUE(due(daily(), false, found.until, at("2026-01-05T13:00:00Z")).times.empty());
}

TEST(Planner, AThousandMissedTimesAreCaughtUpWithInOrder) {
  const int64_t day = 86'400'000, from = at("2020-01-01T12:00:00Z");
  const Due found = due(daily(), true, from, from + 1000 * day);
  ASSERT_EQ(found.times.size(), 1000u);
  EXPECT_EQ(found.times.front(), at("2020-01-02T00:00:00Z"));
  EXPECT_EQ(found.left_out, 0u);
  const Due more = due(daily(), true, from, from + 1500 * day);
  EXPECT_EQ(more.times.size(), kMaxCatchUp);
  EXPECT_EQ(more.left_out, 500u);
  EXPECT_EQ(more.times.back(), at("2020-01-01T00:00:00Z") + 1500 * day);
}

TEST(Planner, RetriesWaitTwiceAsLongEachTimeUpToALimit) {
  pipeline::Schedule schedule;
  schedule.retries = 4;
  schedule.retry_delay_s = 60;
  schedule.retry_delay_max_s = 150;
  schedule::Run run;
  run.slot = "2026-01-01";
  std::vector<int64_t> waits;
  for (run.attempt = 1; const auto next = retry_of(run, schedule, 0); ++run.attempt)
    waits.push_back(next->not_before_ms / 1000);
  EXPECT_THAT(waits, ElementsAre(60, 120, 150, 150));
}

TEST(Planner, JitterIsTheSameForTheSameRun) {
  EXPECT_EQ(jitter("2026-01-01", 1000), jitter("2026-01-01", 1000));
  EXPECT_EQ(jitter("2026-01-01", 0), 0);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const int64_t one = jitter(fmt::format("{}", i), 1000);
    EXPECT_TRUE(one >= 0 && one <= 1000);
    differs = differs || one != jitter("0", 1000);
  }
  EXPECT_TRUE(differs);
}

// A scheduler on a clock of the test's, whose runs are shell commands that claim nothing: the test plays their part.
class SchedulerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-scheduler-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    data_ = name;
    schedule_.retries = 1;
    schedule_.retry_delay_s = 60;
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  Scheduler scheduler(History& history) {
    SchedulerOptions options;
    options.grace_ms = 100;
    options.now_ms = [this] { return now_; };
    options.start = [this, &history](const schedule::Run& run, int64_t fence, const std::filesystem::path& log) {
      auto child = Child::start({"/bin/sh", "-c", command_}, {}, log);
      if (child && claims_) {
        EXPECT_TRUE(history.claim(run.id, process(child->pid()).value_or(Worker{child->pid(), "0", ""}), fence, now_));
        if (finishes_) {
          EXPECT_TRUE(history.finish(run.id, {*finishes_, "as told", "", "", ""}, now_));
        }
      }
      started_.push_back(run.slot);
      return child;
    };
    options.tell = [this](const schedule::Run& run) { told_.push_back(run.slot); };
    return {history, daily(), schedule_, data_ / "runs", options};
  }

  // Until nothing runs.
  static void work(Scheduler& scheduler) {
    do {
      ASSERT_TRUE(scheduler.step());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (scheduler.running());
    ASSERT_TRUE(scheduler.step());
  }

  std::filesystem::path data_;
  pipeline::Schedule schedule_;
  int64_t now_ = at("2026-01-01T12:00:00Z");
  std::string command_ = "exit 0";
  bool claims_ = true;
  std::optional<State> finishes_ = State::succeeded;
  std::vector<std::string> started_, told_;
};

TEST_F(SchedulerTest, RunsWhatIsDueOnceWhateverTheClockDoes) {
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  EXPECT_TRUE(started_.empty()) << "it begins with the next time";
  for (const char* time : {"2026-01-02T00:00:01Z", "2026-01-01T23:00:00Z", "2026-01-02T00:00:02Z",  // back by an hour
                           "2026-01-03T00:00:00Z", "2025-06-01T00:00:00Z",                          // by months
                           "2026-01-03T12:00:00Z", "2026-01-04T12:00:00Z"}) {
    now_ = at(time);
    work(scheduler);
  }
  EXPECT_THAT(started_, testing::UnorderedElementsAre("2026-01-02", "2026-01-03", "2026-01-04"));
}

TEST_F(SchedulerTest, AThousandMissedRunsAreQueuedAtOnceAndRunInOrder) {
  schedule_.catchup = true;
  schedule_.start = "2023-04-08";
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  ASSERT_TRUE(scheduler.step());
  EXPECT_EQ(history.queued().value() + static_cast<int64_t>(started_.size()), 1000);
  work(scheduler);
  ASSERT_GE(started_.size(), 2u);
  EXPECT_EQ(started_[0], "2023-04-08");
  EXPECT_EQ(started_[1], "2023-04-09");
  ASSERT_TRUE(scheduler.stop());
}

TEST_F(SchedulerTest, AFailedRunIsTriedAgainAfterItsWaitAndToldOfWhenThereAreNoMore) {
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  finishes_ = State::failed;
  now_ = at("2026-01-02T00:00:00Z");
  work(scheduler);
  EXPECT_EQ(started_.size(), 1u);
  now_ += 59'000;
  work(scheduler);
  EXPECT_EQ(started_.size(), 1u);
  now_ += 2'000;
  work(scheduler);
  EXPECT_EQ(started_.size(), 2u);
  EXPECT_THAT(told_, ElementsAre("2026-01-02"));
  now_ += 10'000'000;
  work(scheduler);
  EXPECT_EQ(started_.size(), 2u);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(SchedulerTest, AProcessThatEndsWithoutAWordFailsWithTheEndOfItsLog) {
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  claims_ = false;
  command_ = "echo no such folder >&2; exit 3";
  now_ = at("2026-01-02T00:00:00Z");
  work(scheduler);
  const schedule::Run run = history.get(1).value();
  EXPECT_EQ(run.state, State::failed);
  EXPECT_THAT(run.message, HasSubstr("status 3:\nno such folder"));
}

TEST_F(SchedulerTest, ARunThatHangsIsEndedEvenIfItHearsNoSignal) {
  schedule_.timeout_s = 1;
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  finishes_ = {};
  command_ = "trap '' TERM; while :; do sleep 1; done";
  now_ = at("2026-01-02T00:00:00Z");
  work(scheduler);
  const schedule::Run run = history.get(1).value();
  EXPECT_EQ(run.state, State::failed);
  EXPECT_EQ(run.message, "it took longer than its time-out of 1 s");
  EXPECT_FALSE(run.worker.alive());
}

TEST_F(SchedulerTest, ARunWhoseSchedulerDiedIsWatchedByTheNext) {
  schedule_.timeout_s = 60;
  History history = History::open(data_).value();
  const schedule::Run run = history.add({"2026-01-01", "2026-01-01", Trigger::schedule}, now_).value().run;
  auto orphan = Child::start({"/bin/sh", "-c", "sleep 100"}, {}, data_ / "log").value();
  ASSERT_TRUE(history.claim(run.id, process(orphan.pid()).value(), 0, now_));
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  EXPECT_EQ(history.get(run.id)->state, State::running) << "it still works";
  now_ += 61'000;
  while (!orphan.ended()) work(scheduler);
  work(scheduler);
  EXPECT_EQ(history.get(run.id)->state, State::abandoned);
  EXPECT_EQ(history.get(run.id)->message, "it took longer than its time-out of 60 s");
  EXPECT_EQ(history.queued().value(), 1) << "its next try";
}

TEST_F(SchedulerTest, WhatIsStoppedWithItsSchedulerWaitsAgain) {
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  finishes_ = {};
  command_ = "sleep 100";
  now_ = at("2026-01-02T00:00:00Z");
  ASSERT_TRUE(scheduler.step());
  ASSERT_TRUE(scheduler.running());
  ASSERT_TRUE(scheduler.stop());
  const schedule::Run run = history.get(1).value();
  EXPECT_EQ(run.state, State::queued);
  EXPECT_EQ(run.attempt, 1);
}

TEST_F(SchedulerTest, NothingIsPlannedWhileItIsPaused) {
  History history = History::open(data_).value();
  Scheduler scheduler = this->scheduler(history);
  work(scheduler);
  ASSERT_TRUE(history.set_paused(true));
  now_ = at("2026-01-04T00:00:00Z");
  work(scheduler);
  EXPECT_TRUE(started_.empty());
  ASSERT_TRUE(history.set_paused(false));
  work(scheduler);
  EXPECT_THAT(started_, ElementsAre("2026-01-04"));
}

}  // namespace
}  // namespace pinflow::schedule
