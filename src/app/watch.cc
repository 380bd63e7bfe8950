#include "app/watch.h"

#include <condition_variable>
#include <mutex>

namespace pinflow::app {

Result<std::unique_ptr<Watch>> Watch::start(Subject subject, const std::optional<Address>& listen) {
  auto watch = std::unique_ptr<Watch>(new Watch(std::move(subject)));
  if (listen) {
    http::ServerOptions server;
    server.host = watch->host_ = listen->host;
    server.port = listen->port;
    server.threads = 1;
    server.max_connections = 64;
    auto started = http::Server::start(
        server,
        [one = watch.get()](const http::Request& request, http::Respond respond) { respond(one->answer(request)); });
    if (!started) return pass(started.error(), "metrics");
    watch->server_ = std::move(*started);
  }
  watch->thread_ = std::jthread([one = watch.get()](const std::stop_token& stop) { one->run(stop); });
  return watch;
}

Watch::~Watch() {
  if (server_) server_->stop(0);
}

std::string Watch::address() const { return server_ ? Address{host_, server_->port()}.text() : std::string(); }

void Watch::run(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any never;
  for (auto pause = subject_.first;; pause = subject_.every) {
    {
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, pause, [] { return false; });
    }
    if (stop.stop_requested()) return;
    subject_.look(stop);
  }
}

http::Response Watch::answer(const http::Request& request) const {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method != "GET" && request.method != "HEAD") return http::json_error(405, "only GET is answered");
  if (path == "/metrics") return {200, "text/plain; version=0.0.4; charset=utf-8", {}, subject_.metrics()};
  if (path == "/health") {
    if (const auto failure = subject_.failure()) return http::json_error(503, failure->message);
    return {200, "application/json", {}, "{\"status\":\"up\"}\n"};
  }
  return http::json_error(404, "there are /metrics and /health");
}

}  // namespace pinflow::app
