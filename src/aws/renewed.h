// Keeps what a source of credentials gave until shortly before it ends. The base of the providers that ask somebody.
// Thread-safe: one asks, the others wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "aws/credentials.h"

namespace pinflow::aws {

class Renewed final : public CredentialsProvider {
 public:
  static constexpr int64_t kRenewBeforeMs = 5 * 60'000;
  static constexpr int64_t kRetryAfterMs = 30'000;  // between renewals, while what is there is good

  struct Found {
    Credentials credentials;
    std::string from;  // "the environment", "the profile dev", …
  };
  using Source = std::function<Result<Found>()>;

  Renewed(Source source, std::function<int64_t()> now_ms) : source_(std::move(source)), now_ms_(std::move(now_ms)) {}

  Result<Credentials> get() override;
  std::string from() const override;
  void forget() override;

 private:
  const Source source_;
  const std::function<int64_t()> now_ms_;
  mutable std::mutex mutex_;
  std::optional<Found> found_;
  int64_t retry_at_ms_ = 0;
};

}  // namespace pinflow::aws
