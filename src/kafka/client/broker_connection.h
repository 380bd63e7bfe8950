// One connection to a Kafka broker for a few requests of ours, with TLS and SASL as the configuration says: to ask what
// librdkafka cannot ask, and to say exactly what is wrong where it would only say that there is no connection. Blocks.
// One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "kafka/client/config.h"
#include "kafka/client/tls.h"
#include "kafka/codec/api.h"
#include "kafka/codec/header.h"
#include "kafka/codec/message.h"

namespace pinflow::kafka {

// "host:port" or "[v6]:port" of each; the port is 9092 where it is not said.
std::vector<std::string> addresses_of(std::string_view bootstrap_servers);

class BrokerConnection {
 public:
  // Connected, and logged in where the protocol says so. Each connection and answer may take `timeout_ms`.
  // unavailable: it does not answer; denied: a certificate, a password, a token; invalid: it speaks another protocol
  // than the configuration says (in words that say which), or a property is wrong.
  static Result<BrokerConnection> open(const ClientConfig& config, const std::string& address, int timeout_ms);
  ~BrokerConnection();
  BrokerConnection(BrokerConnection&&) noexcept;
  BrokerConnection& operator=(BrokerConnection&&) noexcept;

  template <class Response, class Request>
  Result<Response> ask(const Request& request, int16_t version) {
    std::string body;
    encode(request, version, body);
    auto answer = exchange(Request::api, version, body);
    if (!answer) return pass(answer.error());
    auto response = decode<Response>(*answer, version);
    if (!response) return pass(response.error(), "{}", address_);
    return response;
  }

  // Hands bytes to and fro between the broker and `local`, a stream socket of the caller's, until one of them ends.
  // At most kMostRelayed bytes wait for each side.
  void relay(int local);
  static constexpr size_t kMostRelayed = 1 << 20;

  // What SaslHandshake says to a mechanism: those that the listener knows; empty where it does not ask for SASL.
  Result<std::vector<std::string>> sasl_mechanisms();

 private:
  BrokerConnection(Fd socket, std::string address) : socket_(std::move(socket)), address_(std::move(address)) {}
  static Result<BrokerConnection> connect(const std::string& address, int timeout_ms);
  Result<> start_tls(std::shared_ptr<const TlsContext> context);
  Result<> log_in(const ClientConfig& config);
  Result<> authenticate(const std::string& bytes, std::string& answer);

  Result<std::string> exchange(Api api, int16_t version, const std::string& body);
  // A frame without its size, there and back: for the two requests of SASL, which the codec has not.
  Result<std::string> exchange_frame(std::string_view frame);
  Result<> send(std::string_view bytes);
  Result<> send_raw(std::string_view bytes);
  Result<> receive(char* to, size_t size);
  Result<size_t> receive_raw(char* to, size_t size);  // 0: the broker closed the connection

  Fd socket_;
  std::string address_;
  std::unique_ptr<TlsSession> tls_;
  int32_t correlation_ = 0;
};

}  // namespace pinflow::kafka
