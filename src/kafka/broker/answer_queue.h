// The answers of one connection, sent in the order of its requests however they are completed. Shared by the
// connection's two threads and by whoever still owes an answer; outlives the connection as long as one does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kafka/codec/api.h"
#include "kafka/codec/header.h"
#include "kafka/codec/message.h"

namespace pinflow::kafka {

class AnswerQueue {
 public:
  AnswerQueue(int64_t max_bytes, size_t max_requests) : max_bytes_(max_bytes), max_requests_(max_requests) {}

  // --- by the reading thread
  // Waits until another request may be taken. False once the connection is broken.
  bool wait_for_room();
  // A place in the order for a request of `bytes`; `released` is called when its answer has been sent or dropped.
  uint64_t open(int64_t bytes, std::function<void()> released);
  // No request follows.
  void finish();
  bool empty();

  // --- by any thread: exactly once for each place
  void complete(uint64_t place, std::string frame);  // an empty frame: no answer is sent
  void complete_by_closing(uint64_t place);          // earlier answers are sent, then the connection is closed
  // `released` of the place will also run this.
  void also_release(uint64_t place, std::function<void()> released);

  // --- by the writing thread
  struct Next {
    std::vector<std::string> frames;
    bool close = false;  // after the frames: finished and all sent, or closed by an answer
  };
  // Waits for answers that are next in order. `sent` says that those given before are on their way.
  Next wait();
  void sent();
  // The peer is gone: answers are dropped from now on, and nobody waits any more.
  void break_off();

 private:
  struct Place {
    int64_t bytes = 0;  // of the request, then of the answer as well
    std::string frame;
    bool done = false;
    bool close = false;
    std::vector<std::function<void()>> released;
  };
  void finish_place(uint64_t place, std::string frame, bool close);

  const int64_t max_bytes_;
  const size_t max_requests_;
  std::mutex mutex_;
  std::condition_variable ready_;  // for the writing thread
  std::condition_variable room_;   // for the reading thread
  std::deque<Place> places_;
  uint64_t first_ = 0;  // the place at the front
  int64_t bytes_ = 0;
  std::vector<Place> sending_;  // given to the writing thread; its alone between wait() and sent()
  bool finished_ = false;
  bool broken_ = false;
};

// The right, and the duty, to answer one request: exactly one of the calls, once, from any thread.
class Answer {
 public:
  Answer(std::shared_ptr<AnswerQueue> queue, uint64_t place, Api api, int16_t version, int32_t correlation_id)
      : queue_(std::move(queue)), place_(place), api_(api), version_(version), correlation_id_(correlation_id) {}

  int16_t version() const { return version_; }

  template <class M>
  void send(const M& message, size_t expected_bytes = 256) const {
    send_in_version(message, version_, expected_bytes);
  }
  template <class M>
  void send_in_version(const M& message, int16_t version, size_t expected_bytes = 256) const {
    std::string frame;
    frame.reserve(expected_bytes);
    frame.assign(4, '\0');
    write_response_header(api_, version, correlation_id_, frame);
    encode(message, version, frame);
    store_size(frame);
    queue_->complete(place_, std::move(frame));
  }
  void send_nothing() const { queue_->complete(place_, {}); }
  void hang_up() const { queue_->complete_by_closing(place_); }
  // Runs when the answer has been sent or dropped.
  void when_gone(std::function<void()> released) const { queue_->also_release(place_, std::move(released)); }

 private:
  static void store_size(std::string& frame);

  std::shared_ptr<AnswerQueue> queue_;
  uint64_t place_;
  Api api_;
  int16_t version_;
  int32_t correlation_id_;
};

}  // namespace pinflow::kafka
