// Listening TCP sockets.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace pinflow::http {

struct Listening {
  Fd fd;  // non-blocking, close-on-exec
  uint16_t port = 0;
};

// Binds and listens (SO_REUSEADDR). unavailable where the address is in use, denied where it may not be taken, invalid
// where the host names no address of this machine; each names host:port and says what to do.
Result<Listening> listen_on(const std::string& host, uint16_t port);

}  // namespace pinflow::http
