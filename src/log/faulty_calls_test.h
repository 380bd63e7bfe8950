// System calls that fail, are short, or wait when a test says so.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <limits>
#include <mutex>

#include "log/file_calls.h"

namespace pinflow::log {

// What a test sets while the log runs. Outlives it.
struct Faults {
  std::atomic<int> write_error{0};  // errno; 0: none
  std::atomic<int> sync_error{0};
  std::atomic<int> truncate_error{0};
  std::atomic<int64_t> room{std::numeric_limits<int64_t>::max()};      // bytes that the disk still takes
  std::atomic<size_t> most_bytes{std::numeric_limits<size_t>::max()};  // of one write
  std::atomic<int> syncs{0};

  // From now on fsyncs wait until `open_gate`.
  void close_gate() { set_gate(false); }
  void open_gate() { set_gate(true); }
  void wait_until_a_sync_waits() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  // Lets the one that waits go, and returns when the next one waits.
  void let_one_pass() {
    std::unique_lock lock(mutex_);
    const int before = arrived_;
    passes_ = 1;
    changed_.notify_all();
    changed_.wait(lock, [&] { return arrived_ > before; });
  }

  void pass_gate() {
    std::unique_lock lock(mutex_);
    ++arrived_;
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return gate_open_ || passes_ > 0; });
    if (!gate_open_) --passes_;
    --waiting_;
  }

 private:
  void set_gate(bool open) {
    const std::lock_guard lock(mutex_);
    gate_open_ = open;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool gate_open_ = true;
  int passes_ = 0;
  int waiting_ = 0;
  int arrived_ = 0;
};

class FaultyCalls : public FileCalls {
 public:
  explicit FaultyCalls(Faults& faults) : faults_(faults) {}

  ssize_t write_at(int fd, const iovec* pieces, int, off_t position) override {
    if (faults_.write_error != 0) return failed(faults_.write_error);
    // As the kernel: what fits is written, and the next call fails.
    const auto room = static_cast<size_t>(faults_.room.load());
    const size_t fits = std::min({pieces->iov_len, faults_.most_bytes.load(), room});
    if (fits == 0) return failed(ENOSPC);
    const ssize_t put = ::pwrite(fd, pieces->iov_base, fits, position);
    if (put > 0) faults_.room -= put;
    return put;
  }

  int sync(int fd) override {
    faults_.pass_gate();
    ++faults_.syncs;
    if (faults_.sync_error != 0) return failed(faults_.sync_error);
    return FileCalls::sync(fd);
  }

  int truncate(int fd, off_t bytes) override {
    if (faults_.truncate_error != 0) return failed(faults_.truncate_error);
    return FileCalls::truncate(fd, bytes);
  }

 private:
  static int failed(int error_number) {
    errno = error_number;
    return -1;
  }

  Faults& faults_;
};

}  // namespace pinflow::log
