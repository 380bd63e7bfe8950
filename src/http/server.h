// An HTTP/1.1 server: keep-alive, pipelining, bounded bodies and connections. It owns its threads and sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/message.h"

namespace pinflow::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  int threads = 2;
  size_t max_body_bytes = 16 << 20;  // a larger request is answered 413
  int max_connections = 4096;        // one more waits in the kernel's backlog
  int max_pipelined = 32;            // requests of one connection under way at once; answers keep their order
};

// Sends the answer. Called once, from any thread, perhaps before the handler returns. When the client has gone, nothing is sent.
using Respond = std::function<void(Response)>;

// Called on one of the server's threads for each whole request; must not block: it keeps `respond` and answers later.
using Handler = std::function<void(const Request& request, Respond respond)>;

class Server {
 public:
  // Listens when this returns. unavailable where the port is in use, naming it.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  virtual ~Server() = default;  // stop()

  virtual uint16_t port() const = 0;
  // Takes no new connection or request, waits at most `drain_ms` for the answers under way, then closes all.
  virtual void stop(int drain_ms = 5000) = 0;
};

}  // namespace pinflow::http
