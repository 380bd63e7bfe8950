// BrokerConnection's part that carries another client's bytes.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "kafka/client/broker_connection.h"

namespace pinflow::kafka {
namespace {

constexpr size_t kPiece = 64 << 10;
constexpr int kFlushMs = 1'000;

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Sends what it can; false: the other side is gone.
bool send_some(int fd, std::string& waiting) {
  const ssize_t put = ::send(fd, waiting.data(), waiting.size(), MSG_NOSIGNAL);
  if (put > 0) waiting.erase(0, static_cast<size_t>(put));
  return put > 0 || errno == EAGAIN || errno == EINTR;
}

// What is there, at most one piece; false: the other side is done.
bool receive_some(int fd, std::string& to) {
  char buffer[kPiece];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got > 0) to.append(buffer, static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

// What the broker said last, before it closed the connection.
void flush(int fd, std::string& waiting) {
  while (!waiting.empty()) {
    pollfd end{fd, POLLOUT, 0};
    if (::poll(&end, 1, kFlushMs) <= 0 || !send_some(fd, waiting)) return;
  }
}

}  // namespace

void BrokerConnection::relay(int local) {
  set_nonblocking(local);
  set_nonblocking(socket_.get());
  std::string to_broker, to_local;
  for (;;) {
    pollfd ends[2] = {{local, 0, 0}, {socket_.get(), 0, 0}};
    if (to_broker.size() < kMostRelayed) ends[0].events |= POLLIN;
    if (!to_local.empty()) ends[0].events |= POLLOUT;
    if (to_local.size() < kMostRelayed) ends[1].events |= POLLIN;
    if (!to_broker.empty()) ends[1].events |= POLLOUT;
    if (::poll(ends, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return;
    }
    constexpr short kEnd = POLLHUP | POLLERR;
    if (ends[0].revents & (POLLIN | kEnd)) {
      std::string got;
      if (!receive_some(local, got)) return;
      if (tls_ && !got.empty()) {
        tls_->write(got);
        got = tls_->to_send();
      }
      to_broker += got;
    }
    if (ends[1].revents & (POLLIN | kEnd)) {
      std::string got;
      if (!receive_some(socket_.get(), got)) return flush(local, to_local);
      if (!tls_) {
        to_local += got;
      } else if (!got.empty()) {
        tls_->received(got);
        char buffer[kPiece];
        for (;;) {
          auto read = tls_->read(buffer, sizeof buffer);
          if (!read) return;
          if (*read == 0) break;
          to_local.append(buffer, *read);
        }
        to_broker += tls_->to_send();  // a new key may have been asked for
      }
    }
    if ((ends[0].revents & POLLOUT) && !send_some(local, to_local)) return;
    if ((ends[1].revents & POLLOUT) && !send_some(socket_.get(), to_broker)) return;
  }
}

}  // namespace pinflow::kafka
