// Threads for what may block, so that a server's threads never do. A bounded queue before them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pinflow {

class TaskThreads {
 public:
  TaskThreads(int threads, size_t most_waiting);
  ~TaskThreads() { stop(); }

  // Any thread. False, and the task is dropped, when `most_waiting` tasks wait or after stop().
  bool submit(std::function<void()> task);
  // Ends the tasks under way, drops the others, joins. Not from a task.
  void stop();

 private:
  void run(const std::stop_token& stop);

  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable_any some_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace pinflow
