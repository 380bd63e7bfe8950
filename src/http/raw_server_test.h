// For tests of what speaks HTTP to a server: one of plain sockets that does what it is told, well-behaved or not.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pinflow::http {

class RawServer {
 public:
  struct Got {
    std::string head;  // request line and headers
    std::string body;
    int connection = 0;  // the how manieth, from 0
    std::string target() const {
      const size_t begin = head.find(' ') + 1;
      return head.substr(begin, head.find(' ', begin) - begin);
    }
  };
  struct Reply {
    std::string bytes;   // empty: no answer
    bool close = false;  // the connection, afterwards
  };
  using Handler = std::function<Reply(const Got&)>;  // on the connection's thread

  static std::string response(int status, std::string_view body, std::string_view headers = "") {
    return fmt::format("HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", status,
                       body.size(), headers, body);
  }

  explicit RawServer(Handler handler, uint16_t port = 0) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) || ::listen(listener_, 128))
      std::abort();
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~RawServer() { stop(); }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  uint16_t port() const { return port_; }
  std::string url(std::string_view path = "") const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

  void stop() {
    if (listener_ < 0) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(std::exchange(listener_, -1));
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int socket : sockets_) ::close(socket);
  }

 private:
  void accept() {
    for (int number = 0;; ++number) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket, number] { serve(socket, number); });
    }
  }

  void serve(int socket, int number) {
    std::string in;
    char buffer[65536];
    for (;;) {
      const size_t end = in.find("\r\n\r\n");
      size_t length = 0;
      if (end != std::string::npos) {
        if (const size_t at = in.find("Content-Length: "); at < end)
          length = std::strtoul(in.c_str() + at + 16, nullptr, 10);
      }
      if (end == std::string::npos || in.size() < end + 4 + length) {
        const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
        if (got <= 0) return;
        in.append(buffer, static_cast<size_t>(got));
        continue;
      }
      const Reply reply = handler_({in.substr(0, end), in.substr(end + 4, length), number});
      in.erase(0, end + 4 + length);
      size_t sent = 0;
      while (sent < reply.bytes.size()) {
        const ssize_t put = ::send(socket, reply.bytes.data() + sent, reply.bytes.size() - sent, MSG_NOSIGNAL);
        if (put <= 0) return;
        sent += static_cast<size_t>(put);
      }
      if (reply.close) {
        ::shutdown(socket, SHUT_RDWR);
        return;
      }
    }
  }

  Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
};

}  // namespace pinflow::http
