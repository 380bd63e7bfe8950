// One thread for the few requests that must wait (metadata), so that the server's threads never do. Bounded.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace pinflow::gateway {

class SideThread {
 public:
  SideThread();
  ~SideThread() { stop(); }

  // Any thread. False, and the task is dropped, when kMaxWaiting tasks wait or after stop().
  bool submit(std::function<void()> task);
  // Ends the task under way, drops the others, joins. Not from a task.
  void stop();

  static constexpr size_t kMaxWaiting = 256;

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any some_;
  std::deque<std::function<void()>> tasks_;
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::gateway
