// When a cron expression comes in a time zone. Pure.
//
// Where clocks change it follows Vixie's rule. Fixed times (neither the minute's nor the hour's field begins with '*')
// come once: a time that the clock shows twice comes at the first, one that it leaps over comes right after the leap;
// several that are leapt over come together, as one. A leap of more than three hours (a zone that changed its side of
// the date line) is no clock change to that rule: what it leaps over does not come. Recurring times go by real time:
// they come at each minute at which the clock on the wall shows one, twice in an hour that is shown twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time_zone.h"
#include "schedule/cron.h"

namespace pinflow::schedule {

class Times {
 public:
  Times(Cron cron, TimeZone zone) : cron_(std::move(cron)), zone_(std::move(zone)) {}

  // The first after the instant, the last before it; milliseconds UTC. Nothing within thirty years: none.
  std::optional<int64_t> next(int64_t after_ms) const;
  std::optional<int64_t> previous(int64_t before_ms) const;

  // What a run of that time is called: the day in the zone, which is $date in SQL …
  std::string date(int64_t ms) const;
  // … and its place in the history, which succeeds once: the day, or, where there are several in a day, the instant.
  std::string slot(int64_t ms) const;

  const Cron& cron() const { return cron_; }
  const TimeZone& zone() const { return zone_; }

 private:
  std::optional<int64_t> fixed_in_day(int64_t day, int64_t bound, bool forward) const;
  std::optional<int64_t> fixed(int64_t from_ms, bool forward) const;
  std::optional<int64_t> recurring(int64_t from_ms, bool forward) const;

  Cron cron_;
  TimeZone zone_;
};

// "2026-11-20" as days since 1970-01-01, and back; nothing where it is no day of the calendar, from year 1 to 9999.
std::optional<int64_t> parse_date(std::string_view text);
std::string date_text(int64_t day);

}  // namespace pinflow::schedule
