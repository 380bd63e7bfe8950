#include "kafka/broker/server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/logging.h"

namespace pinflow::kafka {
namespace {

constexpr int kBacklog = 512;
constexpr std::chrono::milliseconds kReapEvery{1000};

uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

Result<Listener> Listener::open(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); code != 0) {
    return invalid("the broker cannot listen on {}: {}", host, ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error(errno, "socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    const int error = errno;
    if (error == EADDRINUSE)
      return unavailable(
          "the broker's port {}:{} is in use: stop what listens there, or choose "
          "another port (0 takes any free one)",
          host, port);
    return invalid("the broker cannot listen on {}:{}: {}", host, port,
                   std::error_code(error, std::generic_category()).message());
  }
  const uint16_t bound = port_of(socket.get());
  return Listener{std::move(socket), bound};
}

Server::Server(Listener listener, const BrokerOptions& options, const Dispatcher& dispatcher,
               const std::atomic<bool>& stopping)
    : listener_(std::move(listener)),
      options_(options),
      dispatcher_(dispatcher),
      stopping_(stopping),
      request_budget_(std::make_shared<ByteBudget>(options.request_bytes_in_flight)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

void Server::stop(std::chrono::milliseconds patience) {
  if (!acceptor_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(wake_.get(), &one, sizeof one);
  acceptor_.join();
  listener_.socket.reset();
  request_budget_->close();
  for (Connection& connection : connections_) connection.stop_reading();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!connections_.empty()) {
    forget_finished();
    if (connections_.empty() || std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (!connections_.empty()) warn("broker: {} clients did not take their answers in time", connections_.size());
  connections_.clear();
}

void Server::forget_finished() {
  connections_.remove_if([](const Connection& connection) { return connection.finished(); });
}

void Server::accept_all() {
  bool refusing = false;
  for (;;) {
    pollfd polls[2] = {{wake_.get(), POLLIN, 0}, {listener_.socket.get(), POLLIN, 0}};
    ::poll(polls, 2, static_cast<int>(kReapEvery.count()));
    if (polls[0].revents != 0) return;
    forget_finished();
    Fd socket(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        warn("broker: accept: {} (raise the limit of open files)",
             std::error_code(errno, std::generic_category()).message());
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      continue;
    }
    if (connections_.size() >= static_cast<size_t>(options_.max_connections)) {
      if (!refusing) {
        warn("broker: connections are refused: {} are open already, the limit (max_connections)", connections_.size());
      }
      refusing = true;
      continue;
    }
    refusing = false;
    try {
      connections_.emplace_back(std::move(socket), options_, dispatcher_, request_budget_, stopping_);
    } catch (const std::system_error& failed) {  // no thread to be had
      warn("broker: a connection is refused: {}", failed.what());
    }
  }
}

}  // namespace pinflow::kafka
