// How long to wait before trying again: exponential with full jitter (a random time up to the bound), and never sooner
// than the server asks by Retry-After. Pure.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinflow::emulate {

struct Backoff {
  std::chrono::milliseconds first{20};  // the bound before the second try, doubled for each later one
  std::chrono::milliseconds most{2'000};

  // Before try number `tries` + 1; `random` is any 64 random bits.
  std::chrono::milliseconds before(int tries, uint64_t random, std::optional<std::chrono::seconds> retry_after) const {
    const int64_t bound = std::min<int64_t>(most.count(), first.count() << std::min(tries - 1, 20));
    const auto jitter = std::chrono::milliseconds(static_cast<int64_t>(random % static_cast<uint64_t>(bound + 1)));
    return retry_after ? *retry_after + jitter : jitter;
  }
};

// A header's number of seconds, at most an hour; nothing for a date or anything else.
inline std::optional<std::chrono::seconds> retry_after(std::string_view header) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc() || end != header.data() + header.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600));
}

}  // namespace pinflow::emulate
