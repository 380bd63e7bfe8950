// The client's side of SCRAM (RFC 5802, RFC 7677): a password is proved without being sent. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::kafka {

class ScramClient {
 public:
  // `mechanism` is SCRAM-SHA-256 or SCRAM-SHA-512; `nonce` is random, printable, without commas.
  ScramClient(std::string_view mechanism, std::string_view user, std::string password, std::string nonce);

  std::string first() const;
  // The answer to the server's first message; invalid: it is none.
  Result<std::string> final(std::string_view server_first);
  // Whether the server knows the password too. denied: it does not, or says what is wrong.
  Result<> verify(std::string_view server_final) const;

 private:
  bool wide_;
  std::string user_, password_, nonce_, server_signature_;
};

}  // namespace pinflow::kafka
