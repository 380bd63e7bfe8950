#include "kafka/client/broker_connection.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
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

struct HostPort {
  std::string host, port;
};

HostPort split(const std::string& address) {
  const size_t colon = address.rfind(':');
  HostPort at{address.substr(0, colon), "9092"};
  if (colon != std::string::npos && !address.ends_with(']')) at.port = address.substr(colon + 1);
  else at.host = address;
  if (at.host.starts_with('[') && at.host.ends_with(']')) at.host = at.host.substr(1, at.host.size() - 2);
  return at;
}

// The kernel's clock for each send, receive and connect; 0 would mean without end.
void set_timeout(int socket, int timeout_ms) {
  const timeval time{timeout_ms / 1000, timeout_ms % 1000 * 1000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

const char* reason(int error) {
  return error == EAGAIN || error == EINPROGRESS ? "no answer in time" : std::strerror(error);
}

}  // namespace

std::vector<std::string> addresses_of(std::string_view servers) {
  std::vector<std::string> out;
  while (!servers.empty()) {
    const size_t comma = std::min(servers.find(','), servers.size());
    if (comma > 0) out.emplace_back(servers.substr(0, comma));
    servers.remove_prefix(std::min(comma + 1, servers.size()));
  }
  return out;
}

BrokerConnection::~BrokerConnection() = default;
BrokerConnection::BrokerConnection(BrokerConnection&&) noexcept = default;
BrokerConnection& BrokerConnection::operator=(BrokerConnection&&) noexcept = default;

Result<BrokerConnection> BrokerConnection::connect(const std::string& address, int timeout_ms) {
  const auto [host, port] = split(address);
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
    if (::connect(socket.get(), one->ai_addr, one->ai_addrlen) == 0)
      return BrokerConnection(std::move(socket), address);
    last_error = errno;
  }
  return unavailable("{}: {}", address, reason(last_error));
}

Result<BrokerConnection> BrokerConnection::open(const ClientConfig& config, const std::string& address,
                                                int timeout_ms) {
  std::shared_ptr<const TlsContext> context;
  if (config.uses_tls()) {
    auto made = TlsContext::create(config);
    if (!made) return pass(made.error());
    context = std::move(*made);
  }
  auto broker = connect(address, timeout_ms);
  if (!broker) return broker;
  if (context) {
    if (auto started = broker->start_tls(std::move(context)); !started) return pass(started.error());
  }
  if (config.uses_sasl()) {
    if (auto in = broker->log_in(config); !in) return pass(in.error());
  }
  return broker;
}

Result<> BrokerConnection::start_tls(std::shared_ptr<const TlsContext> context) {
  tls_ = std::make_unique<TlsSession>(std::move(context), split(address_).host);
  for (;;) {
    auto done = tls_->handshake();
    if (auto sent = send_raw(tls_->to_send()); !sent && done) return sent;
    if (!done) return pass(done.error(), "{}", address_);
    if (*done) return {};
    char buffer[16 << 10];
    auto got = receive_raw(buffer, sizeof buffer);
    if (!got) return pass(got.error(), "in TLS's handshake");
    if (*got == 0) return unavailable("{}: the broker closed the connection in TLS's handshake", address_);
    tls_->received({buffer, *got});
  }
}

Result<> BrokerConnection::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return unavailable("{}: {}", address_, reason(errno));
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<size_t> BrokerConnection::receive_raw(char* to, size_t size) {
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ECONNRESET) return unavailable("{}: {}", address_, reason(errno));
    return static_cast<size_t>(std::max<ssize_t>(got, 0));
  }
}

Result<> BrokerConnection::send(std::string_view bytes) {
  if (!tls_) return send_raw(bytes);
  tls_->write(bytes);
  return send_raw(tls_->to_send());
}

Result<> BrokerConnection::receive(char* to, size_t size) {
  while (size > 0) {
    size_t got = 0;
    if (tls_) {
      auto read = tls_->read(to, size);
      if (!read) return pass(read.error(), "{}", address_);
      got = *read;
    }
    if (got == 0) {
      char buffer[16 << 10];
      auto raw = tls_ ? receive_raw(buffer, sizeof buffer) : receive_raw(to, size);
      if (!raw) return pass(raw.error());
      if (*raw == 0) return unavailable("{}: the broker closed the connection", address_);
      if (tls_) tls_->received({buffer, *raw});
      else got = *raw;
    }
    to += got;
    size -= got;
  }
  return {};
}

Result<std::string> BrokerConnection::exchange_frame(std::string_view frame) {
  std::string sized(4, '\0');
  store_big(sized.data(), static_cast<int32_t>(frame.size()));
  sized += frame;
  if (auto sent = send(sized); !sent) return pass(sent.error());
  char head[4];
  if (auto got = receive(head, sizeof head); !got) return pass(got.error());
  const auto size = load_big<int32_t>(head);
  if (size < 4 || size > kMaxAnswerBytes) {
    return invalid("{}: an answer of {} bytes: this is no Kafka broker, or one that speaks TLS", address_, size);
  }
  std::string answer(static_cast<size_t>(size), '\0');
  if (auto got = receive(answer.data(), answer.size()); !got) return pass(got.error());
  return answer;
}

Result<std::string> BrokerConnection::exchange(Api api, int16_t version, const std::string& body) {
  std::string frame;
  write_request_header({static_cast<int16_t>(api), version, ++correlation_, "pinflow"}, frame);
  frame += body;
  auto answer = exchange_frame(frame);
  if (!answer) return answer;
  auto response = read_response(api, version, *answer);
  if (!response) return pass(response.error(), "{}", address_);
  if (response->correlation_id != correlation_) {
    return unavailable("{}: an answer to request {} where {} was asked", address_, response->correlation_id,
                       correlation_);
  }
  return std::string(response->body);
}

}  // namespace pinflow::kafka
