// Tells how running stream workers do: a line in the log every ten seconds in which something changed, and where an
// address is given, /metrics (Prometheus) and /health over HTTP. Owns a thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "app/context.h"
#include "http/server.h"
#include "stream/streams.h"

namespace pinflow::app {

// Prometheus's text format 0.0.4. `now_ms`: for how far each stream is behind. Pure.
std::string stream_metrics(const stream::StreamCounts& counts, int64_t now_ms, bool failed);

class StreamWatch {
 public:
  // The workers outlive it.
  static Result<std::unique_ptr<StreamWatch>> start(const stream::Streams& streams,
                                                    const std::optional<Address>& listen);
  ~StreamWatch();
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  std::string address() const;  // "127.0.0.1:9400"; empty where nothing is served

 private:
  explicit StreamWatch(const stream::Streams& streams) : streams_(streams) {}
  void run();
  http::Response answer(const http::Request& request) const;

  const stream::Streams& streams_;
  std::string host_;
  std::unique_ptr<http::Server> server_;
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace pinflow::app
