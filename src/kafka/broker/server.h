// Accepts connections on one address. Owned by the broker.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "kafka/broker/byte_budget.h"
#include "kafka/broker/connection.h"

namespace pinflow::kafka {

struct Listener {
  Fd socket;
  uint16_t port = 0;

  // invalid: the host is no address of this machine; unavailable: the port is in use.
  static Result<Listener> open(const std::string& host, uint16_t port);
};

class Server {
 public:
  // Accepts from now on. The references must outlive it; `stopping` is set before stop() is called.
  Server(Listener listener, const BrokerOptions& options, const Dispatcher& dispatcher,
         const std::atomic<bool>& stopping);
  ~Server();

  // Takes no further connection or request, waits at most `patience` for the answers under way, closes.
  void stop(std::chrono::milliseconds patience);

 private:
  void accept_all();
  void forget_finished();

  Listener listener_;
  const BrokerOptions& options_;
  const Dispatcher& dispatcher_;
  const std::atomic<bool>& stopping_;
  std::shared_ptr<ByteBudget> request_budget_;
  Fd wake_;                            // an eventfd, readable when the acceptor should end
  std::list<Connection> connections_;  // the acceptor's while it runs, then stop()'s
  std::thread acceptor_;
};

}  // namespace pinflow::kafka
