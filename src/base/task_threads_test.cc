#include "base/task_threads.h"

#include <gtest/gtest.h>

#include <future>

namespace pinflow {
namespace {

TEST(TaskThreads, QueueIsBoundedAndStopDropsWhatWaits) {
  TaskThreads threads(1, 2);
  std::promise<void> begun, go_on;
  ASSERT_TRUE(threads.submit([&] {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  bool ran = false;
  EXPECT_TRUE(threads.submit([&] { ran = true; }));
  EXPECT_TRUE(threads.submit([] {}));
  EXPECT_FALSE(threads.submit([] {})) << "two wait already";
  std::thread stopping([&] { threads.stop(); });
  while (threads.submit([] {})) std::this_thread::yield();  // false once what waited was dropped, too
  go_on.set_value();
  stopping.join();
  EXPECT_FALSE(ran && threads.submit([] {}));
  EXPECT_FALSE(threads.submit([] {}));
}

TEST(TaskThreads, AllTasksRun) {
  constexpr int kTasks = 100;
  std::atomic<int> ran = 0;
  std::promise<void> all;
  TaskThreads threads(3, kTasks);
  for (int i = 0; i < kTasks; ++i) {
    ASSERT_TRUE(threads.submit([&] {
      if (++ran == kTasks) all.set_value();
    }));
  }
  all.get_future().wait();
  EXPECT_EQ(ran, kTasks);
}

}  // namespace
}  // namespace pinflow
