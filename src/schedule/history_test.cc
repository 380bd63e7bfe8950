#include "schedule/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"

namespace pinflow::schedule {
namespace {

using testing::HasSubstr;

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "pinflow-history-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    data_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(data_); }

  History open() { return History::open(data_, 200).value(); }
  static NewRun dated(const std::string& date, Trigger trigger = Trigger::schedule) {
    NewRun run;
    run.slot = run.date = date;
    run.trigger = trigger;
    return run;
  }

  std::filesystem::path data_;
  Worker me_ = this_process();
};

TEST_F(HistoryTest, ASlotSucceedsOnce) {
  History history = open();
  const schedule::Run first = history.add(dated("2026-01-01"), 1).value().run;
  EXPECT_EQ(first.state, State::queued);
  EXPECT_FALSE(history.add(dated("2026-01-01", Trigger::manual), 2)->added) << "it is queued";
  ASSERT_TRUE(history.claim(first.id, me_, 0, 3));
  EXPECT_TRUE(history.finish(first.id, {State::succeeded, "", "{}", "{}", "{}"}, 4).value());
  EXPECT_FALSE(history.finish(first.id, {State::failed, "late", "", "", ""}, 5).value());
  const Added again = history.add(dated("2026-01-01", Trigger::manual), 6).value();
  EXPECT_FALSE(again.added);
  EXPECT_EQ(again.run.id, first.id);
  NewRun forced = dated("2026-01-01", Trigger::manual);
  forced.force = true;
  EXPECT_TRUE(history.add(forced, 7)->added);
}

TEST_F(HistoryTest, TheScheduleNeverPlansASlotTwice) {
  History history = open();
  const schedule::Run run = history.plan({dated("2026-01-01")}, 10, 10).value().at(0).run;
  ASSERT_TRUE(history.finish(run.id, {State::failed, "broken", "", "", ""}, 11));
  EXPECT_FALSE(history.plan({dated("2026-01-01")}, 20, 20).value().at(0).added);
  EXPECT_EQ(history.planned_until().value(), 20);
  EXPECT_TRUE(history.add(dated("2026-01-01", Trigger::backfill), 21)->added) << "a person may ask for it";
}

TEST_F(HistoryTest, RunsDoNotOverlap) {
  History history = open();
  const schedule::Run a = history.add(dated("2026-01-01"), 1).value().run,
                      b = history.add(dated("2026-01-02"), 1).value().run;
  ASSERT_TRUE(history.claim(a.id, me_, 0, 2));
  const auto second = history.claim(b.id, me_, 0, 2);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("pinflow runs cancel {}", a.id)));
  NewRun plain;
  plain.date = "2026-01-02";
  EXPECT_TRUE(history.claim(history.add(plain, 3)->run.id, me_, 0, 3)) << "without a slot it is recorded only";
  EXPECT_EQ(history.claim(a.id, me_, 0, 4).error().code, Code::conflict);
}

TEST_F(HistoryTest, AFenceOfAnEarlierSchedulerIsRefused) {
  History history = open();
  const auto dead = Worker{1 << 22, "1", "another boot"};
  const auto first = history.take_lease(dead, 1000).value();
  ASSERT_TRUE(first.held);
  const auto second = history.take_lease(me_, 1001).value();
  ASSERT_TRUE(second.held) << "its process is gone";
  EXPECT_GT(second.fence, first.fence);
  const schedule::Run run = history.add(dated("2026-01-01"), 1).value().run;
  EXPECT_EQ(history.claim(run.id, me_, first.fence, 2).error().code, Code::conflict);
  EXPECT_TRUE(history.claim(run.id, me_, second.fence, 2));
}

