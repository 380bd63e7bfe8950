#include "kafka/client/plain_connection.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/bytes.h"

namespace pinflow::kafka {
namespace {

constexpr int32_t kMaxAnswerBytes = 64 << 20;

struct AddressesDelete {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// The kernel's clock for each send, receive and connect; 0 would mean without end.
void set_timeout(int socket, int timeout_ms) {
  const timeval time{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

}  // namespace

Result<PlainConnection> PlainConnection::open(const std::string& address, int timeout_ms) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  const std::string port = colon == std::string::npos || address.ends_with(']') ? "9092" : address.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found)) {
    return unavailable("{}: {}", address, ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, AddressesDelete> addresses(found);
  int last_error = ECONNREFUSED;
  for (const addrinfo* one = addresses.get(); one; one = one->ai_next) {
    Fd socket(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
    if (!socket) continue;
    set_timeout(socket.get(), timeout_ms);
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0) return PlainConnection(std::move(socket), address);
    last_error = errno;
  }
  return unavailable("{}: {}", address, std::strerror(last_error));
}

Result<> PlainConnection::receive(char* to, size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(socket_.get(), to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return unavailable("{}: {}", address_, got == 0 ? "the broker closed the connection" : std::strerror(errno));
    to += got;
    size -= static_cast<size_t>(got);
  }
  return {};
}

Result<std::string> PlainConnection::exchange(Api api, int16_t version, const std::string& body) {
  std::string frame(4, '\0');
  write_request_header({static_cast<int16_t>(api), version, ++correlation_, "pinflow"}, frame);
  frame += body;
  store_big(frame.data(), static_cast<int32_t>(frame.size() - 4));
  for (size_t sent = 0; sent < frame.size();) {
    const ssize_t put = ::send(socket_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return unavailable("{}: {}", address_, std::strerror(errno));
    sent += static_cast<size_t>(put);
  }
  char head[4];
  if (auto got = receive(head, sizeof head); !got) return pass(got.error());
  const auto size = load_big<int32_t>(head);
  if (size < 4 || size > kMaxAnswerBytes) {
    return unavailable("{}: an answer of {} bytes: is this a Kafka broker, without TLS?", address_, size);
  }
  std::string answer(static_cast<size_t>(size), '\0');
  if (auto got = receive(answer.data(), answer.size()); !got) return pass(got.error());
  auto response = read_response(api, version, answer);
  if (!response) return pass(response.error(), "{}", address_);
  if (response->correlation_id != correlation_) {
    return unavailable("{}: an answer to request {} where {} was asked", address_, response->correlation_id,
                       correlation_);
  }
  return std::string(response->body);
}

}  // namespace pinflow::kafka
