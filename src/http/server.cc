#include "http/server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <optional>
#include <thread>
#include <vector>

#include "base/json.h"
#include "http/listen.h"
#include "http/worker.h"

namespace pinflow::http {

Response json_error(int status, std::string_view message) {
  return {status, "application/json", {},
          fmt::format(R"({{"error_code":{},"message":{}}})", status, json_string(message))};
}

namespace {

constexpr int kAcceptsAtOnce = 64;
constexpr int kAcceptRetryMs = 100;  // after the process or the machine ran out of descriptors

// Accepts on worker 0's thread and deals the sockets out to the worker with the fewest.
class AsioServer final : public Server {
 public:
  AsioServer(ServerOptions options, Handler handler, Listening listening)
      : port_(listening.port) {
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
    for (int i = 0; i < shared_.options.threads; ++i) workers_.push_back(std::make_unique<Worker>(shared_));
    listening_fd_ = std::move(listening.fd);
    acceptor_.emplace(workers_[0]->io());
    shared_.resume_accept = [this] { asio::post(workers_[0]->io(), [this] { accept_soon(); }); };
  }

  void start() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(listening_fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    acceptor_->assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listening_fd_.release());
    retry_.emplace(workers_[0]->io());
    accept_soon();
    for (const auto& worker : workers_) {
      threads_.emplace_back([w = worker.get()] { w->run(); });
    }
  }

  ~AsioServer() override { stop(0); }
  uint16_t port() const override { return port_; }
  void stop(int drain_ms) override;

 private:
  void accept_soon();
  void accept_some();

  Shared shared_;
  const uint16_t port_;
  Fd listening_fd_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::optional<Acceptor> acceptor_;  // of worker 0's thread
  std::optional<Timer> retry_;        // the same
  std::vector<std::thread> threads_;
};

void AsioServer::accept_soon() {
  if (!acceptor_->is_open()) return;
  acceptor_->async_wait(Acceptor::wait_read, [this](error_code ec) {
    if (!ec) accept_some();
  });
}

void AsioServer::accept_some() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    if (shared_.open_connections.load() >= shared_.options.max_connections) {
      shared_.accept_paused = true;
      // A connection may have closed between the two lines above.
      if (shared_.open_connections.load() >= shared_.options.max_connections || !shared_.accept_paused.exchange(false)) {
        return;
      }
    }
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Fd fd(::accept4(acceptor_->native_handle(), reinterpret_cast<sockaddr*>(&address), &size,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        retry_->expires_after(std::chrono::milliseconds(kAcceptRetryMs));
        retry_->async_wait([this](error_code ec) {
          if (!ec) accept_soon();
        });
        return;
      }
      continue;  // that client has gone already
    }
    shared_.open_connections.fetch_add(1);
    Worker& worker = **std::ranges::min_element(workers_, {}, [](const auto& w) { return w->load(); });
    worker.expect_one();
    asio::post(worker.io(), [&worker, family = address.ss_family, handed = std::move(fd)]() mutable {
      worker.add(std::move(handed), family);
    });
  }
  accept_soon();
}

void AsioServer::stop(int drain_ms) {
  if (threads_.empty()) return;
  asio::post(workers_[0]->io(), [this] {
    error_code ignored;
    acceptor_->close(ignored);
    retry_->cancel();
    for (const auto& worker : workers_) {
      asio::post(worker->io(), [w = worker.get()] { w->close_when_answered(); });
    }
  });
  {
    std::unique_lock lock(shared_.mutex);
    shared_.all_closed.wait_for(lock, std::chrono::milliseconds(drain_ms),
                                [this] { return shared_.open_connections.load() == 0; });
  }
  for (const auto& worker : workers_) worker->inbox()->close();
  for (const auto& worker : workers_) worker->io().stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (const auto& worker : workers_) worker->drop_all();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  if (options.threads < 1 || options.max_connections < 1 || options.max_pipelined < 1) {
    return invalid("an HTTP server needs at least one thread, one connection and one request at a time");
  }
  auto listening = listen_on(options.host, options.port);
  if (!listening) return pass(listening.error());
  try {
    auto server = std::make_unique<AsioServer>(std::move(options), std::move(handler), std::move(*listening));
    server->start();
    return server;
  } catch (const boost::system::system_error& e) {
    return unavailable("cannot start the HTTP server: {}", e.what());
  }
}

}  // namespace pinflow::http