TEST_F(HistoryTest, ALeaseIsKeptWhileItIsRenewedWhateverTheClockDoes) {
  History history = open();
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const Worker other = process(child).value();
  ASSERT_TRUE(history.take_lease(other, 1'000'000)->held);
  EXPECT_FALSE(history.take_lease(me_, 1'000'001)->held);
  EXPECT_FALSE(history.take_lease(me_, 999'000)->held) << "a clock a second back";
  EXPECT_TRUE(history.take_lease(me_, 1'000'000 + History::kLeaseMs)->held) << "not renewed";
  EXPECT_FALSE(history.take_lease(other, 1'000'001 + History::kLeaseMs)->held);
  EXPECT_TRUE(history.take_lease(other, 1000)->held) << "set back by long: a lease from the future is none";
  ASSERT_TRUE(history.give_lease_back(other));
  EXPECT_TRUE(history.take_lease(me_, 1001)->held);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(HistoryTest, ARunWhoseProcessIsGoneIsAbandoned) {
  History history = open();
  const schedule::Run run = history.add(dated("2026-01-01"), 1).value().run;
  ASSERT_TRUE(history.claim(run.id, Worker{me_.pid, "0", me_.boot}, 0, 2)) << "our number, another process";
  ASSERT_TRUE(history.set_step(run.id, "clean a"));
  EXPECT_THAT(history.find_abandoned(3).value(), testing::ElementsAre(run.id));
  const schedule::Run after = history.get(run.id).value();
  EXPECT_EQ(after.state, State::abandoned);
  EXPECT_THAT(after.message, HasSubstr("in the step 'clean a'"));
  EXPECT_EQ(history.unsettled()->size(), 1u);
  ASSERT_TRUE(history.settle(run.id, {}, 4));
  EXPECT_TRUE(history.unsettled()->empty());
}

TEST_F(HistoryTest, WhatWasAskedToStopIsCancelledOrSaysWhy) {
  History history = open();
  const schedule::Run a = history.add(dated("2026-01-01"), 1).value().run,
                      b = history.add(dated("2026-01-02"), 1).value().run;
  ASSERT_TRUE(history.ask_stop(b.id, "it was cancelled", true));
  EXPECT_EQ(history.get(b.id)->state, State::cancelled);
  ASSERT_TRUE(history.claim(a.id, me_, 0, 2));
  ASSERT_TRUE(history.ask_stop(a.id, "it took too long", false));
  ASSERT_TRUE(history.finish(a.id, {State::failed, "the batch was stopped", "", "", ""}, 3));
  EXPECT_EQ(history.get(a.id)->message, "it took too long");
}

TEST_F(HistoryTest, AKilledWriterLeavesAllOfAChangeOrNothing) {
  { (void)open(); }
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto history = History::open(data_, 5000);
      for (int i = 0; history && i < 1'000'000; ++i) {
        const auto a = dated(fmt::format("{} {} a", round, i)), b = dated(fmt::format("{} {} b", round, i));
        if (!history->plan({a, b}, i, i)) break;
      }
      ::_exit(0);
    }
    ::usleep(2000 * static_cast<unsigned>(round + 1));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    History history = open();
    EXPECT_EQ(history.queued().value() % 2, 0);
  }
}

TEST_F(HistoryTest, ALockedFileIsAnErrorThatSaysWhatToDo) {
  History history = open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(History::file_in(data_).c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto added = history.add(dated("2026-01-01"), 1);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Code::unavailable);
  EXPECT_THAT(added.error().message, HasSubstr("another process holds it"));
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_TRUE(history.add(dated("2026-01-01"), 2)->added) << "it works again by itself";
}

TEST_F(HistoryTest, ABrokenFileIsAnErrorThatSaysWhatToDo) {
  ASSERT_TRUE(make_folders(data_ / "state"));
  ASSERT_TRUE(create_file(History::file_in(data_), std::string(8192, 'x')));
  auto history = History::open(data_);
  ASSERT_FALSE(history);
  EXPECT_EQ(history.error().code, Code::corrupt);
  EXPECT_THAT(history.error().message, HasSubstr("Move it and the files beside it"));
}

TEST_F(HistoryTest, AFullDiskIsAnErrorAndNothingHalfIsWritten) {
  { (void)open(); }
  auto database = Database::open(History::file_in(data_), 200).value();
  ASSERT_TRUE(database.execute("PRAGMA max_page_count = 20"));
  Result<> put;
  int64_t rows = 0;
  while (put && rows < 10'000) {
    put = database.execute("INSERT INTO meta VALUES (?, ?)", {fmt::format("{}", rows), std::string(500, 'x')});
    if (put) ++rows;
  }
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::full);
  EXPECT_THAT(put.error().message, HasSubstr("free room"));
  EXPECT_EQ(database.query("SELECT count(*) FROM meta")->front().front().number, rows + 1);  // and the format
}

}  // namespace
}  // namespace pinflow::schedule
