// A bound on the bytes that something holds in memory, shared by many threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace pinflow::kafka {

class ByteBudget {
 public:
  explicit ByteBudget(int64_t limit) : limit_(limit) {}

  // Waits until `bytes` fit, or nothing else is held (so that one of any size goes). False once closed.
  bool acquire(int64_t bytes) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || held_ == 0 || held_ + bytes <= limit_; });
    if (closed_) return false;
    held_ += bytes;
    return true;
  }

  // Never waits: gives what is left, at most `bytes`, at least 0.
  int64_t take_up_to(int64_t bytes) {
    const std::lock_guard lock(mutex_);
    const int64_t given = std::clamp<int64_t>(limit_ - held_, 0, bytes);
    held_ += given;
    return given;
  }

  void release(int64_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      held_ -= bytes;
    }
    room_.notify_all();
  }

  // Wakes all who wait, for good.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
  }

 private:
  const int64_t limit_;
  std::mutex mutex_;
  std::condition_variable room_;
  int64_t held_ = 0;
  bool closed_ = false;
};

}  // namespace pinflow::kafka
