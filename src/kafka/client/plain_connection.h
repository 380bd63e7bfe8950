// One TCP connection to a Kafka broker without TLS or SASL, for a few requests of ours. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "kafka/codec/api.h"
#include "kafka/codec/header.h"
#include "kafka/codec/message.h"

namespace pinflow::kafka {

class PlainConnection {
 public:
  // `address` is "host:port" or "[v6]:port". Each connection and answer may take `timeout_ms`.
  static Result<PlainConnection> open(const std::string& address, int timeout_ms);

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

 private:
  PlainConnection(Fd socket, std::string address) : socket_(std::move(socket)), address_(std::move(address)) {}
  Result<std::string> exchange(Api api, int16_t version, const std::string& body);
  Result<> receive(char* to, size_t size);

  Fd socket_;
  std::string address_;
  int32_t correlation_ = 0;
};

}  // namespace pinflow::kafka
