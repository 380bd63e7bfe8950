#include "gateway/side_thread.h"

#include <utility>

namespace pinflow::gateway {

SideThread::SideThread() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

bool SideThread::submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || tasks_.size() == kMaxWaiting) return false;
  tasks_.push_back(std::move(task));
  some_.notify_one();
  return true;
}

void SideThread::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(tasks_);
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void SideThread::run(const std::stop_token& stop) {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      if (!some_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace pinflow::gateway
