// AWS credentials, and where they come from. A provider is owned by who signs; its get() is thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"

namespace pinflow::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;      // never in a message
  std::string session_token;          // empty: long-lived keys
  std::optional<int64_t> expires_ms;  // Unix time; nothing: they do not end
};

class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // Credentials that are good for some minutes yet: kept, and renewed before they end. denied: none were found, in
  // words that say where was looked; unavailable: the place that has them did not answer.
  virtual Result<Credentials> get() = 0;
  // What get() gave was refused as ended: the next one asks anew.
  virtual void forget() {}
  // Where the last ones came from, for messages: "the environment", "the profile dev".
  virtual std::string from() const = 0;
};

// Always these.
std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials);

}  // namespace pinflow::aws
