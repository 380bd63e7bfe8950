#include "kafka/broker/answer_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace pinflow::kafka {
namespace {

using Frames = std::vector<std::string>;

TEST(AnswerQueue, GivesAnswersInTheOrderOfTheRequests) {
  AnswerQueue queue(1000, 10);
  const auto a = queue.open(1, [] {});
  const auto b = queue.open(1, [] {});
  const auto c = queue.open(1, [] {});
  queue.complete(b, "b");
  queue.complete(a, "a");
  EXPECT_EQ(queue.wait().frames, (Frames{"a", "b"}));
  queue.sent();
  queue.complete(c, {});  // acks=0: nothing is sent
  EXPECT_EQ(queue.wait().frames, Frames{});
  queue.sent();
  EXPECT_TRUE(queue.empty());
  queue.finish();
  EXPECT_TRUE(queue.wait().close);
}

TEST(AnswerQueue, ReleasesWhatARequestHeldWhenItsAnswerIsGone) {
  AnswerQueue queue(1000, 10);
  int released = 0;
  const auto a = queue.open(1, [&] { ++released; });
  queue.also_release(a, [&] { released += 10; });
  queue.complete(a, "a");
  queue.wait();
  EXPECT_EQ(released, 0);
  queue.sent();
  EXPECT_EQ(released, 11);

  const auto b = queue.open(1, [&] { ++released; });
  const auto c = queue.open(1, [&] { ++released; });
  queue.complete(c, "c");
  queue.break_off();
  EXPECT_EQ(released, 11);
  queue.complete(b, "b");
  EXPECT_EQ(released, 13) << "answers of a broken connection are dropped";
  EXPECT_FALSE(queue.wait_for_room());
}

TEST(AnswerQueue, ClosesAfterTheAnswersBefore) {
  AnswerQueue queue(1000, 10);
  const auto a = queue.open(1, [] {});
  const auto b = queue.open(1, [] {});
  queue.open(1, [] {});
  queue.complete_by_closing(b);
  queue.complete(a, "a");
  const auto next = queue.wait();
  EXPECT_EQ(next.frames, Frames{"a"});
  EXPECT_TRUE(next.close);
}

TEST(AnswerQueue, MakesTheReaderWaitWhenTooMuchIsUnderWay) {
  for (const auto& [max_bytes, max_requests] : {std::pair<int64_t, size_t>{10, 100}, {1000, 1}}) {
    AnswerQueue queue(max_bytes, max_requests);
    EXPECT_TRUE(queue.wait_for_room());
    const auto a = queue.open(10, [] {});
    std::atomic<bool> went_on = false;
    std::thread reader([&] {
      EXPECT_TRUE(queue.wait_for_room());
      EXPECT_TRUE(went_on);
    });
    queue.complete(a, "a");
    queue.wait();
    went_on = true;
    queue.sent();
    reader.join();
  }
}

}  // namespace
}  // namespace pinflow::kafka
