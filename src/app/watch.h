// Tells how a running part does: looks at it every few seconds, and where an address is given, serves /metrics
// (Prometheus) and /health over HTTP. Owns a thread and, where it serves, a server.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "app/context.h"
#include "http/server.h"

namespace pinflow::app {

class Watch {
 public:
  // What is watched; all outlive the watch.
  struct Subject {
    std::function<std::string()> metrics;              // Prometheus's text format 0.0.4; any thread
    std::function<std::optional<Error>()> failure;     // set: /health answers 503 with its message; any thread
    std::function<void(const std::stop_token&)> look;  // the watch's thread: once after `first`, then every `every`
    std::chrono::seconds first, every;
  };

  static Result<std::unique_ptr<Watch>> start(Subject subject, const std::optional<Address>& listen);
  // Ends the look under way, which its stop token tells.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  std::string address() const;  // "127.0.0.1:9400"; empty where nothing is served

 private:
  explicit Watch(Subject subject) : subject_(std::move(subject)) {}
  void run(const std::stop_token& stop) const;
  http::Response answer(const http::Request& request) const;

  const Subject subject_;
  std::string host_;
  std::unique_ptr<http::Server> server_;
  std::jthread thread_;
};

}  // namespace pinflow::app
