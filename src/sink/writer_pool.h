// Threads that write finished files to the lake while records are taken on. Of one partition's files one thread at a
// time writes, in order. A store that fails is tried again, with growing pauses, until it works: nothing is given up
// but by abandon() or stop(). Owned by the sink's worker.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "sink/file.h"
#include "sink/file_writer.h"

namespace pinflow::sink {

// One partition's files that are not durable yet. Thread-safe.
class Outbox {
 public:
  explicit Outbox(std::unique_ptr<FileWriter> writer) : writer_(std::move(writer)) {}

  // The lowest offset that is not durable; nothing where all is.
  std::optional<int64_t> first_waiting() const;
  bool empty() const { return !first_waiting(); }
  // Another sink was first (FileWriter::is_overtaken): nothing more is written, and what waits is to be abandoned.
  bool is_overtaken() const;

  struct Tally {
    WriteCounts counts;
    int64_t waiting = 0;   // records that are not durable
    int64_t given_up = 0;  // records that were abandoned, or were in hand when that happened
  };
  Tally tally() const;

 private:
  friend class WriterPool;

  mutable std::mutex mutex_;  // of what follows, but for writer_
  std::deque<File> waiting_;
  std::vector<File> writing_;  // without their bytes: what a thread has in hand
  bool scheduled_ = false;     // in the pool's list, or in a thread's hand
  bool abandoned_ = false;     // counts_ stays as it was then
  int64_t given_up_ = 0;
  WriteCounts counts_;
  bool overtaken_ = false;
  const std::unique_ptr<FileWriter> writer_;  // of the thread that has it in hand
};

class WriterPool {
 public:
  // `wait_when_denied` off: a store that denies is a failure, not a passing trouble.
  explicit WriterPool(int threads, bool wait_when_denied = true);
  ~WriterPool();  // stop()

  void put(const std::shared_ptr<Outbox>& outbox, File file);
  // Bytes of all files that wait or are being written, with what a file costs beside its bytes.
  int64_t bytes() const { return bytes_; }
  // Gives up what waits. What is being written now may still become an object.
  void abandon(const std::shared_ptr<Outbox>& outbox);
  // Returns true when all of them are empty, false when the time is over or there is a failure.
  bool wait_until_empty(const std::vector<std::shared_ptr<Outbox>>& outboxes, std::chrono::milliseconds at_most);

  // The same when bytes() is no more than this.
  bool wait_until_below(int64_t bytes, std::chrono::milliseconds at_most);

  // An error that trying again does not mend (what FileWriter::write says, or a name that the store refuses).
  std::optional<Error> failure() const;
  // Why the store fails just now.
  std::optional<Error> trouble() const;

  // Ends the threads after the call that each is in; what waits is left.
  void stop();

 private:
  void work();
  void write(Outbox& outbox);
  void note_trouble(const Error& error);
  void note_success();

  const bool wait_when_denied_;
  mutable std::mutex mutex_;              // of what follows
  std::condition_variable wake_;          // ready_ has grown, or stopping_
  std::condition_variable stopping_now_;  // for those that pause
  std::condition_variable progressed_;
  std::deque<std::shared_ptr<Outbox>> ready_;
  bool stopping_ = false;
  std::optional<Error> failure_;
  std::optional<Error> trouble_;
  std::optional<std::chrono::steady_clock::time_point> said_;  // the last warning
  bool good_news_due_ = false;
  std::atomic<int64_t> bytes_{0};
  std::vector<std::jthread> threads_;
};

}  // namespace pinflow::sink
