// Threads for what may block: reading, and changing streams. Bounded.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pinflow::kinesis {

class Workers {
 public:
  explicit Workers(int threads);
  ~Workers() { stop(); }

  // Any thread. False, and the task is dropped, when kMaxWaiting tasks wait or after stop().
  bool submit(std::function<void()> task);
  // Ends the tasks under way, drops the others, joins. Not from a task.
  void stop();

  static constexpr size_t kMaxWaiting = 4096;

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any some_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace pinflow::kinesis
