// Tells how a running sink does: a line in the log every ten seconds in which something changed, and where an address
// is given, /metrics (Prometheus) and /health over HTTP. Owns a thread and a consumer that only asks for offsets.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "app/context.h"
#include "app/sink_metrics.h"
#include "http/server.h"

namespace pinflow::app {

class SinkWatch {
 public:
  // The sink outlives it.
  static Result<std::unique_ptr<SinkWatch>> start(const sink::Sink& sink, const kafka::ClientConfig& config,
                                                  const std::optional<Address>& listen);
  ~SinkWatch();
  SinkWatch(const SinkWatch&) = delete;
  SinkWatch& operator=(const SinkWatch&) = delete;

  // "127.0.0.1:9400"; empty where nothing is served.
  std::string address() const;

 private:
  SinkWatch(const sink::Sink& sink, std::unique_ptr<kafka::Consumer> questioner);
  void run();
  void refresh_lags(const sink::SinkCounts& counts);
  http::Response answer(const http::Request& request) const;

  const sink::Sink& sink_;
  const std::unique_ptr<kafka::Consumer> questioner_;  // of the thread
  std::string host_;
  std::unique_ptr<http::Server> server_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  Lags lags_;
  std::jthread thread_;
};

// For a process that is a sink: large buffers go back to the system at once, so that its memory is what it uses.
void keep_memory_small();

}  // namespace pinflow::app
