// From a request's frame to the handler of its API. One for a broker; thread-safe (no state of its own).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kafka/broker/answer_queue.h"
#include "kafka/broker/services.h"
#include "kafka/codec/header.h"

namespace pinflow::kafka {

class Dispatcher {
 public:
  explicit Dispatcher(Services& services) : services_(services) {}

  // Called by the connection's reading thread, which it may keep busy (a fetch that waits). Answers now or later.
  // An error means that the connection cannot go on, and why; then `answer` was not used.
  Result<> handle(const Request& request, const Peer& peer, Answer answer) const;

 private:
  Services& services_;
};

}  // namespace pinflow::kafka
