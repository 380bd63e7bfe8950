// An HTTP/1.0 and 1.1 server: keep-alive, pipelining, chunked bodies, Expect: 100-continue, bounded bodies, connections
// and times. It owns its threads and sockets. No TLS, no upgrade. Beast and Asio stay inside its .cc files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/message.h"

namespace pinflow::http {

// Makes the answer to a request that never reached the handler (400, 408, 413, 429, 431, 501) or that the handler
// dropped (500). Pure; called on the server's threads.
using ErrorResponse = std::function<Response(int status, std::string_view message)>;

// {"error_code":413,"message":"…"}, as the REST proxy words its errors.
Response json_error(int status, std::string_view message);

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address or a name
  uint16_t port = 0;               // 0: any free one
  int threads = 2;
  size_t max_body_bytes = 16 << 20;              // a larger request is answered 413
  size_t max_header_bytes = 16 << 10;            // request line and header fields; more is answered 431
  size_t max_unfinished_body_bytes = 256 << 20;  // of all requests still arriving; more is answered 429
  int max_connections = 4096;                    // one more waits in the kernel's backlog
  int max_pipelined = 32;  // requests of one connection under way at once; answers keep their order
  int idle_ms = 75'000;    // a connection without a request is closed
  int header_ms = 30'000;  // from a request's first byte to the end of its header, else 408
  int stall_ms = 30'000;   // a body, or a client's reading of answers, without any progress, else 408 or closed
  ErrorResponse error_response = json_error;
  std::vector<HeaderField> headers;  // of every answer
};

// The way to answer one request; copies share it. The first call sends the answer, from any thread, perhaps before the
// handler returns; when the client has gone or the server has stopped, nothing is sent. If every copy is dropped
// without a call, the client is answered 500.
class Respond {
 public:
  // Let go when the answer is sent, or never will be: what bounds the bytes of answers can live in it.
  using Held = std::shared_ptr<const void>;
  struct Exchange {
    virtual ~Exchange() = default;
    virtual void answer(Response response, Held held) = 0;
  };

  explicit Respond(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  void operator()(Response response, Held held = nullptr) const {
    exchange_->answer(std::move(response), std::move(held));
  }

 private:
  std::shared_ptr<Exchange> exchange_;
};

// Called on one of the server's threads for each whole request; must not block: it keeps `respond` and answers later.
// The request is only valid during the call. For HEAD the handler answers as for GET: the body is not sent.
using Handler = std::function<void(const Request& request, Respond respond)>;

class Server {
 public:
  // Listens when this returns. unavailable where the port is in use, naming it.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // stop()

  virtual uint16_t port() const = 0;
  // Takes no new connection or request, waits at most `drain_ms` for the answers under way, then closes all and joins
  // the threads; at once when nothing is under way. Not to be called on one of the server's threads.
  virtual void stop(int drain_ms = 5000) = 0;
};

}  // namespace pinflow::http
