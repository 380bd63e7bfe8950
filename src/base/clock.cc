#include "base/clock.h"

#include <fmt/chrono.h>

#include <charconv>
#include <ctime>

namespace pinflow {

std::string iso_time(int64_t ms) {
  const int64_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds)),
                     ms - seconds * 1000);
}

std::optional<int64_t> parse_iso_time(std::string_view text) {
  const auto number = [&](size_t at, size_t length, char before) {
    int value = -1;
    if (text.size() < at + length || (at > 0 && text[at - 1] != before)) return -1;
    const char* end = text.data() + at + length;
    return std::from_chars(text.data() + at, end, value).ptr == end ? value : -1;
  };
  using namespace std::chrono;
  const int year = number(0, 4, 0), month = number(5, 2, '-'), day = number(8, 2, '-');
  const int hour = number(11, 2, 'T'), minute = number(14, 2, ':'), second = number(17, 2, ':');
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60)
    return std::nullopt;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  std::string_view rest = text.substr(19);
  int64_t milliseconds = 0;
  if (rest.starts_with('.')) {
    int64_t scale = 100;
    for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1)) {
      milliseconds += (rest[0] - '0') * scale;
      scale /= 10;
    }
  }
  if (!date.ok() || (rest != "Z" && rest != "+00:00")) return std::nullopt;
  const auto at = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  return duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count() + milliseconds;
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end) return std::nullopt;
  return static_cast<int64_t>(timegm(&parts)) * 1000;
}

}  // namespace pinflow
