// Where answers wait until the thread that owns their connections takes them. The requests under way hold it, so it
// outlives its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "http/server.h"

namespace pinflow::http {

struct Answer {
  uint64_t connection;
  uint64_t number;  // in its connection's AnswerQueue
  Response response;
  Respond::Held held;
};

class Inbox {
 public:
  // `wake` makes the owner's thread call take(); it is called once for all answers that come until then, under a lock.
  Inbox(std::function<void()> wake, ErrorResponse error_response)
      : error_response(std::move(error_response)), wake_(std::move(wake)) {}

  // Any thread. On the owner's own, the answer waits in local() without a lock or a waking.
  void put(Answer answer);

  // The owner's thread.
  void own_this_thread(bool own);
  void take(std::vector<Answer>& answers);  // `answers` is empty
  std::vector<Answer>& local() { return local_; }

  // Any thread: `wake` is called no more, and answers are dropped.
  void close();

  const ErrorResponse error_response;

 private:
  std::mutex mutex_;
  std::function<void()> wake_;  // empty after close
  bool woken_ = false;
  std::vector<Answer> answers_;
  std::vector<Answer> local_;
};

// The way to answer one request of one connection.
Respond way_back(std::shared_ptr<Inbox> inbox, uint64_t connection, uint64_t number);

}  // namespace pinflow::http
