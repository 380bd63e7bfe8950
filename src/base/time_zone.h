// A time zone of the IANA database, as this machine has it (/usr/share/zoneinfo, TZif files, RFC 8536). A value once
// loaded; pure from then on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pinflow {

// A day and a time as a clock on the wall shows it, in the proleptic Gregorian calendar.
struct LocalTime {
  int64_t ms = 0;            // as if it were UTC
  int offset_s = 0;          // what was added to UTC
  std::string abbreviation;  // "CEST"
};

class TimeZone {
 public:
  // "UTC", "Europe/Paris", … invalid: no such zone, or its file cannot be read as one.
  static Result<TimeZone> load(const std::string& name);
  static TimeZone utc();
  // The bytes of a TZif file.
  static Result<TimeZone> parse(std::string name, std::string_view bytes);

  const std::string& name() const { return name_; }

  LocalTime at(int64_t utc_ms) const;

  // The instant of a wall clock's time. Where the clock was set back and shows it twice: the first. Where it was set
  // forward and never shows it: the instant of the change.
  int64_t to_utc_ms(int64_t local_ms) const;

 private:
  struct Kind {
    int offset_s = 0;
    std::string abbreviation;
  };
  // "The first Sunday of November, two o'clock": when a rule of the last line begins or ends.
  struct Change {
    int kind = 0;  // 0: Jn, 1: n, 2: Mm.w.d
    int month = 0, week = 0, day = 0;
    int64_t time_s = 7200;
    int64_t local_s(int year) const;
  };

  Result<> parse_footer(std::string_view text);
  const Kind& kind_at(int64_t utc_s) const;

  std::string name_;
  std::vector<int64_t> times_;  // of the transitions, UTC seconds
  std::vector<uint8_t> kinds_of_times_;
  std::vector<Kind> kinds_;
  // From the last transition on: the footer's rule.
  bool has_rule_ = false;
  bool has_summer_ = false;
  Kind standard_, summer_;
  Change begins_, ends_;
};

}  // namespace pinflow
