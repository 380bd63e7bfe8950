// Reads the requests out of one connection's bytes (HTTP/1.0 and 1.1, RFC 9112), by Beast's parser. No I/O; one thread.
//
//   feed(bytes) ─► need_more ─► feed(more) ─► complete: request() holds ─► next() ─► feed(…)
//                                         └─► refused: status() and message() say why; the connection is of no more use
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "http/message.h"

namespace pinflow::http {

struct ReaderLimits {
  size_t header_bytes = 16 << 10;
  size_t body_bytes = 16 << 20;
};

class RequestReader {
 public:
  enum class Progress { need_more, complete, refused };

  explicit RequestReader(ReaderLimits limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;

  // Reads on; `used` is how many of the bytes are done with: the caller keeps the rest and gives it again, followed by
  // what has come since. Refused are (status): 400 malformed, or HTTP/1.1 without Host; 413 body, 431 header over its
  // limit; 501 a transfer coding other than chunked; 505 neither 1.0 nor 1.1.
  Progress feed(std::string_view bytes, size_t& used);

  // After complete, until next().
  const Request& request() const;
  bool keep_alive() const;
  bool http10() const;

  // Makes ready for the next request; keeps small buffers for it.
  void next();
  // Gives idle buffers back.
  void trim();

  bool idle() const;          // nothing of a request has been read
  bool in_body() const;       // the header is complete, the body is not
  bool wants_continue();      // the header asked for "100 Continue" and the body has not begun; true once a request
  size_t body_bytes() const;  // read so far
  int status() const;         // after refused
  std::string_view message() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pinflow::http
