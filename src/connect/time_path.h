// Folders by time: path.format in Joda-Time's pattern letters, partition.duration.ms, a time zone. Pure.
// Source: Joda-Time's DateTimeFormat (the letters), Confluent's TimeBasedPartitioner (the documentation of its keys).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_zone.h"

namespace pinflow::connect {

class TimePath {
 public:
  // invalid: a letter that is none, a quote without its end, a duration below 1, an unknown zone.
  static Result<TimePath> make(std::string_view format, int64_t duration_ms, const std::string& time_zone);

  // The start of the duration that holds the instant, counted on the zone's wall clock.
  int64_t start_of(int64_t utc_ms) const;
  std::string folder(int64_t utc_ms) const;  // of the duration that holds it

 private:
  struct Token {
    char letter = 0;  // 0: a text
    int count = 0;
    std::string text;
  };
  TimePath(TimeZone zone, int64_t duration_ms) : zone_(std::move(zone)), duration_ms_(duration_ms) {}
  std::string field(const Token& token, const LocalTime& time) const;

  TimeZone zone_;
  int64_t duration_ms_;
  std::vector<Token> tokens_;
};

}  // namespace pinflow::connect
