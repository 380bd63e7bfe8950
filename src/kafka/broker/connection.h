// One client's connection: a thread that reads requests and hands them to the dispatcher, and one that sends the
// answers in order. Owned by the server.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/files.h"
#include "kafka/broker/answer_queue.h"
#include "kafka/broker/broker.h"
#include "kafka/broker/byte_budget.h"
#include "kafka/broker/dispatcher.h"

namespace pinflow::kafka {

class Connection {
 public:
  // Starts its threads. The references must outlive it.
  Connection(Fd socket, const BrokerOptions& options, const Dispatcher& dispatcher,
             std::shared_ptr<ByteBudget> request_budget, const std::atomic<bool>& stopping);
  ~Connection();  // cuts, then waits for the threads

  bool finished() const { return finished_; }
  void stop_reading();  // requests under way are still answered
  void cut();           // the socket is shut down both ways

 private:
  void read();
  void write();
  // What ends the connection; an empty text for its normal end.
  std::string read_requests();
  bool read_exactly(char* to, size_t bytes, std::chrono::milliseconds at_most);
  bool wait_readable(std::chrono::milliseconds at_most);

  const BrokerOptions& options_;
  const Dispatcher& dispatcher_;
  const std::shared_ptr<ByteBudget> request_budget_;
  const std::atomic<bool>& stopping_;
  Peer peer_;
  std::shared_ptr<AnswerQueue> answers_;

  std::mutex socket_mutex_;  // of socket_'s life: shutdown(2) against close(2)
  Fd socket_;
  std::unique_ptr<char[]> buffer_;  // of the reading thread: received and not yet taken are [begin_, end_)
  size_t begin_ = 0;
  size_t end_ = 0;
  std::atomic<bool> finished_ = false;
  std::thread reader_;
};

}  // namespace pinflow::kafka
