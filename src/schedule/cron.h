// A cron expression as a value: five fields, or a name such as @daily. Parsed as Vixie's cron does (crontab(5)): lists,
// ranges and steps, names of months and days, 0 and 7 for Sunday; where both the day of the month and the day of the
// week are restricted, either is enough. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pinflow::schedule {

class Cron {
 public:
  // invalid: what is wrong, with the column (from 1) where it stands.
  static Result<Cron> parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool minute(int m) const { return (minutes_ >> m & 1) != 0; }
  bool hour(int h) const { return (hours_ >> h & 1) != 0; }
  // A day of the calendar: month 1 to 12, day 1 to 31, weekday 0 (Sunday) to 6.
  bool day(int month, int day, int weekday) const;

  // Vixie's rule for clock changes asks this: the minute's or the hour's field begins with '*', so the times are not
  // fixed ones of a day but recur, and go by real time.
  bool recurs() const { return recurs_; }
  // How many times it comes on a day that it takes, where no clock changes.
  int times_a_day() const;

 private:
  std::string text_;
  uint64_t minutes_ = 0;
  uint32_t hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool recurs_ = false;
  bool either_day_ = false;
};

}  // namespace pinflow::schedule
