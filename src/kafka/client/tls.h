// TLS of one connection, by OpenSSL, from a ClientConfig's ssl.* properties; and what is wrong, in words that help.
// (librdkafka does its own; this serves the connection on which we ask and examine ourselves.)
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kafka/client/config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace pinflow::kafka {

// Certificates, key and rules. Thread-safe once made.
class TlsContext {
 public:
  // invalid, denied (a key's password), not_found: which property, and what to do.
  static Result<std::shared_ptr<const TlsContext>> create(const ClientConfig& config);
  ~TlsContext();

  ssl_ctx_st* get() const { return context_; }
  bool checks_name() const { return checks_name_; }
  // Of the client's own certificate: "CN=ann,O=x"; empty where it has none.
  std::string own_subject() const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
  bool checks_name_ = true;
};

// The state of TLS over any transport: bytes in, bytes out. One thread.
class TlsSession {
 public:
  TlsSession(std::shared_ptr<const TlsContext> context, const std::string& host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void received(std::string_view bytes);  // from the peer
  std::string to_send();                  // to the peer; take it after every call
  // True when the handshake is done; false: more must be received. denied: the broker's certificate is not to be
  // trusted, or ours is refused; invalid: the peer speaks something else.
  Result<bool> handshake();
  void write(std::string_view bytes);
  // What has come, at most `size`; 0: more must be received, or the peer is done.
  Result<size_t> read(char* to, size_t size);

 private:
  struct Seen;  // what was wrong with the broker's certificate
  std::shared_ptr<const TlsContext> context_;
  std::string host_;
  std::unique_ptr<Seen> seen_;
  ssl_st* ssl_;
};

}  // namespace pinflow::kafka
