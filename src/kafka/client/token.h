// The bearer tokens that a client shows a Kafka cluster by SASL/OAUTHBEARER (KIP-255), and where they come from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pinflow::kafka {

struct Token {
  std::string value;                                            // never in a message
  int64_t expires_ms = 0;                                       // Unix time; a new one is asked for before
  std::string principal;                                        // whom it speaks for; "" where it does not say
  std::vector<std::pair<std::string, std::string>> extensions;  // SASL extensions (KIP-342), sent with it
};

// Thread-safe: librdkafka asks on a thread of its own, for each client.
class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // A token that is good now. May call a service, and waits for it. denied: nobody gives one, in words that say what
  // is missing; unavailable: a passing fault.
  virtual Result<Token> get() = 0;
};

}  // namespace pinflow::kafka
