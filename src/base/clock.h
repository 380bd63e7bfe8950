// Wall-clock time, always UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pinflow {

// Milliseconds since 1970-01-01 00:00 UTC.
inline int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// "2026-11-20T23:06:31.123Z".
std::string iso_time(int64_t ms);
// Undoes it, with or without the fraction; nothing where the text is no such time.
std::optional<int64_t> parse_iso_time(std::string_view text);
// The same for HTTP's form: "Fri, 20 Nov 2026 23:06:31 GMT".
std::optional<int64_t> parse_http_date(std::string_view text);

// Seconds since construction, for reports.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace pinflow
