#include "schedule/times.h"

#include <chrono>

#include "base/clock.h"

namespace pinflow::schedule {
namespace {

constexpr int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr int64_t kLongestLeap = 3 * kHour;
constexpr int64_t kHorizonDays = 30 * 366;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

bool takes_day(const Cron& cron, int64_t day) {
  const std::chrono::sys_days days{std::chrono::days(day)};
  const std::chrono::year_month_day date(days);
  return cron.day(static_cast<int>(static_cast<unsigned>(date.month())),
                  static_cast<int>(static_cast<unsigned>(date.day())),
                  static_cast<int>(std::chrono::weekday(days).c_encoding()));
}

}  // namespace

std::optional<int64_t> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return {};
  int part[3] = {0, 0, 0};
  for (size_t i = 0, which = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      ++which;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return {};
    part[which] = part[which] * 10 + (text[i] - '0');
  }
  const std::chrono::year_month_day date{std::chrono::year{part[0]}, std::chrono::month{static_cast<unsigned>(part[1])},
                                         std::chrono::day{static_cast<unsigned>(part[2])}};
  if (!date.ok() || part[0] < 1) return {};
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::string date_text(int64_t day) { return iso_time(day * kDay).substr(0, 10); }

std::string Times::date(int64_t ms) const { return iso_time(zone_.at(ms).ms).substr(0, 10); }

std::string Times::slot(int64_t ms) const {
  if (cron_.times_a_day() == 1) return date(ms);
  return iso_time(ms).substr(0, 19) + "Z";
}

std::optional<int64_t> Times::next(int64_t after_ms) const {
  return cron_.recurs() ? recurring(after_ms, true) : fixed(after_ms, true);
}

std::optional<int64_t> Times::previous(int64_t before_ms) const {
  return cron_.recurs() ? recurring(before_ms, false) : fixed(before_ms, false);
}

// The nearest of a local day's times beyond `bound`.
std::optional<int64_t> Times::fixed_in_day(int64_t day, int64_t bound, bool forward) const {
  constexpr int kMinutes = 24 * 60;
  for (int i = 0; i < kMinutes; ++i) {
    const int minute = forward ? i : kMinutes - 1 - i;
    if (!cron_.hour(minute / 60) || !cron_.minute(minute % 60)) continue;
    const int64_t local = day * kDay + minute * kMinute;
    const int64_t ms = zone_.to_utc_ms(local);
    if (forward ? ms <= bound : ms >= bound) continue;
    const LocalTime shown = zone_.at(ms);
    if (shown.ms != local && shown.offset_s - zone_.at(ms - 1).offset_s > kLongestLeap / 1000) continue;
    return ms;
  }
  return {};
}

std::optional<int64_t> Times::fixed(int64_t from_ms, bool forward) const {
  // The zone's greatest leap, and so the distance of a time from where the calendar has it, is a day.
  const int64_t first = floor_div(zone_.at(from_ms).ms, kDay) + (forward ? -1 : 1);
  for (int64_t i = 0; i < kHorizonDays; ++i) {
    const int64_t day = forward ? first + i : first - i;
    if (!takes_day(cron_, day)) continue;
    if (const auto found = fixed_in_day(day, from_ms, forward)) return found;
  }
  return {};
}

std::optional<int64_t> Times::recurring(int64_t from_ms, bool forward) const {
  const int64_t sign = forward ? 1 : -1;
  const int64_t end = from_ms + sign * kHorizonDays * kDay;
  int64_t ms = floor_div(from_ms, kMinute) * kMinute;
  if (forward || ms == from_ms) ms += sign * kMinute;
  while (forward ? ms < end : ms > end) {
    const LocalTime local = zone_.at(ms);
    const int64_t day = floor_div(local.ms, kDay), in_day = local.ms - day * kDay;
    const int64_t minute = in_day / kMinute, hour = minute / 60;
    // Over a day or an hour that it does not take at once, but never over a clock change.
    const bool day_taken = takes_day(cron_, day);
    if (day_taken && cron_.hour(static_cast<int>(hour)) && cron_.minute(static_cast<int>(minute % 60))) return ms;
    const bool by_hour = day_taken && cron_.hour(static_cast<int>(hour));
    int64_t leap = kMinute;
    for (const int64_t size : {day_taken ? int64_t{0} : kDay, by_hour ? int64_t{0} : kHour}) {
      if (size == 0 || leap > kMinute) continue;
      const int64_t into = local.ms - floor_div(local.ms, size) * size;
      const int64_t wide = forward ? size - into : into + kMinute;
      if (zone_.at(ms + sign * wide).offset_s == local.offset_s) leap = wide;
    }
    ms += sign * leap;
  }
  return {};
}

}  // namespace pinflow::schedule
