#include "kafka/broker/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/bytes.h"
#include "base/logging.h"

namespace pinflow::kafka {
namespace {

constexpr size_t kReceiveBytes = 64 << 10;
constexpr size_t kFramesPerCall = 64;  // of one sendmsg(2)

using Clock = std::chrono::steady_clock;

template <class Name>
std::string host_of(int socket, Name name) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST];
  if (name(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  if (getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) {
    return "unknown";
  }
  return host;
}

std::chrono::milliseconds until(Clock::time_point deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
}

// Waits for `events`; false when the time is over.
bool wait_for(int socket, short events, Clock::time_point deadline) {
  for (;;) {
    pollfd poll{socket, events, 0};
    const auto left = until(deadline).count();
    if (left <= 0) return false;
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// Sends all frames; false when the peer is gone or takes nothing for `patience`.
bool send_all(int socket, std::vector<std::string>& frames, std::chrono::milliseconds patience) {
  size_t frame = 0;
  size_t offset = 0;  // in frames[frame]
  while (frame < frames.size()) {
    std::array<iovec, kFramesPerCall> parts;
    size_t count = 0;
    for (size_t i = frame; i < frames.size() && count < parts.size(); ++i, ++count) {
      const size_t skip = i == frame ? offset : 0;
      parts[count] = {frames[i].data() + skip, frames[i].size() - skip};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
      if (!wait_for(socket, POLLOUT, Clock::now() + patience)) return false;
      continue;
    }
    for (auto left = static_cast<size_t>(sent); left > 0;) {
      const size_t here = std::min(left, frames[frame].size() - offset);
      offset += here;
      left -= here;
      if (offset == frames[frame].size()) {
        std::string().swap(frames[frame]);
        ++frame;
        offset = 0;
      }
    }
  }
  return true;
}

bool hung_up(int socket) {
  pollfd poll{socket, POLLRDHUP, 0};
  return ::poll(&poll, 1, 0) > 0 && (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

Connection::Connection(Fd socket, const BrokerOptions& options, const Dispatcher& dispatcher,
                       std::shared_ptr<ByteBudget> request_budget, const std::atomic<bool>& stopping)
    : options_(options),
      dispatcher_(dispatcher),
      request_budget_(std::move(request_budget)),
      stopping_(stopping),
      answers_(
          std::make_shared<AnswerQueue>(options.connection_bytes_in_flight, options.connection_requests_in_flight)),
      socket_(std::move(socket)),
      buffer_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)) {
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  peer_.host = host_of(socket_.get(), ::getpeername);
  peer_.local_host = host_of(socket_.get(), ::getsockname);
  peer_.gone = [fd = socket_.get()] { return hung_up(fd); };
  reader_ = std::thread([this] { read(); });
}

Connection::~Connection() {
  cut();
  reader_.join();
}

void Connection::stop_reading() {
  const std::lock_guard lock(socket_mutex_);
  if (socket_) ::shutdown(socket_.get(), SHUT_RD);
}

void Connection::cut() {
  const std::lock_guard lock(socket_mutex_);
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);
}

void Connection::read() {
  try {
    std::thread writer([this] { write(); });
    const std::string reason = read_requests();
    if (!reason.empty()) warn("broker: the connection of {} is closed: {}", peer_.host, reason);
    answers_->finish();
    writer.join();
  } catch (const std::system_error& failed) {  // no thread to be had
    warn("broker: the connection of {} is closed: {}", peer_.host, failed.what());
  }
  {
    const std::lock_guard lock(socket_mutex_);
    socket_.reset();
  }
  finished_ = true;
}

std::string Connection::read_requests() {
  for (;;) {
    if (!answers_->wait_for_room()) return {};
    while (begin_ == end_ && !wait_readable(options_.idle_timeout)) {
      if (answers_->empty()) return {};
    }
    if (stopping_) return {};
    char prefix[4];
    if (!read_exactly(prefix, sizeof prefix, options_.request_timeout)) return {};
    const auto size = load_big<int32_t>(prefix);
    if (size < 8 || size > options_.max_request_bytes) {
      return fmt::format("a request of {} bytes (at least 8 and at most {} are taken)", size,
                         options_.max_request_bytes);
    }
    if (!request_budget_->acquire(size)) return {};
    const auto place = answers_->open(size, [budget = request_budget_, size] { budget->release(size); });
    std::string frame;
    frame.resize(static_cast<size_t>(size));
    std::string reason;
    if (!read_exactly(frame.data(), frame.size(), options_.request_timeout)) {
      reason = "a request did not arrive whole";
    } else if (const auto request = read_request(frame); !request) {
      reason = request.error().message;
    } else {
      const auto& header = request->header;
      const Answer answer(answers_, place, static_cast<Api>(header.api_key), header.api_version, header.correlation_id);
      if (const auto handled = dispatcher_.handle(*request, peer_, answer); handled) continue;
      else reason = handled.error().message;
    }
    answers_->complete_by_closing(place);
    return stopping_ ? std::string() : reason;
  }
}

bool Connection::wait_readable(std::chrono::milliseconds at_most) {
  return wait_for(socket_.get(), POLLIN, Clock::now() + at_most);
}

bool Connection::read_exactly(char* to, size_t bytes, std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (bytes > 0) {
    if (const size_t there = std::min(bytes, end_ - begin_); there > 0) {
      std::copy_n(buffer_.get() + begin_, there, to);
      begin_ += there;
      to += there;
      bytes -= there;
      continue;
    }
    const bool direct = bytes >= kReceiveBytes;
    const ssize_t got = direct ? ::recv(socket_.get(), to, bytes, MSG_DONTWAIT)
                               : ::recv(socket_.get(), buffer_.get(), kReceiveBytes, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!wait_for(socket_.get(), POLLIN, deadline)) return false;
      continue;
    }
    if (got <= 0) return false;
    if (direct) {
      to += got;
      bytes -= static_cast<size_t>(got);
    } else {
      begin_ = 0;
      end_ = static_cast<size_t>(got);
    }
  }
  return true;
}

void Connection::write() {
  for (;;) {
    AnswerQueue::Next next = answers_->wait();
    const bool sent = send_all(socket_.get(), next.frames, options_.request_timeout);
    if (!sent || next.close) {
      answers_->break_off();
      cut();
      return;
    }
    answers_->sent();
  }
}

}  // namespace pinflow::kafka
