#include "base/clock.h"

#include <fmt/chrono.h>

#include <ctime>

namespace pinflow {

std::string iso_time(int64_t ms) {
  const int64_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds)),
                     ms - seconds * 1000);
}

}  // namespace pinflow
