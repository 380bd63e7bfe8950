// The threads that write and fsync what the partitions have pending (group commit). Each takes the next partition that
// has something; while one partition's fsync runs, its next group gathers and other partitions are served by other
// threads, whose flushes the file system joins. No waiting to make groups larger: the disk's own time does that.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pinflow::log {

// What has work. `commit` is never called for one of them by two threads at a time.
class Committable {
 public:
  virtual ~Committable() = default;
  // Does one group. True when more is pending: it is called again, after others that wait.
  virtual bool commit() = 0;
};

class Committer {
 public:
  explicit Committer(int threads);
  ~Committer() { stop(); }

  // `work` has something, and was not queued or its `commit` returned false since.
  void enqueue(std::shared_ptr<Committable> work);

  // Does what is queued, then joins the threads. Nobody enqueues any more.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<std::shared_ptr<Committable>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pinflow::log
